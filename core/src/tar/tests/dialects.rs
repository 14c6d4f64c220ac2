//! What the dialects spell in different ways.

use super::*;
use crate::error::ErrorKind;

#[test]
fn names_are_normalised_and_marked() {
    for (raw_name, name, escapes) in [
        ("a/b", "a/b", false),
        ("./a//b/./c", "a/b/c", false),
        ("././a", "a", false),
        ("./", ".", false),
        ("a/../b", "a/../b", true),
        ("../a", "../a", true),
        ("/etc//passwd", "/etc/passwd", true),
        ("..a/b..", "..a/b..", false),
        ("", "", true),
    ] {
        let entry = only(&raw(raw_name.as_bytes(), b'0', 0));
        assert_eq!((entry.name.as_str(), entry.escapes), (name, escapes));
        assert_eq!(safe_name(raw_name), !escapes);
    }
}

#[test]
fn links_resolve_within_the_tree_or_not_at_all() {
    for (member, target, resolved) in [
        ("a/b", "c", Some("a/c")),
        ("a/layer.tar", "../x/layer.tar", Some("x/layer.tar")),
        ("a/./b", ".//c/", Some("a/c")),
        ("a", "..", None),
        ("a/b", "..", Some(".")),
        ("a/b", "../../c", None),
        ("a", "/etc/passwd", None),
        ("/a", "b", None),
        ("../a", "b", None),
    ] {
        assert_eq!(resolve_link(member, target).as_deref(), resolved);
    }
}

#[test]
fn type_flags() {
    let kind = |name: &[u8], flag| only(&raw(name, flag, 0)).kind;
    assert_eq!(kind(b"a", b'0'), EntryKind::File);
    assert_eq!(kind(b"a", b'7'), EntryKind::File);
    assert_eq!(kind(b"a", 0), EntryKind::File);
    assert_eq!(kind(b"a/", 0), EntryKind::Directory);
    assert_eq!(kind(b"a", b'5'), EntryKind::Directory);
    assert_eq!(kind(b"a", b'6'), EntryKind::Other(b'6'));
    assert_eq!(kind(b"a", b'V'), EntryKind::Other(b'V'));
}

#[test]
fn links_and_directories_have_no_data_whatever_their_size_says() {
    let mut directory = raw(b"d", b'5', 4096);
    let mut link = raw(b"l", b'1', 4096);
    put(&mut link, 157, b"./d//f");
    seal(&mut link);
    put(&mut directory, 257, &[0; 8]); // V7
    seal(&mut directory);
    let archive = [directory, link, raw(b"f", b'0', 0)].concat();
    let found = members(&archive);
    assert_eq!(found.len(), 3);
    assert_eq!(found[1].0.kind, EntryKind::HardLink("d/f".to_owned()));
    assert!(found.iter().all(|(entry, _)| entry.size == 0));
}

#[test]
fn prefixes_belong_to_posix_headers_only() {
    let mut header = raw(b"name", b'0', 0);
    put(&mut header, 345, b"prefix");
    seal(&mut header);
    assert_eq!(only(&header).name, "prefix/name");

    put(&mut header, 508, b"tar\0"); // star: times behind a shorter prefix
    put(&mut header, 476, b"00000000000 ");
    seal(&mut header);
    assert_eq!(only(&header).name, "prefix/name");

    put(&mut header, 257, b"ustar  \0"); // GNU: times and offsets
    seal(&mut header);
    assert_eq!(only(&header).name, "name");
}

#[test]
fn numbers_in_every_spelling() {
    for field in [
        &b"00000000005\0"[..],
        b"         5 \0",
        b"5 \0\0\0\0\0\0\0\0\0\0",
        b"000000000005",
        b"5\0garbage...",
        b"\x80\0\0\0\0\0\0\0\0\0\0\x05",
    ] {
        let mut header = raw(b"a", b'0', 0);
        put(&mut header, 124, &field[..12]);
        seal(&mut header);
        let archive = [header.to_vec(), padded(b"12345")].concat();
        assert_eq!(members(&archive)[0].1, b"12345", "{field:?}");
    }
    for field in [
        b"0000000000x\0",
        b"00000000 05\0",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfb",
        b"\x80\0\0\0\x80\0\0\0\0\0\0\0",
        b"\x81\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        let mut header = raw(b"a", b'0', 0);
        put(&mut header, 124, field);
        seal(&mut header);
        let error = error(&header);
        assert_eq!(error.kind(), ErrorKind::InvalidArchive, "{field:?}");
        assert_eq!(error.get_member(), Some("a"));
    }
}

