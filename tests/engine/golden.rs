//! Golden reports: the table in `fixtures/golden` replayed through the library, the command and C.
//! `README.md` there says what everything means.

mod difference;
mod options;
mod sources;
mod stage;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::scene;
use difference::difference;
use stage::Stage;

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
        if case["verb"] == "fuse" && case["options"]["dry-run"] == true {
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
