//! One case, and what each face answers to it.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use fusion_core::ErrorKind;
use fusion_core::deliver::{fuse, import_addon, index_create, push, sync};
use fusion_core::fuse::Failure;
use fusion_core::inspect::inspect;
use fusion_core::location::Location;
use fusion_core::progress::Stop;
use fusion_core::registry::Connect;
use fusion_core::report::{ErrorReport, InspectedSource, Inspection, Report, Verification};
use fusion_core::validate::verify;
use serde_json::{Value, json};

use super::super::scene::{self, Scene};
use super::options::parse;
use super::{fixtures, text};
use crate::registry::docker::DockerRegistry;

/// Whether a word of a case is given as it stands, once its placeholders are filled in.
fn is_filled_in(word: &str) -> bool {
    word.contains("{registry}") || word.contains("{folder}")
}

/// A case in its folder, its sources copied, what comes before it done.
pub(super) struct Stage<'a> {
    case: &'a Value,
    scene: Scene,
    /// An empty one, if the case names one.
    registry: Option<DockerRegistry>,
}

impl<'a> Stage<'a> {
    pub(super) fn set(case: &'a Value) -> Self {
        let named = case.to_string().contains("{registry}");
        let stage = Self {
            case,
            scene: Scene::new(),
            registry: named.then(DockerRegistry::open),
        };
        let before = case["before"].as_array().map_or(&[][..], Vec::as_slice);
        for run in before.iter().chain([case]) {
            for source in run["sources"].as_array().unwrap() {
                let source = source.as_str().unwrap();
                if is_filled_in(source) {
                    continue;
                }
                if let Some((_, name)) = source.rsplit_once('/') {
                    let target = stage.scene.path(name);
                    if !target.exists() {
                        scene::copy(&fixtures().join(source), &target);
                    }
                }
            }
        }
        stage.write_files();
        for run in before {
            let words = stage.words(run, run["verb"].as_str().unwrap_or("fuse"));
            stage
                .scene
                .run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        }
        stage
    }

    /// Writes the files whose text stands in the case.
    fn write_files(&self) {
        for (name, lines) in self.case["files"].as_object().into_iter().flatten() {
            let lines = lines.as_array().unwrap().iter();
            let text: String = lines
                .map(|line| format!("{}\n", self.filled(line.as_str().unwrap())))
                .collect();
            fs::write(self.scene.path(name), text).unwrap();
        }
    }

    fn name(&self) -> &str {
        text(self.case, "name")
    }

    fn path(&self, name: &str) -> String {
        self.scene.path(name).to_str().unwrap().to_owned()
    }

    /// `word` with the registry and the folder filled in.
    fn filled(&self, word: &str) -> String {
        let host = self.registry.as_ref().map_or("", DockerRegistry::host);
        let folder = self.scene.folder().to_str().unwrap();
        word.replace("{registry}", host).replace("{folder}", folder)
    }

    /// The path or place that `name` is for.
    fn place(&self, name: &str) -> String {
        match is_filled_in(name) {
            true => self.filled(name),
            false => self.path(name),
        }
    }

    /// The sources of `run`: paths, or names with the registry in them.
    fn sources(&self, run: &Value) -> Vec<String> {
        let sources = run["sources"].as_array().unwrap().iter();
        sources
            .map(|source| source.as_str().unwrap())
            .map(|source| match is_filled_in(source) {
                true => self.filled(source),
                false => self.path(source.rsplit('/').next().unwrap()),
            })
            .collect()
    }

    /// Where `run` goes, or what says so, if it goes anywhere.
    fn destination(&self, run: &Value) -> Option<String> {
        let key = match run["verb"].as_str() {
            Some("push") => "to",
            Some("index create") => "target",
            Some("sync" | "import-addon") => "config",
            _ => "output",
        };
        run[key].as_str().map(|place| self.place(place))
    }

