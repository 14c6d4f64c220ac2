//! Bad input, all of it: every hostile archive of the fixtures, and every situation that needs more
//! than an archive. Each ends with a clear error that names what it is about, the exit status of
//! the documentation, and nothing published.

mod situations;

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

/// What an error has to name besides the file: nothing more,
const FILE: u8 = 0;
/// the member,
const MEMBER: u8 = 1;
/// the byte of the file,
const OFFSET: u8 = 2;
/// the digest,
const DIGEST: u8 = 4;
/// or what to do next.
const HINT: u8 = 8;

/// What a verb makes of an input.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    /// It ends with status 0.
    Passes,
    /// It ends with the error of the row.
    Fails,
}
use Verdict::{Fails, Passes};

/// A hostile case, and what becomes of it.
struct Row {
    case: &'static str,
    /// What is wrong; nothing if the case is merely unusual.
    kind: Option<ErrorKind>,
    /// What the error names.
    names: u8,
    /// With `fuse`, and with `fuse --verify full`.
    fuse: Verdict,
    verify: Verdict,
    inspect: Verdict,
}

/// Damage that every verb finds.
const fn damaged(case: &'static str, kind: ErrorKind, names: u8) -> Row {
    Row {
        case,
        kind: Some(kind),
        names,
        fuse: Fails,
        verify: Fails,
        inspect: Fails,
    }
}

/// Damage in a layer, which `inspect` does not read.
const fn damaged_layer(case: &'static str, kind: ErrorKind, names: u8) -> Row {
    Row {
        inspect: Passes,
        ..damaged(case, kind, names)
    }
}

/// A lie that shows only in what a layer inflates to: `fuse` finds it with `--verify full`.
const fn lying_layer(case: &'static str, kind: ErrorKind) -> Row {
    Row {
        fuse: Passes,
        ..damaged_layer(case, kind, MEMBER | OFFSET | HINT)
    }
}

/// Content that is sound, and that `fuse` cannot take without more being said.
const fn undecided(case: &'static str, kind: ErrorKind, names: u8) -> Row {
    Row {
        verify: Passes,
        inspect: Passes,
        ..damaged(case, kind, names)
    }
}

/// Unusual, and legal.
const fn sound(case: &'static str) -> Row {
    Row {
        case,
        kind: None,
        names: FILE,
        fuse: Passes,
        verify: Passes,
        inspect: Passes,
    }
}

use ErrorKind::{
    Conflict, DigestMismatch as Mismatch, InvalidArchive as Invalid, LimitExceeded as Limit,
    NothingSelected, Unsupported,
};

const ALL: u8 = MEMBER | OFFSET | DIGEST | HINT;