#[test]
fn signed_checksums_are_accepted() {
    let mut header = raw("é".as_bytes(), b'0', 0);
    let signed: i32 = header
        .iter()
        .enumerate()
        .map(|(at, byte)| match at {
            148..156 => 32,
            _ => i32::from(byte.cast_signed()),
        })
        .sum();
    put(&mut header, 148, format!("{signed:06o}\0 ").as_bytes());
    assert_eq!(only(&header).name, "é");
}

#[test]
fn pax_records_override_the_header() {
    let long = "d/".repeat(300) + "f";
    let records = [
        record("comment", b"a\nb=c"),
        record("path", long.as_bytes()),
        record("size", b"3"),
    ]
    .concat();
    let archive = [
        extended(b'x', &records),
        raw(b"short", b'0', 0).to_vec(),
        padded(b"abc"),
        raw(b"next", b'0', 0).to_vec(),
    ]
    .concat();
    let found = members(&archive);
    assert_eq!(
        (found[0].0.name.as_str(), &found[0].1[..]),
        (&*long, &b"abc"[..])
    );
    assert_eq!(found[1].0.name, "next", "records hold for one member");
}

#[test]
fn an_empty_pax_value_gives_the_headers_back() {
    let records = [
        record("path", b"x"),
        record("path", b""),
        record("size", b""),
    ]
    .concat();
    let archive = [extended(b'x', &records), raw(b"a", b'0', 0).to_vec()].concat();
    assert_eq!(only(&archive).name, "a");
}

#[test]
fn global_headers_may_comment_but_not_rename() {
    let member = raw(b"a", b'0', 0);
    let comment = extended(b'g', &record("comment", b"0123abcd"));
    assert_eq!(only(&[comment, member.to_vec()].concat()).name, "a");

    let rename = extended(b'g', &record("path", b"b"));
    let error = error(&[rename, member.to_vec()].concat());
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn sparse_files_are_refused_by_name() {
    assert_eq!(error(&raw(b"holes", b'S', 0)).get_member(), Some("holes"));
    let records = [
        record("GNU.sparse.major", b"1"),
        record("GNU.sparse.name", b"dir/holes"),
    ]
    .concat();
    let archive = [
        extended(b'x', &records),
        raw(b"GNUSparseFile.7/holes", b'0', 0).to_vec(),
    ]
    .concat();
    let error = error(&archive);
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.get_member(), Some("dir/holes"));
    assert_eq!(error.get_offset(), Some(1024));
}

#[test]
fn ends_of_every_kind() {
    let member = raw(b"a", b'0', 0).to_vec();
    let end = |tail: &[&[u8]]| {
        both(&[&member[..], &tail.concat()].concat())
            .expect("good")
            .1
    };
    let plain = ScanEnd {
        end_offset: 512,
        trailing: false,
        end_marker: true,
        lone_zero_block: false,
    };
    let unmarked = ScanEnd {
        end_marker: false,
        ..plain
    };
    assert_eq!(end(&[&END]), plain);
    assert_eq!(end(&[&[0; 9728]]), plain);
    assert_eq!(
        end(&[&END, b"more"]),
        ScanEnd {
            trailing: true,
            ..plain
        }
    );
    assert_eq!(end(&[]), unmarked);
    assert_eq!(end(&[&[0; 700]]), unmarked);
    assert_eq!(
        end(&[&[0; 512], &[1; 600]]),
        ScanEnd {
            trailing: true,
            ..unmarked
        }
    );

    let after = [&member[..], &[0; 512], &raw(b"b", b'0', 0), &END].concat();
    let (found, end) = both(&after).expect("good");
    assert_eq!(found.len(), 2);
    assert!(end.lone_zero_block && end.end_marker);
}

#[test]
fn nothing_and_zeros_have_no_members() {
    for length in [0, 512, 1024, 10240] {
        assert_eq!(members(&vec![0; length]), []);
    }
}
