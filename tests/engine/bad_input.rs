//! Bad input, all of it: every hostile archive of the fixtures, and every situation that needs more
//! than an archive. Each ends with a clear error that names what it is about, the exit status of
//! the documentation, and nothing published.

mod situations;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fusion_core::ErrorKind;
use fusion_fixtures::hostile::{self, Case};
use serde_json::Value;

use super::support::{Ran, Scene, fusion, text};
use situations::{SITUATIONS, Situation};
use table::Verdict::{Fails, Passes};
use table::{DIGEST, FILE, HINT, MEMBER, OFFSET, ROWS, Row, Verdict};

#[test]
fn bad_input_is_refused_and_nothing_is_published() {
    let unlisted: Vec<_> = hostile::cases()
        .iter()
        .map(|case| case.name)
        .filter(|name| ROWS.iter().all(|row| row.case != *name))
        .collect();
    assert!(unlisted.is_empty(), "no row for {unlisted:?}");

    let jobs: Vec<Job> = (SITUATIONS.iter().map(Job::Situation))
        .chain(ROWS.iter().map(Job::Hostile))
        .collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = job.check();
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// One row of either table.
enum Job {
    Hostile(&'static Row),
    Situation(&'static Situation),
}

impl Job {
    /// What is wrong with how the row ended.
    fn check(&self) -> Vec<String> {
        match self {
            Self::Hostile(row) => row.check(),
            Self::Situation(situation) => {
                let scene = Scene::new();
                let (ran, names) = ((situation.play)(&scene), situation.names);
                let mut wrong = refused(&ran, &ran.json()["error"], situation.kind, names);
                wrong.extend(residue(&scene));
                let name = situation.name;
                wrong
                    .iter()
                    .map(|what| format!("{name}: {what}\n{ran}"))
                    .collect()
            }
        }
    }
}

/// How an input reaches the command.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    AsItIs,
    Gzip,
    Zstd,
    Standard,
}

impl Row {
    fn check(&self) -> Vec<String> {
        let scene = Scene::new();
        let case = hostile::case(self.case).unwrap();
        let source = (case.build)(&scene.path().join("in")).unwrap();
        let mut wrong = Vec::new();
        let forms = [Form::AsItIs, Form::Gzip, Form::Zstd, Form::Standard];
        // To inflate 8 GiB takes seconds, several times.
        let forms = if self.case == "layer-bomb" {
            &forms[..2]
        } else {
            &forms
        };
        for &form in forms {
            if let Some(source) = shaped(&source, form) {
                let found = self.in_form(&scene, case, &source, form);
                wrong.extend(
                    found
                        .iter()
                        .map(|what| format!("{} {form:?}: {what}", case.name)),
                );
            }
        }
        wrong
    }

    fn in_form(&self, scene: &Scene, case: Case, source: &Path, form: Form) -> Vec<String> {
        let run = |verb: &str, more: &[&str]| {
            let standard = form == Form::Standard;
            let named = if standard { Path::new("-") } else { source };
            let run = fusion([verb, "--json"]).arg(named);
            let run = more.iter().fold(run, |run, more| run.arg(more));
            if standard {
                run.input(source).run()
            } else {
                run.run()
            }
        };
        let out = scene.out("images.tar");
        let mut wrong = Vec::new();
        let mut note = |ran: &Ran, found: Vec<String>| {
            let about = case.about;
            wrong.extend(found.iter().map(|what| format!("{what} ({about})\n{ran}")));
        };
        // What `inspect` finds is found without inflating anything.
        let levels = [("blobs", self.fuse), ("full", self.verify.or(self.fuse))];
        let levels = if self.inspect == Fails {
            &levels[..1]
        } else {
            &levels
        };
        for &(level, expected) in levels {
            let chosen = ["-o", out.to_str().unwrap(), "--verify", level];
            let ran = run("fuse", &[&chosen[..], &["--durability", "rename"]].concat());
            let mut found = self.ended(&ran, expected);
            if expected == Passes {
                found.extend((!out.is_file()).then(|| "nothing was published".to_owned()));
                let _ = fs::remove_file(&out);
            }
            found.extend(residue(scene));
            note(&ran, found);
        }
        let ran = run("verify", &[]);
        note(&ran, self.verified(&ran));
        let ran = run("inspect", &[]);
        note(&ran, self.ended(&ran, self.inspect));
        wrong
    }

    /// What is wrong with how `fuse` or `inspect` ended.
    fn ended(&self, ran: &Ran, expected: Verdict) -> Vec<String> {
        match (expected, self.kind) {
            (Fails, Some(kind)) => refused(ran, &ran.json()["error"], kind, self.names),
            _ => passed(ran),
        }
    }

    /// What is wrong with how `verify` ended.
    fn verified(&self, ran: &Ran) -> Vec<String> {
        let (Fails, Some(kind)) = (self.verify, self.kind) else {
            return passed(ran);
        };
        let report = ran.json();
        let error = |finding: &&Value| finding["severity"] == "error";
        let findings = report["findings"].as_array().unwrap();
        let Some(finding) = findings.iter().find(error) else {
            return vec!["verify found nothing".to_owned()];
        };
        let mut wrong = Vec::new();
        if ran.status != Some(4) || report["status"] != "failed" {
            wrong.push("verify did not fail".to_owned());
        }
        if finding["code"] != kind.name() {
            wrong.push(format!("verify did not find {kind}"));
        }
        wrong.extend(unnamed(finding, self.names & !HINT));
        wrong
    }
}

impl Verdict {
    /// Fails if one of them does.
    fn or(self, other: Self) -> Self {
        if self == Fails { Fails } else { other }
    }
}

fn passed(ran: &Ran) -> Vec<String> {
    let fine = ran.status == Some(0) && ran.json()["error"].is_null();
    (!fine)
        .then(|| "it should have passed".to_owned())
        .into_iter()
        .collect()
}

/// What is wrong with a run that had to end with an error of `kind` that names what `names` says.
fn refused(ran: &Ran, error: &Value, kind: ErrorKind, names: u8) -> Vec<String> {
    let mut wrong = unnamed(error, names);
    if ran.status != Some(i32::from(kind.exit_status())) {
        wrong.push(format!("the exit status is not {}", kind.exit_status()));
    }
    if error["kind"] != kind.name() {
        wrong.push(format!("the error is not {kind}"));
    }
    let message = text(&error["message"]);
    let about_a_file = !error["path"].is_null() || message.contains('`');
    let about_files = !matches!(kind, ErrorKind::NothingSelected | ErrorKind::Usage);
    if message.is_empty() || about_files && !about_a_file {
        wrong.push("the error names no file".to_owned());
    }
    // People read the same as programs.
    let hint = text(&error["hint"]);
    if !ran.stderr.contains("error: ") || !ran.stderr.contains(&hint) {
        wrong.push("standard error does not say what the document says".to_owned());
    }
    wrong
}

/// What `error` should name and does not.
fn unnamed(error: &Value, names: u8) -> Vec<String> {
    let parts = [
        (MEMBER, "member"),
        (OFFSET, "offset"),
        (DIGEST, "digest"),
        (HINT, "hint"),
    ];
    let absent = parts
        .iter()
        .filter(|(part, key)| names & part != 0 && error[key].is_null());
    absent
        .map(|(_, key)| format!("no {key} in {error}"))
        .collect()
}

/// What was left where the destination is, besides what the situation put there.
fn residue(scene: &Scene) -> Vec<String> {
    let left = scene.published();
    let kept =
        |name: &str| name == "kept" || name.starts_with("kept/") || name.starts_with("kept.");
    let left: Vec<_> = left.keys().filter(|name| !kept(name)).collect();
    (!left.is_empty())
        .then(|| format!("left behind: {left:?}"))
        .into_iter()
        .collect()
}

/// The input in another form; none if it has none.
fn shaped(source: &Path, form: Form) -> Option<PathBuf> {
    let raw = source.is_file() && source.extension().is_some_and(|end| end == "tar");
    let beside = |end: &str| source.with_extension(format!("tar.{end}"));
    match form {
        Form::AsItIs => Some(source.to_owned()),
        Form::Standard => source.is_file().then(|| source.to_owned()),
        Form::Gzip if raw => {
            let out = fs::File::create(beside("gz")).unwrap();
            let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
            std::io::copy(&mut fs::File::open(source).unwrap(), &mut encoder).unwrap();
            encoder.finish().unwrap();
            Some(beside("gz"))
        }
        Form::Zstd if raw => {
            let out = fs::File::create(beside("zst")).unwrap();
            zstd::stream::copy_encode(fs::File::open(source).unwrap(), out, 1).unwrap();
            Some(beside("zst"))
        }
        Form::Gzip | Form::Zstd => None,
    }
}