/// Every hostile case of the fixtures.
const ROWS: &[Row] = &[
    damaged("truncated-in-member", Invalid, MEMBER | OFFSET | HINT),
    damaged("truncated-in-header", Invalid, OFFSET | HINT),
    damaged("truncated-between-members", Invalid, HINT),
    damaged_layer("flipped-layer-ggcr", Mismatch, ALL),
    damaged_layer("flipped-layer-legacy", Mismatch, ALL),
    damaged_layer("flipped-layer-oci", Mismatch, ALL),
    damaged("flipped-config-legacy", Mismatch, ALL),
    damaged("flipped-config-ggcr", Mismatch, ALL),
    damaged("flipped-config-oci", Mismatch, ALL),
    damaged("flipped-manifest-ggcr", Invalid, MEMBER | HINT),
    damaged("flipped-manifest-oci", Mismatch, ALL),
    damaged("missing-layer-ggcr", Invalid, MEMBER | HINT),
    damaged("missing-layer-oci", Invalid, ALL),
    damaged("missing-config-ggcr", Invalid, MEMBER | HINT),
    damaged("missing-config-oci", Invalid, ALL),
    damaged("missing-manifest-oci", Invalid, DIGEST | HINT),
    damaged("missing-layer-layout", Invalid, DIGEST | HINT),
    damaged("wrong-size-layer", Invalid, ALL),
    damaged("wrong-size-config", Invalid, ALL),
    damaged("wrong-size-manifest", Invalid, ALL),
    damaged("short-blob-layout", Invalid, DIGEST | HINT),
    damaged("lying-config-json", Mismatch, ALL),
    damaged("lying-config-ggcr", Mismatch, ALL),
    damaged_layer("lying-layer-ggcr", Mismatch, ALL),
    damaged_layer("lying-blob-oci", Mismatch, ALL),
    damaged_layer("lying-diff-id-legacy", Mismatch, ALL),
    lying_layer("lying-diff-id-oci", Mismatch),
    damaged("digest-traversal", Invalid, MEMBER | OFFSET | HINT),
    damaged("digest-short", Invalid, MEMBER | OFFSET | HINT),
    damaged("digest-upper-case", Invalid, MEMBER | OFFSET | HINT),
    damaged("digest-other-algorithm", Invalid, MEMBER | OFFSET | HINT),
    damaged("digest-empty", Invalid, MEMBER | OFFSET | HINT),
    damaged("manifest-digest-traversal", Invalid, MEMBER | OFFSET | HINT),
    damaged("manifest-digest-traversal-layout", Invalid, HINT),
    damaged("header-checksum", Invalid, OFFSET | HINT),
    damaged("size-10-gb", Invalid, MEMBER | OFFSET | HINT),
    damaged("size-overflow", Invalid, MEMBER | OFFSET | HINT),
    damaged("size-near-overflow", Invalid, MEMBER | OFFSET | HINT),
    damaged("size-negative", Invalid, MEMBER | OFFSET | HINT),
    damaged("size-not-octal", Invalid, MEMBER | OFFSET | HINT),
    damaged("pax-size-overflow", Invalid, OFFSET | HINT),
    damaged("pax-malformed", Invalid, OFFSET | HINT),
    damaged("pax-not-text", Invalid, OFFSET | HINT),
    damaged("pax-sparse-member", Unsupported, MEMBER | OFFSET | HINT),
    sound("pax-global"),
    damaged("long-name-huge", Limit, OFFSET),
    damaged("sparse-member", Unsupported, MEMBER | OFFSET | HINT),
    // A device has no data, so what follows is no header.
    damaged("device-member", Invalid, OFFSET | HINT),
    damaged("duplicate-member", Invalid, MEMBER | OFFSET | HINT),
    damaged("duplicate-layer", Invalid, MEMBER | OFFSET | HINT),
    sound("many-members"),
    damaged("parent-name", Invalid, MEMBER | HINT),
    damaged("hidden-parent-name", Invalid, MEMBER | HINT),
    damaged("absolute-name", Invalid, MEMBER | HINT),
    damaged("manifest-names-parent", Invalid, MEMBER | HINT),
    damaged("manifest-names-absolute", Invalid, MEMBER | HINT),
    sound("unused-parent-name"),
    damaged("symlink-loop", Invalid, MEMBER | HINT),
    damaged("symlink-to-itself", Invalid, MEMBER | HINT),
    damaged("symlink-to-nothing", Invalid, MEMBER | HINT),
    damaged("symlink-out", Invalid, MEMBER | HINT),
    damaged("symlink-absolute", Invalid, MEMBER | HINT),
    damaged("hardlink-to-nothing", Invalid, MEMBER | HINT),
    damaged("hardlink-to-itself", Invalid, MEMBER | HINT),
    damaged("layout-symlink-out", Invalid, DIGEST | HINT),
    damaged("gzip-bomb", Limit, MEMBER | OFFSET | HINT),
    damaged("gzip-bomb-manifest", Limit, MEMBER | OFFSET | HINT),
    damaged("zstd-bomb", Limit, MEMBER | OFFSET | HINT),
    damaged("zstd-bomb-index", Limit, MEMBER | OFFSET | HINT),
    lying_layer("layer-bomb", Mismatch),
    damaged("truncated-gzip", Invalid, HINT),
    damaged("truncated-gzip-trailer", Invalid, HINT),
    damaged("gzip-checksum", Invalid, HINT),
    damaged("gzip-trailing-garbage", Invalid, HINT),
    damaged("truncated-zstd", Invalid, HINT),
    damaged("zstd-damaged", Invalid, HINT),
    damaged("gzip-of-text", Invalid, HINT),
    damaged("gzip-of-nothing", Invalid, HINT),
    lying_layer("truncated-layer-gzip", Invalid),
    damaged("manifest-json-object", Invalid, MEMBER | OFFSET | HINT),
    damaged("manifest-json-wrong-types", Invalid, MEMBER | OFFSET | HINT),
    damaged("manifest-json-null-layers", Invalid, MEMBER | HINT),
    damaged("manifest-json-not-json", Invalid, MEMBER | OFFSET | HINT),
    empty("manifest-json-empty-array"),
    undecided("manifest-json-bad-reference", Invalid, HINT),
    damaged("deep-json", Invalid, MEMBER | OFFSET | HINT),
    damaged("index-json-array", Invalid, MEMBER | OFFSET | HINT),
    damaged("index-json-wrong-types", Invalid, MEMBER | OFFSET | HINT),
    damaged("index-json-negative-size", Invalid, MEMBER | OFFSET | HINT),
    empty("index-json-no-manifests"),
    damaged("deep-indexes", Limit, MEMBER | OFFSET),
    damaged("schema1", Unsupported, MEMBER | OFFSET | HINT),
    damaged(
        "unknown-media-type",
        Unsupported,
        MEMBER | OFFSET | DIGEST | HINT,
    ),
    damaged("media-type-disagrees", Invalid, MEMBER | OFFSET | HINT),
    damaged("huge-manifest", Limit, MEMBER | OFFSET | DIGEST),
    sound("huge-manifest-json"),
    damaged("layer-count-docker", Invalid, MEMBER | HINT),
    damaged("layer-count-oci", Invalid, MEMBER | OFFSET | HINT),
    unplaced("config-without-architecture-docker"),
    unplaced("config-without-architecture-oci"),
    damaged("config-not-an-object", Invalid, MEMBER | OFFSET | HINT),
    undecided("same-reference-twice-docker", Conflict, HINT),
    undecided("same-reference-twice-oci", Conflict, HINT),
    undecided("same-reference-twice-flat", Conflict, HINT),
    undecided("unnamed-docker", Invalid, HINT),
    undecided("unnamed-oci", Invalid, HINT),
    damaged("layout-version", Unsupported, MEMBER | OFFSET | HINT),
    damaged("empty-file", Invalid, HINT),
    damaged("empty-tar", Invalid, HINT),
    damaged("text-file", Invalid, HINT),
    damaged("short-file", Invalid, HINT),
    damaged("empty-directory", Invalid, HINT),
    damaged("directory-without-layout", Invalid, HINT),
    damaged("layout-without-index", Invalid, HINT),
    damaged("tar-without-manifest", Invalid, HINT),
    damaged("ancient-docker", Unsupported, HINT),
    damaged("chart-bundle", Unsupported, HINT),
    damaged("tar-in-tar", Invalid, HINT),
];

/// An archive in which nothing is wrong, because nothing is in it.
const fn empty(case: &'static str) -> Row {
    Row {
        verify: Passes,
        ..damaged(case, NothingSelected, FILE)
    }
}

/// Every digest is right, and nobody can say what the image runs on.
const fn unplaced(case: &'static str) -> Row {
    Row {
        verify: Passes,
        ..damaged(case, Invalid, DIGEST | HINT)
    }
}

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
        for form in [Form::AsItIs, Form::Gzip, Form::Zstd, Form::Standard] {
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
        for (level, expected) in [("blobs", self.fuse), ("full", self.verify.or(self.fuse))] {
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
    let about_files = !matches!(kind, NothingSelected | ErrorKind::Usage);
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
