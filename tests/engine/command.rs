//! The command: exit statuses, documents, progress, logs, pipes.

mod interrupted;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use fusion_fixtures::{Flavour, LayerForm, Options, Platform, hostile, synthetic};
use serde_json::Value;

use super::support::{FUSION, Scene, fusion, text};

/// Two archives of 6 MB together, whose layers are raw.
fn pair(scene: &Scene) -> [PathBuf; 2] {
    let (amd64, arm64) =
        synthetic::pair(&["web:1", "db:1"], 1, &[1_000_000, 2_000_000], 1).unwrap();
    [("amd64.tar", amd64), ("arm64.tar", arm64)].map(|(name, images)| {
        scene
            .write(name, Flavour::Skopeo, &images, &Options::default())
            .path
    })
}

fn fuse(scene: &Scene, sources: &[PathBuf], more: &[&str]) -> super::support::Run {
    fusion(["fuse"]).with(|command| {
        command.current_dir(scene.path()).args(sources).args(more);
    })
}

/// A source with one damaged and one sound image.
fn half_damaged(scene: &Scene) -> PathBuf {
    let image =
        |name, seed| synthetic::image(Some(name), &Platform::amd64(), seed, &[3000], 0).unwrap();
    let images = [image("bad:1", 1), image("good:1", 2)];
    let written = scene.write("half.oci", Flavour::OciLayout, &images, &Options::default());
    let layer = written.images[0].layers[0].digest.hex();
    fs::write(written.path.join("blobs/sha256").join(layer), vec![0; 3000]).unwrap();
    written.path
}

#[test]
fn every_exit_status_is_the_documented_one() {
    let scene = Scene::new();
    let sources = pair(&scene);
    let damaged =
        (hostile::case("flipped-layer-oci").unwrap().build)(&scene.path().join("in")).unwrap();
    let damaged = damaged.to_str().unwrap();
    let half = half_damaged(&scene);
    let half = half.to_str().unwrap();
    let rows: &[(i32, &[&str])] = &[
        (0, &["-o", "out/images.tar"]),
        (0, &["--dry-run"]),
        (2, &[]),
        (2, &["-o", "out/x.tar", "--on-existing", "sometimes"]),
        (2, &["-o", "out/x.tar", "--platform", "what/is/this/here"]),
        (2, &["-o", "out/x.tar", "--image", "nothing"]),
        (2, &["-o", "docker-archive:out/x.tar:name"]),
        (3, &["-o", "out/images.tar"]),
        (3, &["-o", "out/x.tar", "--require-platform", "linux/s390x"]),
        (4, &[damaged, "-o", "out/x.tar", "--on-conflict", "last"]),
        (5, &["in/absent.tar", "-o", "out/x.tar"]),
        (5, &["-o", "out/absent/x.tar"]),
        (7, &[half, "-o", "out/y.tar", "--keep-going"]),
    ];
    for (status, args) in rows {
        let ran = fuse(&scene, &sources, args).run();
        assert_eq!(ran.status, Some(*status), "{ran}");
        // Errors are for people here: one line that begins with `error:`.
        if ![0, 7].contains(status) {
            assert!(
                ran.stdout.is_empty() && ran.stderr.starts_with("error: "),
                "{ran}"
            );
        }
    }
    fusion(["inspect"]).arg(&sources[0]).run().ends(0);
    fusion(["inspect", "absent.tar"]).run().ends(5);
    fusion(["inspect"])
        .arg(&sources[0])
        .arg("absent:1")
        .run()
        .ends(2);
    fusion(["verify"])
        .arg(&sources[0])
        .arg(&sources[1])
        .run()
        .ends(0);
    fusion(["verify", damaged]).run().ends(4);
    fusion(["verify", "absent.tar"]).run().ends(5);
    fusion(["frobnicate"]).run().ends(2);
    fusion([] as [&str; 0]).run().ends(2);
    fusion(["--version"]).run().ends(0);
}

