//! Runs that are interrupted: nothing of them stays.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::support::{Layout, Ran, Running, Scene};
use super::{fuse, pair};

/// A run that takes long: it compresses 6 MB as hard as it can.
fn long(scene: &Scene, sources: &[PathBuf], destination: &str) -> Running {
    let more = [
        "-o",
        destination,
        "--compression",
        "zstd:22",
        "--log-file",
        "log",
    ];
    let run = fuse(scene, sources, &more)
        .arg("--json")
        .arg("--jobs")
        .arg("1")
        .start();
    let log = scene.path().join("log");
    run.wait_until("it has opened its sources", || {
        opened(&log) >= sources.len()
    });
    run
}

/// How many sources a log says were opened.
fn opened(log: &Path) -> usize {
    let log = fs::read_to_string(log).unwrap_or_default();
    log.lines().filter(|line| line.ends_with(" images")).count()
}

fn interrupted(scene: &Scene, ran: Ran) {
    let ran = ran.ends(130);
    let report = ran.json();
    assert_eq!(report["status"], "cancelled", "{ran}");
    assert_eq!(report["error"]["kind"], "cancelled", "{ran}");
    let left = scene.published();
    assert!(left.is_empty(), "left behind {:?}: {ran}", left.keys());
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    for signal in ["INT", "TERM"] {
        for destination in ["out/images.tar", "out/images.tar.zst", "out/layout/"] {
            let scene = Scene::new();
            let sources = pair(&scene);
            let run = long(&scene, &sources, destination);
            run.signal(signal);
            interrupted(&scene, run.finish());
        }
    }
}

#[test]
fn an_interrupted_merge_leaves_what_was_there() {
    for destination in ["out/images.tar", "out/layout/"] {
        let scene = Scene::new();
        let sources = pair(&scene);
        fuse(&scene, &sources[..1], &["-o", destination])
            .run()
            .ends(0);
        let before = scene.published();
        let more = [
            "-o",
            destination,
            "--on-existing",
            "merge",
            "--compression",
            "zstd:22",
        ];
        let run = fuse(&scene, &sources[1..], &more)
            .arg("--log-file")
            .arg("log")
            .start();
        let log = scene.path().join("log");
        run.wait_until("it has opened its sources", || opened(&log) >= 2);
        run.signal("INT");
        run.finish().ends(130);
        assert!(scene.published() == before, "{destination} changed");
        // The same again, without being interrupted.
        fuse(&scene, &sources[1..], &more[..4]).run().ends(0);
        let layout = Layout::sound(&scene.path().join(destination));
        assert_eq!(layout.platforms("docker.io/library/web:1").len(), 2);
    }
}

#[test]
fn a_run_that_waits_for_a_pipe_can_be_interrupted() {
    for rest in ["-", "in/pipe"] {
        let scene = Scene::new();
        let made = Command::new("mkfifo")
            .arg(scene.source("pipe"))
            .status()
            .unwrap();
        assert!(made.success());
        // Somebody holds the pipe open, and writes nothing.
        let pipe = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(scene.source("pipe"))
            .unwrap();
        let run = fuse(
            &scene,
            &[PathBuf::from(rest)],
            &["-o", "out/images.tar", "--json"],
        )
        .with(|command| {
            command.stdin(Stdio::piped());
        })
        .start();
        let spool = scene.out(".images.tar.fusion-partial/spool/sha256");
        run.wait_until("it works", || spool.is_dir());
        run.signal("INT");
        let ran = run.finish_while_fed();
        drop(pipe);
        interrupted(&scene, ran);
    }
}

#[test]
fn what_an_abandoned_run_left_is_removed_on_request_and_by_the_next_run() {
    let scene = Scene::new();
    let sources = pair(&scene);
    for clean in [true, false] {
        let run = long(&scene, &sources, "out/images.tar");
        run.signal("KILL");
        assert_eq!(run.finish().status, None);
        assert!(scene.out(".images.tar.fusion-partial").exists());
        let more = [
            "-o",
            "out/images.tar",
            "--on-existing",
            "replace",
            "--clean",
        ];
        let more = if clean { &more[..] } else { &more[..4] };
        fuse(&scene, &sources, more).run().ends(0);
        let left: Vec<_> = scene.published().into_keys().collect();
        assert_eq!(left, ["images.tar"]);
        fs::remove_file(scene.path().join("log")).unwrap();
        fs::remove_file(scene.out("images.tar")).unwrap();
    }
}
