//! Bad bundles and packages, all of them, from a file and through standard input: a clear error
//! with the path through the nesting, and nothing published.

mod table;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fusion_fixtures::hostile;
use serde_json::Value;

use super::super::support::{Ran, Scene, fusion, text};
use table::{DIGEST, HINT, OFFSET, ROWS, Row, Verdict};

#[test]
fn bad_packages_are_refused_with_the_path_through_the_nesting() {
    let listed = |name: &str| ROWS.iter().filter(|row| row.case == name).count();
    for case in hostile::packages() {
        assert_eq!(listed(case.name), 1, "rows for {}", case.name);
    }
    assert_eq!(ROWS.len(), hostile::packages().len());

    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(row) = ROWS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = row.check();
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

impl Row {
    /// What is wrong with how it ends.
    fn check(&self) -> Vec<String> {
        let scene = Scene::new();
        let case = hostile::case(self.case).unwrap();
        let source = (case.build)(&scene.path().join("in")).unwrap();
        let mut wrong = Vec::new();
        for standard in [false, true] {
            let verbs = [
                ("fuse", self.fuse),
                ("verify", self.verify),
                ("inspect", self.inspect),
            ];
            for (verb, verdict) in verbs {
                let ran = run(&scene, verb, &source, standard);
                let published = scene.published();
                let found = match verdict {
                    Verdict::Passes if verb == "fuse" => {
                        let missing = published.is_empty().then_some("nothing was published");
                        missing
                            .map(str::to_owned)
                            .into_iter()
                            .chain(passed(&ran))
                            .collect()
                    }
                    Verdict::Passes => passed(&ran),
                    Verdict::Fails => {
                        let left = (!published.is_empty()).then(|| format!("left {published:?}"));
                        self.refused(&scene, verb, &ran, standard)
                            .into_iter()
                            .chain(left)
                            .collect()
                    }
                };
                super::super::scene::remove(&scene.out("out.tar"));
                let about = format!("{} ({}) {verb}", self.case, case.about);
                wrong.extend(found.iter().map(|what| format!("{about}: {what}\n{ran}")));
            }
        }
        wrong
    }

    /// What is wrong with a run that had to find what is wrong with the input.
    fn refused(&self, scene: &Scene, verb: &str, ran: &Ran, standard: bool) -> Vec<String> {
        let report = ran.json();
        let said = match verb {
            "verify" => {
                let findings = report["findings"].as_array().unwrap();
                let error = findings
                    .iter()
                    .find(|finding| finding["severity"] == "error");
                error.cloned().unwrap_or_default()
            }
            _ => report["error"].clone(),
        };
        let mut wrong = Vec::new();
        let mut insist = |right: bool, what: String| {
            if !right {
                wrong.push(what);
            }
        };
        let kind = self.kind.expect("a row that fails says how");
        insist(
            ran.status == Some(i32::from(kind.exit_status())),
            "the exit status".to_owned(),
        );
        let found = if verb == "verify" {
            &said["code"]
        } else {
            &said["kind"]
        };
        insist(found == kind.name(), format!("{found} is not {kind}"));
        let path = text(&said["path"]);
        let expected = match (standard, verb) {
            // A finding names its source as the command line does.
            (true, "verify") => path == "-",
            (true, _) => path == "standard input",
            (false, _) => Path::new(&path).starts_with(scene.path().join("in")),
        };
        insist(expected, format!("the path is {path}"));
        let member = text(&said["member"]);
        let same = match self.member.strip_suffix('*') {
            Some(prefix) => member.starts_with(prefix) && member.len() > prefix.len(),
            None => member == self.member,
        };
        insist(same, format!("the member is {member}, not {}", self.member));
        for (part, key) in [(OFFSET, "offset"), (DIGEST, "digest"), (HINT, "hint")] {
            // Findings are a list: what to do about them all is said once, elsewhere.
            let asked = self.names & part != 0 && !(verb == "verify" && key == "hint");
            insist(
                !asked || said[key] != Value::Null,
                format!("no {key} in {said}"),
            );
        }
        let message = text(&said["message"]);
        insist(
            message.chars().count() < 700,
            format!("a message of {} letters", message.len()),
        );
        if verb != "verify" {
            insist(
                ran.stderr.contains("error: "),
                "people are told nothing".to_owned(),
            );
        }
        wrong
    }
}

fn run(scene: &Scene, verb: &str, source: &Path, standard: bool) -> Ran {
    let named = if standard { Path::new("-") } else { source };
    let mut run = fusion([verb, "--json"]).arg(named);
    if verb == "fuse" {
        let out = scene.out("out.tar");
        run = run.arg("--durability").arg("rename").arg("-o").arg(out);
    }
    match standard {
        true => run.input(source).run(),
        false => run.run(),
    }
}

fn passed(ran: &Ran) -> Vec<String> {
    let fine = ran.status == Some(0) && ran.json()["error"].is_null();
    let wrong = (!fine).then(|| "it should have passed".to_owned());
    wrong.into_iter().collect()
}
