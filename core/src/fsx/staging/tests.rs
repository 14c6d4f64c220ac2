use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::fsx::testing::{scene, stage};

struct Scene {
    dir: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        Self { dir }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What a killed run leaves.
    fn abandon(&self, name: &str) {
        std::fs::create_dir_all(self.at(name).join("blobs/sha256")).expect("created");
        for file in ["lock", "half", "blobs/sha256/abc"] {
            std::fs::write(self.at(name).join(file), b"old").expect("written");
        }
    }

    fn count(&self) -> usize {
        std::fs::read_dir(self.dir.path())
            .expect("a folder")
            .count()
    }
}

#[test]
fn it_stands_beside_the_destination_and_goes_with_the_run() {
    let scene = Scene::new();
    let staging = Staging::beside(&scene.at("out.tar")).expect("free");
    assert_eq!(staging.path(), scene.at(".out.tar.fusion-partial"));
    let mode = std::fs::metadata(staging.path())
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o700);
    let blobs = staging.subdir("blobs").expect("created");
    assert_eq!(staging.subdir("blobs").expect("found"), blobs);
    std::fs::write(blobs.join("a"), b"a").expect("written");
    std::fs::write(staging.file("b"), b"b").expect("written");
    drop(staging);
    assert_eq!(scene.count(), 0);
}

#[test]
fn the_second_run_is_told_that_there_is_a_first() {
    let scene = Scene::new();
    let dest = scene.at("out.tar");
    let first = Staging::beside(&dest).expect("free");
    std::fs::write(first.file("half"), b"mine").expect("written");
    let error = Staging::beside(&dest).expect_err("taken");
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(error.get_path(), Some(dest.as_path()));
    assert_eq!(
        Staging::clean(&dest).expect("nothing to do"),
        [] as [PathBuf; 0]
    );
    assert_eq!(
        std::fs::read(first.file("half")).expect("untouched"),
        b"mine"
    );
    Staging::beside(&scene.at("other.tar")).expect("another destination is free");
    drop(first);
    Staging::beside(&dest).expect("free again");
}

#[test]
fn a_lock_on_a_file_that_was_replaced_is_none() {
    let scene = Scene::new();
    let path = scene.at("lock");
    let opened = OwnedFd::from(File::create(&path).expect("created"));
    assert!(stands_at(&path, &opened).expect("can be asked"));
    std::fs::remove_file(&path).expect("removed");
    assert!(!stands_at(&path, &opened).expect("can be asked"));
    File::create(&path).expect("created");
    assert!(!stands_at(&path, &opened).expect("can be asked"));
}

#[test]
fn what_a_killed_run_left_is_taken_over_with_nothing_but_its_blobs() {
    let scene = Scene::new();
    scene.abandon(".out.tar.fusion-partial");
    std::fs::write(scene.at("kept"), b"kept").expect("written");
    std::os::unix::fs::symlink(scene.at("kept"), scene.at(".out.tar.fusion-partial/link"))
        .expect("linked");
    let staging = Staging::beside(&scene.at("out.tar")).expect("stale");
    let left = tree::read_dir_sorted(staging.path()).expect("a folder");
    assert_eq!(left, [staging.file("blobs"), staging.file(LOCK)]);
    assert!(staging.file("blobs/sha256/abc").exists());
    assert!(scene.at("kept").exists());
}

#[test]
fn a_run_that_keeps_its_place_leaves_it_to_the_next() {
    let scene = Scene::new();
    let dest = scene.at("out.tar");
    let staging = Staging::beside(&dest).expect("free");
    std::fs::create_dir_all(staging.file("spool/sha256")).expect("created");
    std::fs::write(staging.file("spool/sha256/abc"), b"spooled").expect("written");
    staging.keep();
    let spooled = staging.file("spool/sha256/abc");
    drop(staging);
    assert!(spooled.exists());
    drop(Staging::beside(&dest).expect("taken over"));
    assert_eq!(scene.count(), 0);
}

#[test]
fn a_run_killed_with_the_lock_in_hand_holds_nobody_up() {
    if let Some(dest) = scene() {
        let staging = Staging::beside(Path::new(&dest)).expect("free");
        std::fs::write(staging.file("half"), b"half").expect("written");
        std::process::abort();
    }
    let scene = Scene::new();
    let dest = scene.at("out.tar");
    let test = "fsx::staging::tests::a_run_killed_with_the_lock_in_hand_holds_nobody_up";
    let play = stage(test, &dest.to_string_lossy(), scene.dir.path()).output();
    let status = play.expect("runs").status;
    assert!(!status.success());
    assert!(scene.at(".out.tar.fusion-partial/half").exists());
    let staging = Staging::beside(&dest).expect("stale");
    assert!(!staging.file("half").exists());
}