#[test]
fn json_is_one_document_and_nothing_else_also_on_failure() {
    let scene = Scene::new();
    let sources = pair(&scene);
    let source = sources[0].to_str().unwrap();
    let rows: &[(&[&str], &str, i32)] = &[
        (&["fuse", source, "-o", "out/a.tar"], "fusion.report/v1", 0),
        (&["fuse", source, "-o", "out/a.tar"], "fusion.report/v1", 3),
        (&["fuse", source, "--dry-run"], "fusion.report/v1", 0),
        (
            &["fuse", "absent.tar", "-o", "out/b.tar"],
            "fusion.report/v1",
            5,
        ),
        (&["fuse", source], "fusion.report/v1", 2),
        (
            &["fuse", source, "-o", "out/b.tar", "--verify", "maybe"],
            "fusion.report/v1",
            2,
        ),
        (&["fuse", source, "-o", "-"], "fusion.report/v1", 2),
        (&["inspect", source], "fusion.inspect/v1", 0),
        (&["inspect", "absent.tar"], "fusion.inspect/v1", 5),
        (&["inspect"], "fusion.inspect/v1", 2),
        (&["verify", source], "fusion.verify/v1", 0),
        (&["verify", "absent.tar"], "fusion.verify/v1", 5),
    ];
    for (args, schema, status) in rows {
        let run = fusion(*args).arg("--json").with(|command| {
            command.current_dir(scene.path());
        });
        let ran = run.run().ends(*status);
        let document = ran.json();
        assert_eq!(document["schema"], *schema, "{ran}");
        assert_eq!(document["error"].is_null(), *status == 0, "{ran}");
        if *status != 0 {
            for key in ["kind", "message"] {
                assert!(!text(&document["error"][key]).is_empty(), "no {key}: {ran}");
            }
            assert!(ran.stderr.contains("error: "), "{ran}");
        }
        if *schema == "fusion.report/v1" {
            assert_eq!(
                document["status"],
                if *status == 0 { "ok" } else { "failed" },
                "{ran}"
            );
        }
    }
}

#[test]
fn the_report_goes_into_a_file_as_well() {
    let scene = Scene::new();
    let sources = pair(&scene);
    let read = || -> Value {
        serde_json::from_slice(&fs::read(scene.path().join("report.json")).unwrap()).unwrap()
    };
    let more = ["-o", "out/images.tar", "--report", "report.json", "--json"];
    let ran = fuse(&scene, &sources, &more).run().ends(0);
    assert_eq!(ran.json(), read());
    assert_eq!(read()["destination"]["location"], "out/images.tar");
    // Also when the run fails; then it says why.
    fuse(&scene, &sources, &more[..4]).run().ends(3);
    assert_eq!(read()["error"]["kind"], "destination-exists");
    // The report never takes the place of what it reports on.
    for taken in [sources[0].to_str().unwrap(), "out/images.tar"] {
        let before = fs::read(scene.path().join(taken)).unwrap();
        let more = [
            "-o",
            "out/images.tar",
            "--on-existing",
            "replace",
            "--report",
            taken,
        ];
        fuse(&scene, &sources, &more).run().ends(2);
        assert!(
            fs::read(scene.path().join(taken)).unwrap() == before,
            "{taken} was overwritten"
        );
    }
    let more = ["-o", "out/new.tar", "--report", "absent/report.json"];
    fuse(&scene, &sources, &more).run().ends(5);
    assert!(!scene.out("new.tar").exists(), "found out too late");
}

#[test]
fn progress_can_be_read_by_programs() {
    let scene = Scene::new();
    let sources = pair(&scene);
    let more = ["-o", "out/images.tar", "--progress", "json"];
    let ran = fuse(&scene, &sources, &more).run().ends(0);
    let events: Vec<Value> = ran
        .stderr
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut phases: Vec<_> = events.iter().map(|event| text(&event["phase"])).collect();
    phases.dedup();
    assert_eq!(phases, ["read", "write", "publish"], "{ran}");
    for event in &events {
        assert_eq!(event["event"], "progress");
        let [done, total] = ["bytes", "total_bytes"].map(|key| event[key].as_u64().unwrap());
        assert!(total == 0 || done <= total, "{event}");
    }
    let quiet = fuse(
        &scene,
        &sources,
        &["-o", "out/quiet.tar", "--progress", "none", "-q"],
    );
    let ran = quiet.run().ends(0);
    assert_eq!(ran.stderr, "", "{ran}");
}

#[test]
fn completions_and_manual_page_are_not_empty() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = fusion(["completions", shell]).run().ends(0);
        for word in ["fuse", "on-existing", "docker-platform"] {
            assert!(ran.text().contains(word), "{shell}: no {word}");
        }
    }
    let page = fusion(["man"]).run().ends(0).text();
    assert!(page.starts_with(".ie") || page.contains(".TH"), "{page}");
    for word in ["on\\-existing", "FUSION FUSE", "130"] {
        assert!(page.contains(word), "no {word}");
    }
    for verb in ["fuse", "inspect", "verify", "completions", "man"] {
        assert!(
            fusion([verb, "--help"])
                .run()
                .ends(0)
                .text()
                .contains("Usage"),
            "{verb}"
        );
    }
}

#[test]
fn a_log_says_what_was_done() {
    let scene = Scene::new();
    let sources = pair(&scene);
    let more = ["-o", "out/images.tar", "--log-file", "log"];
    let ran = fuse(&scene, &sources, &more).run().ends(0);
    let log = || fs::read_to_string(scene.path().join("log")).unwrap();
    assert!(
        log().contains("amd64.tar") && log().contains("arm64.tar"),
        "{}",
        log()
    );
    assert!(!ran.stderr.contains("DEBUG"), "{ran}");
    // It is appended to, and says why a run failed.
    let before = log();
    fuse(&scene, &sources, &more).run().ends(3);
    let after = log();
    assert!(
        after.starts_with(&before) && after.contains("the destination exists"),
        "{after}"
    );
    let source = sources[0].to_str().unwrap();
    fuse(&scene, &sources, &["-o", "out/b.tar", "--log-file", source])
        .run()
        .ends(2);
}

