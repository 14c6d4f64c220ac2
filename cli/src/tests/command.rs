//! Whole runs, as far as they need no archive: what goes where, and the exit status.

use std::ffi::OsString;
use std::io::{self, Write};

use serde_json::Value;

use crate::console::Console;

/// What a run left behind.
struct Ran {
    status: u8,
    out: String,
    err: String,
}

fn run(line: &[&str]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut console = Console {
        out: &mut out,
        err: &mut err,
        out_terminal: false,
        err_terminal: false,
    };
    let args: Vec<_> = std::iter::once("fusion")
        .chain(line.iter().copied())
        .collect();
    let args: Vec<_> = args.into_iter().map(OsString::from).collect();
    let status = crate::run::run(&args, &mut console);
    Ran {
        status,
        out: String::from_utf8(out).expect("text"),
        err: String::from_utf8(err).expect("text"),
    }
}

#[test]
fn help_and_version_are_results() {
    for line in [
        &["--help"][..],
        &["--version"],
        &["fuse", "--help"],
        &["push", "--help"],
        &["sync", "--help"],
        &["import-addon", "--help"],
        &["index", "--help"],
        &["index", "create", "--help"],
        &["help", "verify"],
    ] {
        let ran = run(line);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{line:?}");
        assert!(!ran.out.is_empty(), "{line:?}");
    }
    let nothing = run(&[]);
    assert_eq!((nothing.status, nothing.out.as_str()), (2, ""));
    assert!(nothing.err.contains("Usage:"));
}

#[test]
fn completions_and_manual_are_printed() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = run(&["completions", shell]);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{shell}");
        assert!(ran.out.contains("on-conflict"), "{shell}");
        assert!(ran.out.contains("create-projects"), "{shell}");
        assert!(ran.out.contains("import-addon"), "{shell}");
        assert!(ran.out.contains("on-existing-chart"), "{shell}");
    }
    let ran = run(&["man"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains(".TH fusion 1"), "{}", ran.out);
}

#[test]
fn with_json_a_mistake_is_a_document_too() {
    for (line, schema) in [
        (&["fuse", "--json"][..], "fusion.report/v1"),
        (&["fuze", "--json"], "fusion.report/v1"),
        (&["fuse", "-", "-", "-o", "x", "--json"], "fusion.report/v1"),
        (&["fuse", "a", "-o", "-", "--json"], "fusion.report/v1"),
        (&["push", "--json"], "fusion.report/v1"),
        (
            &["push", "a.tar", "--to", "harbor", "--json"],
            "fusion.report/v1",
        ),
        (&["sync", "--json"], "fusion.report/v1"),
        (
            &[
                "sync", "-c", "a", "--source", "-", "--source", "-", "--json",
            ],
            "fusion.report/v1",
        ),
        (&["import-addon", "--json"], "fusion.report/v1"),
        (&["index", "--json"], "fusion.report/v1"),
        (&["index", "create", "--json"], "fusion.report/v1"),
        (
            &["index", "create", "h.local/a:1", "--json"],
            "fusion.report/v1",
        ),
        (&["inspect", "--json"], "fusion.inspect/v1"),
        (&["inspect", "oci:", "--json"], "fusion.inspect/v1"),
        (&["verify", "--json", "--nonsense"], "fusion.verify/v1"),
        (&["verify", "-", "-", "--json"], "fusion.verify/v1"),
    ] {
        let ran = run(line);
        let document: Value = serde_json::from_str(&ran.out).expect("one document");
        assert_eq!(document["schema"], schema, "{line:?}");
        assert_eq!(document["error"]["kind"], "usage", "{line:?}");
        assert_eq!(ran.status, 2, "{line:?}");
        assert!(ran.err.starts_with("error: "), "{line:?}: {}", ran.err);
    }
}

#[test]
fn documents_of_mistakes_name_the_verb() {
    for (line, command) in [
        (&["push", "a", "--json", "--nonsense"][..], "push"),
        (&["push", "a", "--to", "harbor", "--json"], "push"),
        (&["sync", "--json", "-c"], "sync"),
        (&["import-addon", "-c", "a", "--json", "x"], "import-addon"),
        (&["index", "create", "--json"], "index create"),
        (&["index", "create", "a:1", "-", "--json"], "index create"),
        (&["index", "--json"], "index create"),
        (&["fuze", "--json"], "fusion"),
    ] {
        let ran = run(line);
        let document: Value = serde_json::from_str(&ran.out).expect("one document");
        assert_eq!(document["command"], command, "{line:?}");
    }
}

#[test]
fn places_that_are_none_are_refused_before_anything_is_read() {
    for (to, said) in [
        ("harbor", "it has neither a dot nor a port"),
        ("http://harbor.local", "without `http://`"),
        ("harbor.local/addons:1", "tags are those of the images"),
    ] {
        let ran = run(&["push", "no-such-file.tar", "--to", to]);
        assert_eq!(ran.status, 2, "{}", ran.err);
        assert!(ran.err.contains(said), "{}", ran.err);
        assert!(ran.err.contains("hint: "), "{}", ran.err);
    }
}

