use std::time::{Duration, Instant};

use super::*;
use crate::fsx::testing::Tiny;
use crate::fsx::write_new;

/// How long a busy machine may take to start a program.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn sizes_read_well() {
    for (bytes, text) in [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB (1000 bytes)"),
        (999_949, "999.9 kB (999949 bytes)"),
        (999_950, "1.0 MB (999950 bytes)"),
        (12_345_678_901, "12.3 GB (12345678901 bytes)"),
        (u64::MAX, "18.4 EB (18446744073709551615 bytes)"),
    ] {
        assert_eq!(human_bytes(bytes), text);
    }
}

/// Waits until all of a small file system is free. What was removed takes room as long as somebody
/// has it open, and for a moment a program that another test starts has everything open.
fn settle(tiny: &Tiny) {
    let begun = Instant::now();
    while free_bytes(tiny.path()).expect("known") != 1 << 20 {
        assert!(begun.elapsed() < PATIENCE, "not all of it gets free again");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn too_little_room_is_told_in_numbers() {
    let tiny = Tiny::mount();
    let dest = tiny.path().join("not/yet/there");
    settle(&tiny);
    assert_eq!(free_bytes(&dest).expect("known"), 1 << 20);
    ensure_free(&dest, 1 << 20).expect("just enough");
    let error = ensure_free(&dest, 2_000_000).expect_err("too much");
    assert_eq!(error.kind(), ErrorKind::NoSpace);
    let expected = format!(
        "2.0 MB (2000000 bytes) are needed in `{}`, 1.0 MB (1048576 bytes) are free",
        tiny.path().display()
    );
    assert_eq!(error.to_string(), expected);
    assert!(error.get_hint().is_some());
}

#[test]
fn an_error_of_a_full_disk_learns_what_was_needed() {
    let tiny = Tiny::mount();
    let path = tiny.path().join("a");
    let error = write_new(&path, &vec![1; 2 << 20], false).expect_err("full");
    settle(&tiny);
    let error = enrich_no_space(error, &path, 2 << 20);
    assert_eq!(error.kind(), ErrorKind::NoSpace);
    assert_eq!(error.get_path(), Some(path.as_path()));
    let hint = error.get_hint().expect("a hint");
    assert!(hint.contains("2.1 MB (2097152 bytes) are needed"), "{hint}");
    assert!(hint.contains("1.0 MB (1048576 bytes) are free"), "{hint}");
    let other = enrich_no_space(Error::cancelled(), &path, 1);
    assert!(other.get_hint().is_none());
}

#[test]
fn file_systems_are_told_apart() {
    let tiny = Tiny::mount();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let below = dir.path().join("a/b");
    assert!(same_filesystem(dir.path(), &below).expect("known"));
    assert!(!same_filesystem(tiny.path(), &below).expect("known"));
    assert!(same_filesystem(Path::new("x"), Path::new("y")).expect("known"));
}
