//! Round trips, and the `tar` crate's opinion.

use super::*;
use proptest::prelude::*;

/// An archive of `members`, as this module writes it.
fn written(members: &[(String, EntryKind, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, kind, data) in members {
        out.extend(header(name, kind, data.len() as u64, 0o640, 1));
        out.extend(padded(data));
    }
    out.extend(END);
    out
}

/// Name, type flag, link target, size, mode, offset of the data.
type Seen = (String, u8, Option<String>, u64, u32, u64);

/// What the `tar` crate makes of an archive.
fn oracle(archive: &[u8]) -> Vec<Seen> {
    let mut reader = ::tar::Archive::new(archive);
    reader
        .entries()
        .expect("entries")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
            (
                names::normalise(&text(&entry.path_bytes())),
                entry.header().entry_type().as_byte(),
                entry.link_name_bytes().map(|link| text(&link)),
                entry.size(),
                entry.header().mode().expect("a mode"),
                entry.raw_file_position(),
            )
        })
        .collect()
}

fn ours(archive: &[u8]) -> Vec<Seen> {
    members(archive)
        .into_iter()
        .map(|(entry, _)| {
            let (flag, link) = match entry.kind {
                EntryKind::File => (b'0', None),
                EntryKind::HardLink(target) => (b'1', Some(target)),
                EntryKind::SymLink(target) => (b'2', Some(target)),
                EntryKind::Directory => (b'5', None),
                EntryKind::Other(flag) => (flag, None),
            };
            (entry.name, flag, link, entry.size, entry.mode, entry.offset)
        })
        .collect()
}

#[test]
fn the_tar_crates_archives_read_as_it_reads_them() {
    for long in [40, 99, 100, 101, 155, 256, 257, 5000] {
        let name = "d/".repeat(long / 2) + "ö";
        let mut builder = ::tar::Builder::new(Vec::new());
        let mut add = |kind: ::tar::EntryType, data: &[u8]| {
            let mut header = ::tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(data.len() as u64);
            header.set_mode(0o755);
            if data.is_empty() {
                builder.append_link(&mut header, &name, name.clone() + "x")
            } else {
                builder.append_data(&mut header, &name, data)
            }
            .expect("appended");
        };
        add(::tar::EntryType::Regular, b"content");
        add(::tar::EntryType::Symlink, b"");
        add(::tar::EntryType::Link, b"");
        let value = name.clone() + "pax";
        builder
            .append_pax_extensions([("path", value.as_bytes()), ("mtime", b"1.5")])
            .expect("appended");
        let mut header = ::tar::Header::new_ustar();
        header.set_path("short").expect("fits");
        header.set_size(3);
        header.set_mode(0o600);
        header.set_cksum();
        builder.append(&header, &b"abc"[..]).expect("appended");
        let archive = builder.into_inner().expect("finished");
        assert_eq!(ours(&archive), oracle(&archive));
    }
}

#[test]
fn sizes_past_octal_digits_are_written_as_pax_records() {
    for size in [(8 << 30) - 1, 8 << 30, 1 << 40] {
        let bytes = header("big", &EntryKind::File, size, 0o644, 0);
        assert_eq!(bytes.len() > 512, size >= 8 << 30);
        let mut stream = TarStream::new(&bytes[..]);
        let entry = stream.next().expect("good").expect("a member");
        assert_eq!((entry.size, entry.offset), (size, bytes.len() as u64));
    }
}

#[test]
fn pax_lengths_count_themselves() {
    for length in 80..1100 {
        let value = vec![b'v'; length];
        let bytes = record("path", &value);
        let stated = bytes.split(|byte| *byte == b' ').next().expect("a length");
        assert_eq!(stated, bytes.len().to_string().as_bytes());
    }
}

fn name() -> impl Strategy<Value = String> {
    let part = "[a-zA-Z0-9_@é -]{1,12}";
    prop::collection::vec(part, 1..30).prop_map(|parts| parts.join("/"))
}

fn kind() -> impl Strategy<Value = EntryKind> {
    prop_oneof![
        3 => Just(EntryKind::File),
        1 => Just(EntryKind::Directory),
        1 => name().prop_map(EntryKind::HardLink),
        1 => name().prop_map(|target| EntryKind::SymLink(format!("../{target}"))),
    ]
}

fn member() -> impl Strategy<Value = (String, EntryKind, Vec<u8>)> {
    (name(), kind(), prop::collection::vec(any::<u8>(), 0..1500)).prop_map(|(name, kind, data)| {
        let data = if kind == EntryKind::File {
            data
        } else {
            Vec::new()
        };
        (name, kind, data)
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(written_members in prop::collection::vec(member(), 0..8)) {
        let archive = written(&written_members);
        let (found, end) = both(&archive).expect("good");
        prop_assert!(end.end_marker && !end.trailing);
        prop_assert_eq!(end.end_offset, archive.len() as u64 - 1024);
        prop_assert_eq!(ours(&archive), oracle(&archive));
        let found: Vec<_> = found
            .into_iter()
            .map(|(entry, data)| (entry.name, entry.kind, data))
            .collect();
        prop_assert_eq!(found, written_members);
    }
}