#[test]
fn what_is_without_effect_is_a_warning_whatever_becomes_of_the_run() {
    let line = [
        "import-addon",
        "-c",
        "no-such-file.yaml",
        "-m",
        "x",
        "-d",
        "-j13",
    ];
    let ran = run(&line);
    assert_ne!(ran.status, 0);
    assert_eq!(ran.out, "");
    for option in ["-m", "-d", "-j"] {
        let start = format!("warning[without-effect]: `{option}` is without effect: ");
        assert!(ran.err.contains(&start), "{}", ran.err);
    }
    let ran = run(&[&line[..], &["--json", "-q"]].concat());
    let document: Value = serde_json::from_str(&ran.out).expect("one document");
    assert_eq!(document["command"], "import-addon");
    assert_eq!(document["warnings"].as_array().map(Vec::len), Some(3));
    assert!(!ran.err.contains("warning"), "{}", ran.err);
}

#[test]
fn a_password_has_no_place_on_the_command_line() {
    for line in [
        &["push", "a", "--to", "h.local", "--password", "x"][..],
        &["push", "a", "--to", "h.local", "--password-stdin"],
        &["push", "a", "--to", "h.local", "--username", "me"],
        &[
            "push",
            "-",
            "--to",
            "h.local",
            "--username",
            "me",
            "--password-stdin",
        ],
        &["sync", "-c", "a", "--password", "x"],
        &[
            "sync",
            "-c",
            "a",
            "--source",
            "-",
            "--username",
            "me",
            "--password-stdin",
        ],
        &["inspect", "-", "--username", "me", "--password-stdin"],
        &["verify", "-", "--username", "me", "--password-stdin"],
        &[
            "fuse",
            "-",
            "-o",
            "x",
            "--username",
            "me",
            "--password-stdin",
        ],
    ] {
        let ran = run(line);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{line:?}");
    }
}

#[test]
fn without_json_a_mistake_leaves_standard_output_empty() {
    for line in [
        &["fuse"][..],
        &["fuse", "-", "-", "-o", "x"],
        &["verify", "--report", "-", "a"],
    ] {
        let ran = run(line);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{line:?}");
    }
}

#[test]
fn the_report_file_has_the_same_document() {
    let folder = std::env::temp_dir().join(format!("fusion-cli-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("report.json");
    let path = file.to_str().expect("text");
    let ran = run(&["verify", "-", "-", "--json", "--report", path]);
    let written = std::fs::read_to_string(&file).expect("the report");
    let left = std::fs::read_dir(&folder).expect("the folder").count();
    std::fs::remove_dir_all(&folder).expect("removed");
    assert_eq!(written, ran.out);
    assert_eq!(left, 1, "nothing else is left");
}

#[test]
fn a_report_that_cannot_be_written_is_said_before_the_work() {
    let ran = run(&["inspect", "a.tar", "--report", "/nonexistent/folder/r.json"]);
    assert_eq!(ran.status, 5);
    let said = "error: cannot write the report into `/nonexistent/folder`";
    assert!(ran.err.starts_with(said), "{}", ran.err);
}

#[test]
fn reports_and_logs_replace_neither_source_nor_destination() {
    for line in [
        &[
            "fuse",
            "a.tar",
            "-o",
            "oci-archive:x.tar",
            "--report",
            "./x.tar",
        ][..],
        &["fuse", "./a.tar", "-o", "x.tar", "--report", "a.tar"],
        &["verify", "a.tar", "--report", "a.tar"],
        &["verify", "a.tar", "--log-file", "a.tar"],
        &["sync", "-c", "a.yaml", "--report", "a.yaml"],
        &[
            "sync", "-c", "a.yaml", "--values", "w=v.yaml", "--report", "v.yaml",
        ],
        &[
            "import-addon",
            "-c",
            "a.yaml",
            "--addon-path",
            "p.tar",
            "--log-file",
            "p.tar",
        ],
    ] {
        let ran = run(line);
        assert_eq!(ran.status, 2, "{line:?}: {}", ran.err);
        assert!(ran.err.contains("would write over"), "{}", ran.err);
    }
    assert!(!std::path::Path::new("x.tar").exists() && !std::path::Path::new("a.tar").exists());
}

/// A stream that refuses to be written to.
struct Closed(io::ErrorKind);

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_went_away_is_no_failure_and_a_full_disk_is() {
    for (kind, status) in [
        (io::ErrorKind::BrokenPipe, 0),
        (io::ErrorKind::StorageFull, 8),
    ] {
        let mut console = Console {
            out: &mut Closed(kind),
            err: &mut io::sink(),
            out_terminal: false,
            err_terminal: false,
        };
        let args = ["fusion", "man"].map(OsString::from);
        assert_eq!(crate::run::run(&args, &mut console), status, "{kind}");
    }
}
