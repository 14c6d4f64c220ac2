use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::*;
use crate::fsx::testing::{Tiny, scene, stage};

fn mode_of(path: &Path) -> u32 {
    let metadata = std::fs::metadata(path).expect("a file");
    metadata.permissions().mode() & 0o7777
}

#[test]
fn modes_honour_the_umask() {
    // The umask belongs to the whole process, so each is tried in one of its own.
    if let Some(expected) = scene() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let target = dir.path().join("written");
        replace_file(dir.path(), &target, b"text", false).expect("written");
        assert_eq!(format!("{:o}", mode_of(&target)), expected);
        let other = dir.path().join("created");
        create_file(&other, 0o644).expect("created");
        assert_eq!(format!("{:o}", mode_of(&other)), expected);
        return;
    }
    for (umask, expected) in [
        ("022", "644"),
        ("027", "640"),
        ("000", "644"),
        ("077", "600"),
    ] {
        let name = "fsx::publish::tests::modes_honour_the_umask";
        let test = stage(name, expected, &std::env::temp_dir());
        let outcome = Command::new("sh")
            .args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"])
            .arg(test.get_program())
            .args(test.get_args())
            .envs(
                test.get_envs()
                    .filter_map(|(key, value)| Some((key, value?))),
            )
            .output()
            .expect("a shell");
        let told = String::from_utf8_lossy(&outcome.stdout);
        assert!(outcome.status.success(), "umask {umask}: {told}");
        assert!(told.contains("1 passed"), "{told}");
    }
}

#[test]
fn a_file_is_created_once() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("a");
    write_new(&path, b"first", true).expect("written");
    assert!(write_new(&path, b"second", false).is_err());
    assert_eq!(std::fs::read(&path).expect("a file"), b"first");
}

#[test]
fn a_rename_that_must_not_replace_does_not() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| dir.path().join(name);
    for rename_it in [rename_noreplace, rename_where_free] {
        for taken in ["file", "dir", "link"] {
            std::fs::write(at("from"), b"new").expect("written");
            match taken {
                "file" => std::fs::write(at("to"), b"old").expect("written"),
                "dir" => std::fs::create_dir(at("to")).expect("created"),
                _ => std::os::unix::fs::symlink("nowhere", at("to")).expect("linked"),
            }
            let error = rename_it(&at("from"), &at("to")).expect_err("taken");
            assert_eq!(error.kind(), ErrorKind::DestinationExists);
            assert_eq!(error.get_path(), Some(at("to").as_path()));
            assert!(at("from").exists());
            if taken == "dir" {
                std::fs::remove_dir(at("to")).expect("removed");
            } else {
                std::fs::remove_file(at("to")).expect("removed");
            }
        }
        rename_it(&at("from"), &at("to")).expect("renamed");
        assert_eq!(std::fs::read(at("to")).expect("a file"), b"new");
        assert!(!at("from").exists());
        std::fs::remove_file(at("to")).expect("removed");

        std::fs::create_dir(at("tree")).expect("created");
        rename_it(&at("tree"), &at("to")).expect("renamed");
        assert!(at("to").is_dir());
        std::fs::remove_dir(at("to")).expect("removed");
        let error = rename_it(&at("none"), &at("to")).expect_err("nothing to rename");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

#[test]
fn replacing_leaves_the_old_or_the_new_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let staging = dir.path().join("staging");
    std::fs::create_dir(&staging).expect("created");
    let target = dir.path().join("index.json");
    for (text, durable) in [("one", true), ("two", false)] {
        replace_file(&staging, &target, text.as_bytes(), durable).expect("replaced");
        assert_eq!(std::fs::read_to_string(&target).expect("a file"), text);
    }
    let impossible = dir.path().join("none/index.json");
    let error = replace_file(&staging, &impossible, b"three", true).expect_err("no folder");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(std::fs::read_dir(&staging).expect("a folder").count(), 0);
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    let tiny = Tiny::mount();
    let target = tiny.path().join("index.json");
    replace_file(tiny.path(), &target, b"old", true).expect("replaced");
    let error = replace_file(tiny.path(), &target, &vec![1; 2 << 20], true).expect_err("full");
    assert_eq!(error.kind(), ErrorKind::NoSpace);
    assert_eq!(std::fs::read(&target).expect("a file"), b"old");
    assert_eq!(std::fs::read_dir(tiny.path()).expect("a folder").count(), 1);
}

#[test]
fn flushing_works_on_files_and_folders() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("a");
    let file = create_file(&path, 0o644).expect("created");
    super::super::pwrite_all(&file, 0, &[1; 10_000], &path).expect("written");
    start_writeback(&file, 0, 10_000);
    start_writeback(&file, u64::MAX, u64::MAX);
    sync_file(&file, &path).expect("flushed");
    sync_dir(dir.path()).expect("flushed");
    sync_dir(Path::new("")).expect("flushed");
    assert!(sync_dir(&dir.path().join("none")).is_err());
}
