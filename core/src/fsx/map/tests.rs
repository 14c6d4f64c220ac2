use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::fsx::testing::file_of;

const LEN: usize = 4 << 20;

fn cut(path: &Path, len: u64) {
    let file = File::options().write(true).open(path).expect("a file");
    file.set_len(len).expect("can be cut");
}

fn kind_of(outcome: Result<()>) -> ErrorKind {
    outcome.expect_err("must fail").kind()
}

#[test]
fn mapped_and_unmapped_give_the_same_bytes() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (path, bytes) = file_of(dir.path(), "a", 100_001);
    for file in [Mapped::open(&path), Mapped::open_unmapped(&path)] {
        let file = file.expect("a file");
        assert_eq!((file.len(), file.path()), (100_001, path.as_path()));
        file.prefetch(0..u64::MAX);
        for range in [0..100_001, 4095..4097, 99_999..100_001, 7..7] {
            let mut buffer = vec![0; range.len()];
            file.read_at(range.start as u64, &mut buffer)
                .expect("there");
            assert_eq!(buffer, bytes[range]);
            file.release(0..50_000);
        }
        for (offset, len) in [(100_001, 1), (100_000, 2), (u64::MAX, 1)] {
            let outcome = file.read_at(offset, &mut vec![0; len]);
            assert_eq!(kind_of(outcome), ErrorKind::InvalidArchive);
        }
        assert!(!file.changed().expect("can be asked"));
    }
    assert!(Mapped::open(&path).expect("a file").is_mapped());
    assert!(!Mapped::open_unmapped(&path).expect("a file").is_mapped());
}

#[test]
fn an_empty_file_is_fine_and_anything_but_a_file_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (path, _) = file_of(dir.path(), "empty", 0);
    let empty = Mapped::open(&path).expect("a file");
    empty.read_at(0, &mut []).expect("nothing is there");
    empty.prefetch(0..1);
    empty.release(0..1);

    let pipe = dir.path().join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .expect("runs")
            .success()
    );
    for (path, what) in [
        (dir.path(), "a directory"),
        (pipe.as_path(), "a pipe"),
        (Path::new("/dev/null"), "a device"),
    ] {
        let error = Mapped::open(path).expect_err("not a file");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(what), "{error}");
    }
    let missing = Mapped::open(dir.path().join("none")).expect_err("nothing is there");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(missing.get_path(), Some(dir.path().join("none").as_path()));
}

#[test]
fn a_file_cut_while_threads_read_it_is_an_error_in_each_of_them() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (path, bytes) = file_of(dir.path(), "a", LEN);
    let file = Mapped::open(&path).expect("a file");
    assert!(file.is_mapped());
    let read = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut buffer = vec![0; LEN];
                    loop {
                        if let Err(error) = file.read_at(0, &mut buffer) {
                            return error;
                        }
                        assert!(
                            buffer == bytes,
                            "what is not an error is what the file held"
                        );
                        read.store(true, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        while !read.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        cut(&path, 8192);
        for reader in readers {
            let error = reader.join().expect("no panic");
            assert_eq!(error.kind(), ErrorKind::InputChanged);
            assert_eq!(error.get_path(), Some(path.as_path()));
            assert_eq!(error.get_offset(), Some(0));
            assert_eq!(error.message(), "the file shrank while it was read");
        }
    });
    // Poisoned as a whole, even where bytes are left.
    assert_eq!(
        kind_of(file.read_at(0, &mut [0; 16])),
        ErrorKind::InputChanged
    );
    assert!(file.changed().expect("can be asked"));
}

#[test]
fn maps_that_come_and_go_keep_their_poison_apart() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let dir = dir.path();
            scope.spawn(move || {
                for round in 0..300 {
                    let (path, bytes) = file_of(dir, &format!("{thread}"), 1 << 16);
                    let file = Mapped::open(&path).expect("a file");
                    let lost = (thread + round) % 2 == 0;
                    if lost {
                        cut(&path, 1 << 14);
                    }
                    let mut buffer = vec![0; 1 << 16];
                    match file.read_at(0, &mut buffer) {
                        Ok(()) => assert!(!lost && buffer == bytes),
                        Err(error) => {
                            assert!(lost, "{error}");
                            assert_eq!(error.kind(), ErrorKind::InputChanged);
                        }
                    }
                }
            });
        }
    });
}

#[test]
fn a_file_cut_within_its_last_page_is_an_error_though_nothing_faults() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (path, _) = file_of(dir.path(), "a", 10_000);
    for file in [Mapped::open(&path), Mapped::open_unmapped(&path)] {
        let file = file.expect("a file");
        cut(&path, 9_990);
        file.read_at(0, &mut [0; 9_990]).expect("still there");
        let outcome = file.read_at(9_000, &mut [0; 1000]);
        assert_eq!(kind_of(outcome), ErrorKind::InputChanged);
        cut(&path, 10_000);
    }
}

#[test]
fn a_file_rewritten_at_the_same_size_has_changed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (path, _) = file_of(dir.path(), "a", 10_000);
    let file = Mapped::open(&path).expect("a file");
    std::thread::sleep(std::time::Duration::from_millis(20));
    cut(&path, 0);
    cut(&path, 10_000);
    assert!(file.changed().expect("can be asked"));
}

#[test]
fn threads_may_share_it() {
    fn shared<T: Send + Sync>() {}
    shared::<Mapped>();
}
