//! Golden reports: the table in `fixtures/golden` replayed through the library, the command and C.
//! `README.md` there says what everything means.

mod sources;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use fusion_core::ErrorKind;
use fusion_core::fuse::{FuseOptions, fuse};
use fusion_core::inspect::inspect;
use fusion_core::location::Location;
use fusion_core::oci::Platform;
use fusion_core::progress::Stop;
use fusion_core::registry::Connect;
use fusion_core::report::{ErrorReport, InspectedSource, Inspection, Verification};
use fusion_core::validate::verify;
use serde_json::{Map, Value, json};

use super::scene::{self, Scene};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn golden() -> PathBuf {
    fixtures().join("golden")
}

fn blesses() -> bool {
    std::env::var_os("FUSION_BLESS").is_some()
}

fn read(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn cases() -> Vec<Value> {
    let table = read(&golden().join("cases.json"));
    assert_eq!(table["schema"], "fusion.golden/v1");
    table["cases"].as_array().unwrap().clone()
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {case}"))
}

/// A case in its folder, its sources copied, what comes before it done.
struct Stage<'a> {
    case: &'a Value,
    scene: Scene,
}

impl<'a> Stage<'a> {
    fn set(case: &'a Value) -> Self {
        let stage = Self {
            case,
            scene: Scene::new(),
        };
        let before = case["before"].as_array().map_or(&[][..], Vec::as_slice);
        for run in before.iter().chain([case]) {
            for source in run["sources"].as_array().unwrap() {
                let source = source.as_str().unwrap();
                if let Some((_, name)) = source.rsplit_once('/') {
                    let target = stage.scene.path(name);
                    if !target.exists() {
                        scene::copy(&fixtures().join(source), &target);
                    }
                }
            }
        }
        for run in before {
            let words = stage.words(run, "fuse");
            stage
                .scene
                .run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        }
        stage
    }

    fn name(&self) -> &str {
        text(self.case, "name")
    }

    fn path(&self, name: &str) -> String {
        self.scene.path(name).to_str().unwrap().to_owned()
    }

    /// The paths of the sources of `run`.
    fn sources(&self, run: &Value) -> Vec<String> {
        let sources = run["sources"].as_array().unwrap().iter();
        sources
            .map(|source| source.as_str().unwrap())
            .map(|source| self.path(source.rsplit('/').next().unwrap()))
            .collect()
    }