#[test]
fn clean_removes_both_kinds_and_tells() {
    let scene = Scene::new();
    scene.abandon(".out.fusion-partial");
    scene.abandon("out/.fusion-partial");
    let removed = Staging::clean(&scene.at("out")).expect("cleaned");
    assert_eq!(
        removed,
        [
            scene.at(".out.fusion-partial"),
            scene.at("out/.fusion-partial")
        ]
    );
    assert_eq!(scene.count(), 1);
    assert_eq!(Staging::clean(&scene.at("out")).expect("clean").len(), 0);
    std::fs::write(scene.at("out.tar"), b"a file").expect("written");
    assert_eq!(
        Staging::clean(&scene.at("out.tar")).expect("clean").len(),
        0
    );
}

#[test]
fn inside_a_layout_and_in_a_work_folder() {
    let scene = Scene::new();
    std::fs::create_dir_all(scene.at("a/layout")).expect("created");
    let inside = Staging::inside(&scene.at("a/layout")).expect("free");
    assert_eq!(inside.path(), scene.at("a/layout/.fusion-partial"));

    let dest = scene.at("a/out.tar");
    let first = Staging::in_work_dir(scene.dir.path(), &dest).expect("free");
    assert_eq!(first.path().parent(), Some(scene.dir.path()));
    let spelled = scene.at("a/layout/../../a/out.tar");
    let again = Staging::in_work_dir(scene.dir.path(), &spelled).expect_err("the same");
    assert_eq!(again.kind(), ErrorKind::Busy);
    Staging::in_work_dir(scene.dir.path(), &scene.at("out.tar")).expect("another");
}

#[test]
fn names_are_hidden_and_never_too_long() {
    let named = |dest: &str| name::beside(Path::new(dest));
    assert_eq!(
        named("out.tar").expect("a name"),
        Path::new("./.out.tar.fusion-partial")
    );
    assert_eq!(
        named("a/b/").expect("a name"),
        Path::new("a/.b.fusion-partial")
    );
    let long = named(&"x".repeat(255)).expect("a name");
    assert!(long.as_os_str().len() < 100);
    assert_ne!(long, named(&"x".repeat(254)).expect("a name"));
    for nameless in ["/", "..", "a/.."] {
        assert_eq!(
            named(nameless).expect_err("no name").kind(),
            ErrorKind::Usage
        );
    }
}

#[test]
fn a_missing_folder_is_named() {
    let scene = Scene::new();
    let error = Staging::beside(&scene.at("none/out.tar")).expect_err("no folder");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.get_path(), Some(scene.at("none").as_path()));
    assert!(error.get_hint().is_some_and(|hint| hint.contains("mkdir")));
}

#[test]
fn what_others_planted_is_refused() {
    let scene = Scene::new();
    std::fs::create_dir(scene.at("precious")).expect("created");
    std::fs::write(scene.at("precious/file"), b"kept").expect("written");
    let path = scene.at(".out.tar.fusion-partial");
    for target in ["precious", "nowhere"] {
        std::os::unix::fs::symlink(scene.at(target), &path).expect("linked");
        let error = Staging::beside(&scene.at("out.tar")).expect_err("a link");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert_eq!(error.get_path(), Some(path.as_path()));
        assert_eq!(Staging::clean(&scene.at("out.tar")).expect("left").len(), 0);
        std::fs::remove_file(&path).expect("removed");
    }
    assert!(scene.at("precious/file").exists());

    std::fs::create_dir(&path).expect("created");
    std::os::unix::fs::symlink(scene.at("precious/file"), path.join("lock")).expect("linked");
    Staging::beside(&scene.at("out.tar")).expect_err("a link for a lock");
    std::fs::remove_file(path.join("lock")).expect("removed");

    // Tests run as root, who may give things away.
    std::os::unix::fs::chown(&path, Some(12345), None).expect("run as root");
    let error = Staging::beside(&scene.at("out.tar")).expect_err("theirs");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[test]
fn runs_that_come_and_go_never_hold_it_together() {
    let scene = Scene::new();
    let dest = scene.at("out.tar");
    let (inside, held) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..300 {
                    match Staging::beside(&dest) {
                        Ok(staging) => {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            held.fetch_add(1, Ordering::SeqCst);
                            std::fs::File::create_new(staging.file("mine")).expect("empty");
                            assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                        }
                        Err(error) => assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}"),
                    }
                }
            });
        }
    });
    assert!(held.into_inner() > 0);
    assert_eq!(scene.count(), 0);
}
