use super::*;
use crate::error::ErrorKind;
use crate::fsx::create_file;
use crate::fsx::testing::{Tiny, file_of};

const LEN: usize = (1 << 20) - 4096;

#[test]
fn a_range_is_copied_inside_the_kernel_and_by_hand_and_across_file_systems() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (from, bytes) = file_of(dir.path(), "from", LEN + 3000);
    let source = File::open(&from).expect("a file");
    let tiny = Tiny::mount();
    let targets = [dir.path().join("to"), tiny.path().join("to")];
    for to in &targets {
        let target = create_file(to, 0o600).expect("a new file");
        for copy in [copy_range, copy_by_hand] {
            let place = Place::new(&source, &from, 1000);
            copy(place, Place::new(&target, to, 77), (LEN - 77) as u64).expect("copied");
            let copied = std::fs::read(to).expect("a file");
            assert!(copied[..77].iter().all(|byte| *byte == 0));
            assert!(copied[77..] == bytes[1000..LEN - 77 + 1000]);
            target.set_len(0).expect("can be emptied");
        }
    }
}

#[test]
fn a_source_that_ends_early_shrank() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (from, _) = file_of(dir.path(), "from", 5000);
    let source = File::open(&from).expect("a file");
    let to = dir.path().join("to");
    let target = create_file(&to, 0o600).expect("a new file");
    let error = copy_range(
        Place::new(&source, &from, 0),
        Place::new(&target, &to, 0),
        5001,
    )
    .expect_err("too much");
    assert_eq!(error.kind(), ErrorKind::InputChanged);
    assert_eq!(error.get_path(), Some(from.as_path()));

    let error = pread_exact(&source, 4000, &mut [0; 1001], &from).expect_err("too much");
    assert_eq!(error.kind(), ErrorKind::InputChanged);
    assert_eq!(error.get_offset(), Some(4000));
}

#[test]
fn what_does_not_fit_is_an_error_that_names_the_target() {
    let tiny = Tiny::mount();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (from, bytes) = file_of(dir.path(), "from", 2 << 20);
    let source = File::open(&from).expect("a file");
    let to = tiny.path().join("to");
    let target = create_file(&to, 0o600).expect("a new file");
    let copied = copy_range(
        Place::new(&source, &from, 0),
        Place::new(&target, &to, 0),
        2 << 20,
    );
    for outcome in [copied, pwrite_all(&target, 0, &bytes, &to)] {
        let error = outcome.expect_err("too much");
        assert_eq!(error.kind(), ErrorKind::NoSpace);
        assert_eq!(error.get_path(), Some(to.as_path()));
        assert_eq!(error.errno(), Some(libc::ENOSPC));
    }
}

#[test]
fn writes_go_where_they_are_told() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("a");
    let file = create_file(&path, 0o600).expect("a new file");
    pwrite_all(&file, 3, b"def", &path).expect("written");
    pwrite_all(&file, 0, b"abc", &path).expect("written");
    let mut read = [0; 4];
    pread_exact(&file, 1, &mut read, &path).expect("read");
    assert_eq!(&read, b"bcde");
}