    /// The options of `run`: name and value.
    fn options<'r>(&self, run: &'r Value) -> Vec<(&'r str, Option<String>)> {
        let mut options = Vec::new();
        let value = |name: &str, value: &Value| {
            let value = value.as_str().unwrap();
            match name {
                "source-platform" => self.path(value),
                _ => value.to_owned(),
            }
        };
        for (name, given) in run["options"].as_object().unwrap() {
            match given {
                Value::Bool(true) => options.push((name.as_str(), None)),
                Value::Array(values) => {
                    options.extend(
                        values
                            .iter()
                            .map(|one| (name.as_str(), Some(value(name, one)))),
                    );
                }
                one => options.push((name.as_str(), Some(value(name, one)))),
            }
        }
        options
    }

    /// The command line of `run`.
    fn words(&self, run: &Value, verb: &str) -> Vec<String> {
        let mut words = vec![verb.to_owned()];
        words.extend(self.sources(run));
        words.extend(run["reference"].as_str().map(str::to_owned));
        if let Some(output) = run["output"].as_str() {
            words.extend(["-o".to_owned(), self.path(output)]);
        }
        for (name, value) in self.options(run) {
            words.push(match value {
                Some(value) => format!("--{name}={value}"),
                None => format!("--{name}"),
            });
        }
        words
    }

    /// Runs the command.
    fn command(&self) -> Value {
        let mut words = self.words(self.case, text(self.case, "verb"));
        words.push("--json".to_owned());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = self.scene.output(&words);
        let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| {
            panic!(
                "{}: {e}\n{}",
                self.name(),
                String::from_utf8_lossy(&output.stderr)
            )
        });
        self.outcome(output.status.code().unwrap(), document)
    }

    /// Asks the library.
    fn library(&self) -> Value {
        let locate = |path: &String| Location::parse(path).unwrap();
        let sources: Vec<Location> = self.sources(self.case).iter().map(locate).collect();
        let stop = Stop::new();
        let exit = |error: &fusion_core::Error| i32::from(error.kind().exit_status());
        let (status, document) = match text(self.case, "verb") {
            "fuse" => {
                let output = self.case["output"].as_str().map(|output| self.path(output));
                let output = output.as_ref().map(locate);
                let options = parse(&self.options(self.case));
                match fuse(&sources, output.as_ref(), &options, None, &stop) {
                    Ok(report) => {
                        let document: Value = serde_json::from_str(&report.to_json()).unwrap();
                        (
                            if document["status"] == "partial" {
                                7
                            } else {
                                0
                            },
                            document,
                        )
                    }
                    Err(failure) => {
                        let document = serde_json::from_str(&failure.report.to_json()).unwrap();
                        (exit(&failure.error), document)
                    }
                }
            }
            "inspect" => {
                let reference = self.case["reference"].as_str();
                match inspect(&sources[0], reference, &Connect::default(), None, &stop) {
                    Ok(found) => (0, serde_json::from_str(&found.to_json()).unwrap()),
                    Err(error) => {
                        // What is not known of a source that could not be inspected.
                        let mut found = Inspection::new(InspectedSource {
                            kind: "unknown",
                            location: sources[0].spelled.clone(),
                            compression: "unknown",
                            size: 0,
                        });
                        found.error = Some(ErrorReport::from(&error));
                        (
                            exit(&error),
                            serde_json::from_str(&found.to_json()).unwrap(),
                        )
                    }
                }
            }
            "verify" => {
                let found: Verification =
                    verify(&sources, None, &Connect::default(), None, &stop).unwrap();
                let document = serde_json::from_str(&found.to_json()).unwrap();
                (if found.passed() { 0 } else { 4 }, document)
            }
            verb => panic!("no verb {verb}"),
        };
        self.outcome(status, document)
    }

    /// Asks the C library by way of `tests/c/golden.c`; `verb` may be `plan` too.
    fn c_library(&self, program: &OsStr, verb: &str) -> Value {
        let mut words = vec![verb.to_owned()];
        for (name, value) in self.options(self.case) {
            words.push(format!("{name}={}", value.as_deref().unwrap_or("true")));
        }
        if let Some(reference) = self.case["reference"].as_str() {
            words.push(format!("reference={reference}"));
        }
        words.push("--".to_owned());
        if matches!(verb, "fuse" | "plan") {
            let output = self.case["output"].as_str();
            words.push(output.map_or_else(String::new, |output| self.path(output)));
        }
        words.extend(self.sources(self.case));
        let mut command = self.scene.program(program, &words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let name = said.lines().last().unwrap_or_default();
        let ended = i32::from(name != "FUSION_STATUS_OK");
        assert_eq!(output.status.code(), Some(ended), "{words:?}: {said}");
        let document: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{}: {e}\n{said}", self.name()));
        let kind = ErrorKind::ALL.iter().find(|kind| {
            let kind = kind.name().to_uppercase().replace('-', "_");
            name.strip_prefix("FUSION_STATUS_") == Some(&kind)
        });
        let status = match (kind, document["status"].as_str()) {
            (Some(kind), _) => i32::from(kind.exit_status()),
            (None, _) if ended != 0 => panic!("no kind is {name}: {said}"),
            (None, Some("partial")) => 7,
            (None, Some("failed")) => 4,
            (None, _) => 0,
        };
        self.outcome(status, document)
    }

    /// What is compared.
    fn outcome(&self, status: i32, document: Value) -> Value {
        let output = self.case["output"]
            .as_str()
            .map(|name| self.scene.path(name));
        let output = output.filter(|path| path.exists());
        json!({
            "status": status,
            "document": mask(document, &format!("{}/", self.scene.folder().display())),
            "output": output.map(|path| scene::fingerprint(&path)),
        })
    }
}

/// Takes out what differs from run to run.
fn mask(mut document: Value, folder: &str) -> Value {
    strip(&mut document, folder);
    let members = document.as_object_mut().unwrap();
    members.insert("version".to_owned(), json!("<version>"));
    if members.contains_key("elapsed_seconds") {
        members.insert("elapsed_seconds".to_owned(), json!(0));
    }
    if let Some(destination) = members
        .get_mut("destination")
        .and_then(Value::as_object_mut)
    {
        destination.insert("location".to_owned(), json!("<destination>"));
    }
    document
}

fn strip(value: &mut Value, folder: &str) {
    match value {
        Value::String(text) => *text = text.replace(folder, ""),
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, folder)),
        Value::Object(members) => members.values_mut().for_each(|value| strip(value, folder)),
        _ => {}
    }
}

