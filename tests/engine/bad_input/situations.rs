//! Situations in which a run has to fail although nothing is wrong with an archive as such.
//! What a situation puts at the destination goes by the name `kept`, and has to stay as it is.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;

use fusion_core::ErrorKind;
use fusion_fixtures::{Flavour, Options, Platform, synthetic};

use super::super::nobody::{command_in, unprivileged};
use super::super::support::{FUSION, Ran, Run, Running, Scene, command, fusion, tree};
use super::{DIGEST, FILE, HINT, MEMBER};

/// One situation, and how it has to end.
pub(super) struct Situation {
    pub(super) name: &'static str,
    /// Sets the scene, runs, and puts right what has to be put right.
    pub(super) play: fn(&Scene) -> Ran,
    pub(super) kind: ErrorKind,
    /// What the error names.
    pub(super) names: u8,
}

const fn situation(
    name: &'static str,
    kind: ErrorKind,
    names: u8,
    play: fn(&Scene) -> Ran,
) -> Situation {
    Situation {
        name,
        play,
        kind,
        names,
    }
}

use ErrorKind::{
    Busy, Conflict, DestinationExists, InputChanged, InvalidArchive, NoSpace, NotFound,
    PermissionDenied, Usage,
};

/// Every situation.
pub(super) const SITUATIONS: &[Situation] = &[
    situation("source missing", NotFound, FILE, |scene| {
        fuse(&[&scene.source("absent.tar")], &scene.out("images.tar")).run()
    }),
    situation("source a link to nothing", NotFound, FILE, |scene| {
        symlink("absent.tar", scene.source("link.tar")).unwrap();
        fuse(&[&scene.source("link.tar")], &scene.out("images.tar")).run()
    }),
    situation("source unreadable", PermissionDenied, FILE, |scene| {
        allow(&archive(scene, "images.tar", 1), 0o000);
        as_nobody(scene, &["in/images.tar", "-o", "out/images.tar"])
    }),
    situation(
        "folder of the source unreadable",
        PermissionDenied,
        FILE,
        |scene| {
            archive(scene, "images.tar", 1);
            allow(&scene.path().join("in"), 0o000);
            as_nobody(scene, &["in/images.tar", "-o", "out/images.tar"])
        },
    ),
    situation(
        "blob of a layout unreadable",
        PermissionDenied,
        FILE,
        |scene| {
            let image = synthetic::image(Some("web:1"), &Platform::amd64(), 1, &[9000], 0).unwrap();
            let options = Options::default();
            let layout = scene.write("layout", Flavour::OciLayout, &[image], &options);
            let blob = layout.images[0].layers[0].digest.hex();
            allow(&layout.path.join("blobs/sha256").join(blob), 0o000);
            as_nobody(scene, &["in/layout", "-o", "out/images.tar"])
        },
    ),
    situation(
        "destination's folder not writable",
        PermissionDenied,
        FILE,
        |scene| {
            archive(scene, "images.tar", 1);
            fs::create_dir(scene.out("kept")).unwrap();
            allow(&scene.out("kept"), 0o555);
            as_nobody(scene, &["in/images.tar", "-o", "out/kept/images.tar"])
        },
    ),
    situation("directory as archive", InvalidArchive, HINT, |scene| {
        fs::create_dir(scene.source("folder")).unwrap();
        let folder = format!("docker-archive:{}", scene.source("folder").display());
        fuse(&[Path::new(&folder)], &scene.out("images.tar")).run()
    }),
    situation("layout that is an archive", InvalidArchive, HINT, |scene| {
        let archive = format!("oci:{}", archive(scene, "images.tar", 1).display());
        fuse(&[Path::new(&archive)], &scene.out("images.tar")).run()
    }),
    situation("standard input empty", InvalidArchive, HINT, |scene| {
        fuse(&[Path::new("-")], &scene.out("images.tar")).run()
    }),
    situation("standard input twice", Usage, FILE, |scene| {
        fuse(&[Path::new("-"), Path::new("-")], &scene.out("images.tar")).run()
    }),
    situation(
        "same reference and platform twice",
        Conflict,
        HINT,
        |scene| {
            let sources = [archive(scene, "one.tar", 1), archive(scene, "other.tar", 2)];
            let ran = fuse(&[&sources[0], &sources[1]], &scene.out("images.tar")).run();
            for part in [
                "one.tar",
                "other.tar",
                "docker.io/library/web:1",
                "linux/amd64",
            ] {
                assert!(ran.stderr.contains(part), "no {part}: {ran}");
            }
            ran
        },
    ),
    situation("destination exists", DestinationExists, HINT, |scene| {
        let source = archive(scene, "images.tar", 1);
        fs::write(scene.out("kept.tar"), "precious").unwrap();
        unchanged(scene, fuse(&[&source], &scene.out("kept.tar")))
    }),
    situation(
        "destination is a layout",
        DestinationExists,
        HINT,
        |scene| {
            let source = archive(scene, "images.tar", 1);
            let kept = scene.out("kept/");
            fuse(&[&source], &kept).run().ends(0);
            unchanged(scene, fuse(&[&source], &kept))
        },
    ),
    situation(
        "destination is another folder",
        DestinationExists,
        HINT,
        |scene| {
            let source = archive(scene, "images.tar", 1);
            fs::create_dir(scene.out("kept")).unwrap();
            fs::write(scene.out("kept/letter"), "precious").unwrap();
            let run = fuse(&[&source], &scene.out("kept"))
                .arg("--on-existing")
                .arg("replace");
            unchanged(scene, run)
        },
    ),
    situation(
        "merging into a damaged archive",
        InvalidArchive,
        HINT,
        |scene| {
            let source = archive(scene, "images.tar", 1);
            fs::write(scene.out("kept.tar"), "precious ".repeat(1000)).unwrap();
            let run = fuse(&[&source], &scene.out("kept.tar"))
                .arg("--on-existing")
                .arg("merge");
            let ran = unchanged(scene, run);
            assert!(ran.stderr.contains("`--on-existing replace`"), "{ran}");
            ran
        },
    ),
    situation("destination in a missing folder", NotFound, HINT, |scene| {
        let source = archive(scene, "images.tar", 1);
        fuse(&[&source], &scene.out("absent/images.tar")).run()
    }),
    situation("layout in a missing folder", NotFound, HINT, |scene| {
        let source = archive(scene, "images.tar", 1);
        fuse(&[&source], &scene.out("absent/layout/")).run()
    }),
    situation("destination below a file", ErrorKind::Io, FILE, |scene| {
        let source = archive(scene, "images.tar", 1);
        fs::write(scene.out("kept.tar"), "precious").unwrap();
        unchanged(scene, fuse(&[&source], &scene.out("kept.tar/images.tar")))
    }),
    situation(
        "too little space, seen beforehand",
        NoSpace,
        HINT,
        |scene| {
            let source = large(scene);
            let ran = on_small_disk(scene, &source, "images.tar", None);
            for part in [" are needed in `", " are free", "/out"] {
                assert!(ran.stderr.contains(part), "no {part}: {ran}");
            }
            ran
        },
    ),
    situation("too little space for a layout", NoSpace, HINT, |scene| {
        let source = large(scene);
        on_small_disk(scene, &source, "layout/", None)
    }),
    situation("disk full while writing", NoSpace, HINT, |scene| {
        // How much comes through a pipe, nobody knows beforehand.
        let source = large(scene);
        on_small_disk(scene, Path::new("-"), "images.tar", Some(&source))
    }),
    situation("disk full while writing a layout", NoSpace, HINT, |scene| {
        let source = large(scene);
        on_small_disk(scene, Path::new("-"), "layout/", Some(&source))
    }),
    situation(
        "input shrinks while it is read",
        InputChanged,
        HINT | DIGEST,
        |scene| {
            with_input_opened(scene, |source| {
                let file = OpenOptions::new().write(true).open(source).unwrap();
                file.set_len(100_000).unwrap();
            })
        },
    ),
    situation(
        "input vanishes while it is read",
        InputChanged,
        HINT | DIGEST,
        |scene| {
            with_input_opened(scene, |source| {
                let file = OpenOptions::new().write(true).open(source).unwrap();
                file.set_len(0).unwrap();
            })
        },
    ),
    situation(
        "input is overwritten while it is read",
        InputChanged,
        HINT | DIGEST | MEMBER,
        |scene| {
            with_input_opened(scene, |source| {
                let mut file = OpenOptions::new().write(true).open(source).unwrap();
                file.seek(SeekFrom::Start(1_000_000)).unwrap();
                file.write_all(&[0x5a; 4096]).unwrap();
            })
        },
    ),
    situation("two runs into one destination", Busy, HINT, |scene| {
        let source = archive(scene, "images.tar", 1);
        let mut first = waiting(&["fuse", "-", "-o", scene.out("kept.tar").to_str().unwrap()]);
        let spool = scene.out(".kept.tar.fusion-partial/spool");
        first.wait_until("it works", || spool.is_dir());
        let second = fuse(&[&source], &scene.out("kept.tar")).run();
        first.feed(&fs::read(&source).unwrap());
        first.finish().ends(0);
        assert!(
            scene.out("kept.tar").is_file(),
            "the first run was disturbed: {second}"
        );
        second
    }),
];