#[test]
fn one_pipe_leads_in_and_another_out() {
    let scene = Scene::new();
    let sources = pair(&scene);
    let plain = scene.out("plain.tar");
    fuse(&scene, &sources, &["-o", "out/plain.tar"])
        .run()
        .ends(0);
    // From standard input, to standard output: the same bytes as from and to files.
    let piped = fusion(["fuse", "-"])
        .arg(&sources[1])
        .arg("-o")
        .arg("-")
        .input(&sources[0])
        .run()
        .ends(0);
    assert!(
        piped.stdout == fs::read(&plain).unwrap(),
        "{} bytes",
        piped.stdout.len()
    );
    // And on into the next command.
    let mut first = Command::new(FUSION);
    first.arg("fuse").args(&sources).args(["-o", "-"]);
    let mut first = first
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let between = first.stdout.take().unwrap();
    let second = fusion(["inspect", "-", "--json"]).with(|command| {
        command.stdin(between);
    });
    let inspection = second.run().ends(0).json();
    assert!(first.wait().unwrap().success());
    let inspected = inspection["images"].as_array().unwrap();
    assert_eq!(inspected.len(), 2, "{inspection:#}");
    let platforms = inspected[0]["platforms"].as_array().unwrap().iter();
    let platforms: Vec<_> = platforms
        .map(|variant| text(&variant["platform"]))
        .collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
}

#[test]
fn a_damaged_source_sends_no_byte_through_the_pipe() {
    let scene = Scene::new();
    let damaged =
        (hostile::case("flipped-layer-legacy").unwrap().build)(&scene.path().join("in")).unwrap();
    let ran = fusion(["fuse"])
        .arg(&damaged)
        .arg("-o")
        .arg("-")
        .run()
        .ends(4);
    assert!(ran.stdout.is_empty(), "{} bytes", ran.stdout.len());
    let ran = fusion(["fuse", "-", "-o", "-"])
        .input(&damaged)
        .run()
        .ends(4);
    assert!(ran.stdout.is_empty(), "{} bytes", ran.stdout.len());
}

#[test]
fn a_source_that_changes_behind_the_pipe_leaves_no_end_marker() {
    let scene = Scene::new();
    let sources = pair(&scene);
    let mut run = fuse(&scene, &sources, &["-o", "-"]).start();
    // Everything was verified before the first byte; the rest waits for us to read.
    let mut begun = run.read(4096);
    let file = fs::OpenOptions::new()
        .write(true)
        .open(&sources[0])
        .unwrap();
    file.set_len(4096).unwrap();
    let ran = run.finish().ends(4);
    begun.extend(&ran.stdout);
    assert!(
        begun.len() > 4096 && !begun.ends_with(&[0; 1024]),
        "{} bytes",
        begun.len()
    );
    assert!(ran.stderr.contains("changed while it was read"), "{ran}");
}

#[test]
fn a_reader_that_goes_away_is_no_crash() {
    let scene = Scene::new();
    let sources = pair(&scene);
    let mut fuse = Command::new(FUSION);
    fuse.arg("fuse").args(&sources).args(["-o", "-"]);
    let mut fuse = fuse
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(fuse.stdout.take());
    let ended = fuse.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        !said.contains("panicked") && ended.status.signal().is_none(),
        "{said}"
    );
    assert_eq!(ended.status.code(), Some(5), "{said}");
}

#[test]
fn zstd_layers_and_compressed_sources_go_through_the_command_as_well() {
    let scene = Scene::new();
    let image = synthetic::image(Some("web:1"), &Platform::amd64(), 1, &[3000], 0).unwrap();
    for end in ["tar.gz", "tar.zst"] {
        let options = Options {
            outer: if end == "tar.gz" {
                fusion_fixtures::Outer::Gzip
            } else {
                fusion_fixtures::Outer::Zstd
            },
            ..Options::default()
        };
        // The name says nothing about the content.
        let source = scene
            .write_form(
                "source.bin",
                Flavour::OciArchive,
                LayerForm::Zstd,
                &[image.clone()],
                &options,
            )
            .path;
        let out = scene.out(end);
        fusion(["fuse"])
            .arg(&source)
            .arg("-o")
            .arg(&out)
            .run()
            .ends(0);
        fusion(["verify"]).arg(&out).run().ends(0);
        fusion(["verify", "-"]).input(&source).run().ends(0);
    }
}