    /// The options of `run`: name and value.
    fn options<'r>(&self, run: &'r Value) -> Vec<(&'r str, Option<String>)> {
        let mut options = Vec::new();
        let value = |name: &str, value: &Value| {
            let value = value.as_str().unwrap();
            match name {
                "source-platform" => self.path(value),
                _ => self.filled(value),
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
        let mut words: Vec<String> = verb.split(' ').map(str::to_owned).collect();
        let (sources, destination) = (self.sources(run), self.destination(run));
        match (verb, destination) {
            ("index create", target) => {
                words.extend(target);
                words.extend(sources);
            }
            (_, None) => words.extend(sources),
            ("sync" | "import-addon", Some(config)) => {
                let option = if verb == "sync" {
                    "source"
                } else {
                    "addon-path"
                };
                words.extend(["-c".to_owned(), config]);
                words.extend(sources.iter().map(|path| format!("--{option}={path}")));
            }
            (_, Some(place)) => {
                let option = if verb == "push" { "--to" } else { "-o" };
                words.extend(sources);
                words.extend([option.to_owned(), place]);
            }
        }
        words.extend(run["reference"].as_str().map(str::to_owned));
        for (name, value) in self.options(run) {
            words.push(match value {
                Some(value) => format!("--{name}={value}"),
                None => format!("--{name}"),
            });
        }
        words
    }

    /// Runs the command.
    pub(super) fn command(&self) -> Value {
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
    pub(super) fn library(&self) -> Value {
        let locate = |path: &String| Location::parse(path).unwrap();
        let sources: Vec<Location> = self.sources(self.case).iter().map(locate).collect();
        let stop = Stop::new();
        let exit = |error: &fusion_core::Error| i32::from(error.kind().exit_status());
        let ended = |outcome: Result<Report, Failure>| {
            let (status, report) = match outcome {
                Ok(report) => (None, report),
                Err(failure) => (Some(exit(&failure.error)), *failure.report),
            };
            let document: Value = serde_json::from_str(&report.to_json()).unwrap();
            let partial = document["status"] == "partial";
            (status.unwrap_or(if partial { 7 } else { 0 }), document)
        };
        let destination = self.destination(self.case);
        let mut options = parse(&self.options(self.case));
        let (status, document) = match text(self.case, "verb") {
            "fuse" => {
                let output = destination.as_ref().map(locate);
                ended(fuse(&sources, output.as_ref(), &options, None, &stop))
            }
            "push" => {
                let to = destination.expect("`to`");
                ended(push(&sources, &to, &options, None, &stop))
            }
            "sync" => {
                let config = destination.expect("`config`");
                options.charts.sources = sources;
                ended(sync(Path::new(&config), &options, None, &stop))
            }
            "import-addon" => {
                let config = destination.expect("`config`");
                let config = Path::new(&config);
                ended(import_addon(config, &sources, &options, None, &stop))
            }
            "index create" => {
                let target = destination.expect("`target`");
                let names = self.sources(self.case);
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                ended(index_create(&target, &names, &options, None, &stop))
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
    pub(super) fn c_library(&self, program: &OsStr, verb: &str) -> Value {
        let mut words = vec![verb.to_owned()];
        for (name, value) in self.options(self.case) {
            words.push(format!("{name}={}", value.as_deref().unwrap_or("true")));
        }
        if let Some(reference) = self.case["reference"].as_str() {
            words.push(format!("reference={reference}"));
        }
        let sources = self.sources(self.case);
        if verb == "sync" {
            words.extend(sources.iter().map(|path| format!("source={path}")));
        }
        words.push("--".to_owned());
        if !matches!(verb, "inspect" | "verify") {
            words.push(self.destination(self.case).unwrap_or_default());
        }
        if verb != "sync" {
            words.extend(sources);
        }
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
            "document": self.mask(document),
            "output": output.map(|path| scene::fingerprint(&path)),
        })
    }

    /// Takes out what differs from run to run.
    fn mask(&self, mut document: Value) -> Value {
        let mut pairs = vec![(format!("{}/", self.scene.folder().display()), "")];
        if let Some(registry) = &self.registry {
            pairs.push((registry.host().to_owned(), "{registry}"));
        }
        replace(&mut document, &pairs);
        let members = document.as_object_mut().unwrap();
        members.insert("version".to_owned(), json!("<version>"));
        if members.contains_key("elapsed_seconds") {
            members.insert("elapsed_seconds".to_owned(), json!(0));
        }
        let destination = members.get_mut("destination");
        if let Some(destination) = destination.and_then(Value::as_object_mut) {
            destination.insert("location".to_owned(), json!("<destination>"));
        }
        document
    }
}

/// Puts what comes second of each pair in place of what comes first, in every string.
fn replace(value: &mut Value, pairs: &[(String, &str)]) {
    match value {
        Value::String(text) => {
            for (one, other) in pairs {
                *text = text.replace(one, other);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, pairs)),
        Value::Object(members) => members.values_mut().for_each(|value| replace(value, pairs)),
        _ => {}
    }
}