/// The options as the library takes them.
fn parse(given: &[(&str, Option<String>)]) -> FuseOptions {
    let mut options = FuseOptions::default();
    let pair = |value: &str| {
        let (one, other) = value.split_once('=').unwrap();
        (one.to_owned(), other.to_owned())
    };
    let platform = |value: &str| value.parse::<Platform>().unwrap();
    for (name, value) in given {
        let value = value.as_deref().unwrap_or_default();
        match *name {
            "format" => options.format = Some(value.parse().unwrap()),
            "platform" => options.platforms.push(platform(value)),
            "require-platform" => options.require_platforms.push(platform(value)),
            "image" => options.images.push(value.to_owned()),
            "exclude" => options.exclude.push(value.to_owned()),
            "on-conflict" => options.on_conflict = value.parse().unwrap(),
            "on-file-conflict" => options.on_file_conflict = value.parse().unwrap(),
            "on-existing" => options.on_existing = Some(value.parse().unwrap()),
            "source-platform" => {
                let (path, name) = pair(value);
                options
                    .source_platforms
                    .push((path.into(), platform(&name)));
            }
            "name" => options.name = Some(value.to_owned()),
            "strip-arch-suffix" => options.strip_arch_suffix = true,
            "rename" => options.rename.push(pair(value)),
            "compression" => options.compression = value.parse().unwrap(),
            "media-types" => options.media_types = value.parse().unwrap(),
            "docker-platform" => options.docker_platform = Some(platform(value)),
            "verify" => options.verify = value.parse().unwrap(),
            "annotation" => options.annotations.extend([pair(value)]),
            "durability" => options.durability = value.parse().unwrap(),
            "jobs" => options.jobs = Some(value.parse().unwrap()),
            "dry-run" => options.dry_run = true,
            "keep-going" => options.keep_going = true,
            name => panic!("no option {name}"),
        }
    }
    options
}

#[test]
fn library_and_command_answer_as_recorded() {
    if blesses() {
        sources::write();
    }
    let mut wrong = Vec::new();
    for case in &cases() {
        let name = text(case, "name");
        let path = golden().join("reports").join(format!("{name}.json"));
        let command = Stage::set(case).command();
        if blesses() {
            fs::create_dir_all(golden().join("reports")).unwrap();
            fs::write(&path, format!("{command:#}\n")).unwrap();
        }
        let expected = read(&path);
        let library = Stage::set(case).library();
        for (face, found) in [("command", command), ("library", library)] {
            if found != expected {
                wrong.push(format!(
                    "{name}, {face}:\n{}",
                    difference(&expected, &found)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `FUSION_GOLDEN_C` is `tests/c/golden.c`, built against the library in question.
#[test]
#[ignore = "scripts/test-c.sh runs it, with the library as it is installed"]
fn c_library_answers_as_recorded() {
    let program = std::env::var_os("FUSION_GOLDEN_C").expect("scripts/test-c.sh sets it");
    let mut wrong = Vec::new();
    for case in &cases() {
        let name = text(case, "name");
        let expected = read(&golden().join("reports").join(format!("{name}.json")));
        let mut verbs = vec![text(case, "verb")];
        if case["options"]["dry-run"] == true {
            verbs.push("plan");
        }
        for verb in verbs {
            let found = Stage::set(case).c_library(&program, verb);
            if found != expected {
                let difference = difference(&expected, &found);
                wrong.push(format!("{name}, {verb}:\n{difference}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_report_belongs_to_a_case() {
    let names: Vec<String> = cases()
        .iter()
        .map(|case| text(case, "name").to_owned())
        .collect();
    for file in scene::files(&golden().join("reports")) {
        let name = file.strip_suffix(".json").unwrap_or(&file);
        assert!(names.iter().any(|known| known == name), "{file}");
    }
    assert_eq!(
        names.len(),
        names
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    );
}

/// The values that differ, each with the way to it.
fn difference(expected: &Value, found: &Value) -> String {
    let mut lines = Vec::new();
    compare("", expected, found, &mut lines);
    lines.join("\n")
}

fn compare(at: &str, expected: &Value, found: &Value, lines: &mut Vec<String>) {
    let none = Value::Null;
    match (expected, found) {
        (Value::Object(one), Value::Object(other)) => {
            let keys = |members: &Map<String, Value>| members.keys().cloned().collect::<Vec<_>>();
            let mut all = [keys(one), keys(other)].concat();
            all.sort();
            all.dedup();
            for key in all {
                let (one, other) = (one.get(&key), other.get(&key));
                let at = format!("{at}/{key}");
                compare(&at, one.unwrap_or(&none), other.unwrap_or(&none), lines);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for index in 0..one.len().max(other.len()) {
                let (one, other) = (one.get(index), other.get(index));
                let at = format!("{at}/{index}");
                compare(&at, one.unwrap_or(&none), other.unwrap_or(&none), lines);
            }
        }
        (one, other) if one != other => lines.push(format!("  {at}: expected {one}, got {other}")),
        _ => {}
    }
}