/// A run of `fuse` with `sources`.
fn fuse(sources: &[&Path], out: &Path) -> Run {
    fusion(["fuse", "--json", "--durability", "rename", "-o"])
        .arg(out)
        .with(|command| {
            command.args(sources);
        })
}

/// An archive with one image; another `seed` gives another image of the same name.
fn archive(scene: &Scene, name: &str, seed: u64) -> std::path::PathBuf {
    let image = synthetic::image(Some("web:1"), &Platform::amd64(), seed, &[3000], 0).unwrap();
    let options = Options::default();
    scene.write(name, Flavour::Skopeo, &[image], &options).path
}

/// An archive of 6 MB.
fn large(scene: &Scene) -> std::path::PathBuf {
    let sizes = [3_000_000, 3_000_000];
    let image = synthetic::image(Some("web:1"), &Platform::amd64(), 1, &sizes, 0).unwrap();
    let options = Options::default();
    scene
        .write("large.tar", Flavour::DockerHybrid, &[image], &options)
        .path
}

/// Runs, and insists that what is at the destination stays as it is.
fn unchanged(scene: &Scene, run: Run) -> Ran {
    let before = scene.published();
    let ran = run.run();
    assert!(
        scene.published() == before,
        "the destination changed: {ran}"
    );
    ran
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs `fuse` in the scene without the privileges of root, which may read everything.
fn as_nobody(scene: &Scene, args: &[&str]) -> Ran {
    let program = command_in(scene.path());
    allow(scene.path(), 0o755);
    let out = scene.path().join("out");
    allow(&out, 0o777);
    let run = command(&program, ["fuse", "--json"]).with(|command| {
        unprivileged(command.args(args).current_dir(scene.path()));
    });
    let ran = run.run();
    allow(&scene.path().join("in"), 0o755);
    ran
}

/// Runs `fuse` with `out` on a file system of 2 MB, which is gone afterwards.
fn on_small_disk(scene: &Scene, source: &Path, name: &str, input: Option<&Path>) -> Ran {
    const SCRIPT: &str = r#"
        mount -t tmpfs -o size=2m tmpfs "$1" || exit 99
        folder=$1 left=$2; shift 2
        "$@"; status=$?
        ls -A "$folder" > "$left"
        exit $status"#;
    let left = scene.path().join("left");
    let run = command(
        "unshare",
        ["--user", "--map-root-user", "--mount", "sh", "-c"],
    )
    .arg(SCRIPT)
    .arg("sh")
    .arg(scene.path().join("out"))
    .arg(&left)
    .arg(FUSION)
    .with(|command| {
        command.args(["fuse", "--json", "-o"]);
        command.arg(scene.out(name)).arg(source);
    });
    let ran = match input {
        Some(input) => run.input(input).run(),
        None => run.run(),
    };
    let left = fs::read_to_string(left).unwrap();
    assert_eq!(left, "", "left behind: {ran}");
    assert!(!ran.stderr.contains(" 0 bytes are needed"), "{ran}");
    ran
}

/// A run that reads its standard input from a pipe.
fn waiting(args: &[&str]) -> Running {
    fusion(args)
        .with(|command| {
            command.stdin(Stdio::piped());
        })
        .start()
}

/// Runs `fuse` and calls `change` when the source was opened and its layers were not read yet: the
/// run waits for its other source, which comes through a pipe.
fn with_input_opened(scene: &Scene, change: fn(&Path)) -> Ran {
    let source = large(scene);
    let other = synthetic::image(Some("web:1"), &Platform::arm64(), 1, &[3000], 0).unwrap();
    let other = scene.write("other.tar", Flavour::Skopeo, &[other], &Options::default());
    let (log, out) = (scene.path().join("log"), scene.out("images.tar"));
    let mut run = fusion(["fuse", "--json", "--jobs", "2", "-"])
        .arg(&source)
        .with(|command| {
            command.arg("-o").arg(&out).arg("--log-file").arg(&log);
            command.stdin(Stdio::piped());
        })
        .start();
    let opened = || fs::read_to_string(&log).is_ok_and(|log| log.contains("large.tar`:"));
    run.wait_until("it has opened the source", opened);
    change(&source);
    run.feed(&fs::read(&other.path).unwrap());
    let ran = run.finish();
    let left = tree(&scene.path().join("out"));
    assert!(left.is_empty(), "left behind {:?}: {ran}", left.keys());
    ran
}
