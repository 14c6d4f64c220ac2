//! What is no archive, or no longer one.

use super::*;
use crate::error::ErrorKind;
use crate::limits;
use proptest::prelude::*;

fn good() -> Vec<u8> {
    let long = "n".repeat(150);
    [
        header("a", &EntryKind::File, 700, 0o644, 0),
        padded(&[b'a'; 700]),
        header(&long, &EntryKind::SymLink("a".to_owned()), 0, 0o777, 0),
        header("b", &EntryKind::File, 5, 0o600, 0),
        padded(b"12345"),
        END.to_vec(),
    ]
    .concat()
}

#[test]
fn what_is_no_archive_is_said_to_be_none() {
    let mut zeros_first = vec![0; 4096];
    zeros_first[3000] = 1;
    let mut one_zero_first = vec![0; 512];
    one_zero_first.extend([b'x'; 512]);
    for content in [
        &b"{}"[..],
        &[0; 100],
        &[b'x'; 511],
        &[b'x'; 4096],
        &zeros_first,
        &one_zero_first,
    ] {
        let error = error(content);
        assert_eq!(error.kind(), ErrorKind::InvalidArchive);
        assert_eq!(error.message(), "not a tar archive");
    }
}

#[test]
fn truncation_says_by_how_much() {
    let archive = [raw(b"a", b'0', 0).to_vec(), raw(b"b", b'0', 1000).to_vec()].concat();
    let cut = [&archive[..], &[7; 300]].concat();
    let error = error(&cut);
    assert_eq!(
        error.to_string(),
        "member `b`: truncated: member says 1000 bytes, the archive ends 300 bytes later \
         (at byte 512)"
    );
}

#[test]
fn every_cut_is_an_error_or_loses_no_data() {
    let archive = good();
    for length in 1..archive.len() {
        match both(&archive[..length]) {
            Ok((found, end)) => {
                let whole = found
                    .iter()
                    .all(|(entry, data)| entry.size == data.len() as u64);
                assert!(whole && !end.end_marker);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArchive),
        }
    }
}

#[test]
fn the_skipped_member_of_a_stream_is_checked_too() {
    let archive = good();
    let mut stream = TarStream::new(&archive[..600]);
    assert!(stream.next().expect("a header").is_some());
    let error = stream.next().expect_err("truncated");
    assert_eq!(error.get_member(), Some("a"));
}

#[test]
fn wrong_checksums() {
    let mut archive = good();
    archive[512 + 1024 + 3] ^= 1;
    let error = error(&archive);
    assert_eq!(error.kind(), ErrorKind::InvalidArchive);
    assert_eq!(error.get_offset(), Some(1536));
}

#[test]
fn names_that_are_not_utf8() {
    assert_eq!(error(b"\xff").kind(), ErrorKind::InvalidArchive);
    let error = error(&raw(b"a\xff", b'0', 0));
    assert_eq!(error.message(), "a name that is not UTF-8");
    // The short form of a long name may end within a character.
    let records = record("path", "é".as_bytes());
    let archive = [extended(b'x', &records), raw(b"\xc3", b'0', 0).to_vec()].concat();
    assert_eq!(only(&archive).name, "é");
}

#[test]
fn malformed_extended_headers() {
    let member = raw(b"a", b'0', 0);
    for records in [
        &b"12 path=a"[..],
        b"9 path=a\n9",
        b"999 path=a\n",
        b"0 path=a\n",
        b"-9 path=a\n",
        b"99999999999999999999999 path=a\n",
        b"7 path\n",
        b"5 =a\n",
        b"\0\0\0\0",
        b"11 path=a\0b\n",
        b"10 size=-1\n",
        b"28 size=9223372036854775808\n",
    ] {
        let archive = [extended(b'x', records), member.to_vec()].concat();
        let error = error(&archive);
        assert_eq!(error.kind(), ErrorKind::InvalidArchive, "{records:?}");
        assert_eq!(error.get_offset(), Some(0));
    }
}

#[test]
fn extended_headers_need_one_member_each() {
    let long = extended(b'L', b"name\0");
    for tail in [&[][..], &END, &long] {
        let archive = [&long[..], tail].concat();
        assert_eq!(error(&archive).kind(), ErrorKind::InvalidArchive);
    }
}

#[test]
fn limits_hold_before_anything_is_allocated() {
    for (flag, size) in [
        (b'L', limits::MAX_NAME + 2),
        (b'K', 1 << 32),
        (b'x', limits::MAX_PAX + 1),
        (b'g', (1 << 33) - 1),
    ] {
        assert_eq!(
            error(&raw(b"", flag, size)).kind(),
            ErrorKind::LimitExceeded
        );
    }
    let path = record("path", &vec![b'a'; limits::MAX_NAME as usize + 1]);
    let archive = [extended(b'x', &path), raw(b"a", b'0', 0).to_vec()].concat();
    assert_eq!(error(&archive).kind(), ErrorKind::LimitExceeded);
}

#[test]
fn what_the_visitor_says_ends_the_scan() {
    let archive = good();
    let mut count = 0;
    let stopped = scan(&&archive[..], &mut |_| {
        count += 1;
        Err(Error::cancelled())
    });
    assert_eq!(stopped.expect_err("stopped").kind(), ErrorKind::Cancelled);
    assert_eq!(count, 1);
}

#[test]
fn a_readers_error_comes_back_as_itself() {
    struct Failing;
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other(Error::new(
                ErrorKind::LimitExceeded,
                "a bomb",
            )))
        }
    }
    let error = TarStream::new(Failing).next().expect_err("fails");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}

proptest! {
    /// Neither way panics, and both agree, whatever is damaged.
    #[test]
    fn damage_does_no_harm(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut archive = good();
        for (at, byte) in edits {
            let at = at.index(archive.len());
            archive[at] = byte;
        }
        let _ = scanned(&archive).map_err(|error| error.to_string());
        let _ = streamed(&archive).map_err(|error| error.to_string());
    }

    /// The same behind a checksum that is right.
    #[test]
    fn strange_headers_do_no_harm(mut block in prop::collection::vec(any::<u8>(), 512), rest in prop::collection::vec(any::<u8>(), 0..2000), flag in prop::sample::select(&b"\x000123567LKxgS"[..])) {
        let block: &mut [u8; 512] = block.as_mut_slice().try_into().expect("512");
        block[156] = flag;
        block[124..135].copy_from_slice(b"00000000777");
        seal(block);
        let archive = [&block[..], &rest].concat();
        let _ = scanned(&archive).map_err(|error| error.to_string());
        let _ = streamed(&archive).map_err(|error| error.to_string());
    }
}
