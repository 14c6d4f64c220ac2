//! The layers of the engine, who depends on whom, where `unsafe` stands, how long files are.
//!
//! Read from the sources as text: quick, and blind to nothing that a person would write.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use fusion_core::ErrorKind;
use serde_json::Value;

/// The modules of the engine: each uses only those above it.
const LAYERS: &[&str] = &[
    "error",
    "fsx",
    "progress",
    "limits",
    "settings",
    "yaml",
    "oci",
    "location",
    "report",
    "tar",
    "compress",
    "store",
    "registry",
    "container",
    "chart",
    "archive",
    "package",
    "graph",
    "validate",
    "fuse",
    "inspect",
    "deliver",
];

/// What the engine's root names besides modules, and the module that it comes from.
const REEXPORTS: &[(&str, &str)] = &[
    ("Error", "error"),
    ("ErrorKind", "error"),
    ("Result", "error"),
];

/// Where `unsafe` may stand.
const UNSAFE: &[&str] = &["core/src/fsx/sys.rs", "core/src/fsx/sys/", "ffi/src/"];

/// Who may depend on which of our own crates, outside tests.
const DEPENDENCIES: &[(&str, &[&str])] = &[
    ("fusion-core", &[]),
    ("fusion-fixtures", &[]),
    ("fusion-cli", &["fusion-core"]),
    ("fusion-ffi", &["fusion-core"]),
    ("fusion-python", &["fusion-core", "fusion-cli"]),
    ("fusion", &["fusion-cli"]),
];

/// What the engine neither needs nor brings along: it asks nobody, draws nothing, logs nowhere.
const NOT_IN_CORE: &[&str] = &[
    "clap",
    "indicatif",
    "tokio",
    "async-std",
    "tracing-subscriber",
    "env_logger",
    "anyhow",
];

/// What the engine does not call.
const NOT_CALLED: &[&str] = &[
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
    "dbg!",
    "process::exit",
    "process::abort",
    "set_global_default",
    "env::var",
];

/// Where the environment is asked.
const ASKS: &str = "core/src/settings.rs";

/// The longest file that needs no reason, and how a reason begins.
const LONG: usize = 500;
const REASON: &str = "Long because";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A source file: its path from the root, and its text with comments blanked.
struct Source {
    path: String,
    text: String,
    code: String,
}

/// All Rust sources below `folder`, sorted.
fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(root()).unwrap().to_str().unwrap();
        Source {
            path: path.to_owned(),
            code: text.lines().map(code).collect::<Vec<_>>().join("\n"),
            text,
        }
    };
    found.into_iter().map(read).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            collect(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

/// Every Rust source of the repository.
fn everything() -> Vec<Source> {
    let members = [
        "core", "cli", "ffi", "python", "fixtures", "tests", "benches", "fuzz",
    ];
    members.into_iter().flat_map(sources).collect()
}

/// A line without its comment.
fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.ends_with("/testing.rs")
}

/// The names that follow `start` in `code`: one, or those of a brace.
fn names(code: &str, start: usize) -> Vec<String> {
    let rest = code[start..].trim_start();
    let Some(group) = rest.strip_prefix('{') else {
        return vec![identifier(rest)];
    };
    let (mut depth, mut fresh, mut found) = (0, true, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if fresh && !letter.is_whitespace() => {
                found.push(identifier(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    found
}

fn identifier(text: &str) -> String {
    let part = |letter: &char| letter.is_alphanumeric() || *letter == '_';
    text.chars().take_while(part).collect()
}

/// What `source` takes from the root of the crate: by `crate::`, or by climbing there. Climbing from
/// a module inside the file ends earlier, so only names of layers count then.
fn from_the_root(source: &Source, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let climb = "super::".repeat(depth);
    for path in ["crate::", &climb] {
        for (at, _) in source.code.match_indices(path) {
            let whole = at == 0 || !source.code[..at].ends_with([':', '_', '$']);
            let line = source.code[..at].matches('\n').count() + 1;
            if whole {
                let names = names(&source.code, at + path.len()).into_iter();
                let known = |name: &String| path == "crate::" || LAYERS.contains(&name.as_str());
                found.extend(names.filter(known).map(|name| (line, name)));
            }
        }
    }
    found
}

#[test]
fn a_module_uses_only_what_stands_above_it() {
    let place = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for source in sources("core/src") {
        let inside = source.path.strip_prefix("core/src/").unwrap();
        let parts: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
        let depth = parts.iter().filter(|part| **part != "mod").count();
        let module = parts[0];
        if module == "lib" {
            continue;
        }
        let Some(own) = place(module) else {
            wrong.push(format!("{}: `{module}` is no layer yet", source.path));
            continue;
        };
        seen.insert(own);
        for (line, name) in from_the_root(&source, depth) {
            let reexport = REEXPORTS.iter().find(|(known, _)| *known == name);
            let target = reexport.map_or(name.as_str(), |(_, module)| module);
            match place(target) {
                Some(used) if used <= own => {}
                Some(_) => wrong.push(format!(
                    "{}:{line}: `{module}` uses `{target}`, which stands below it",
                    source.path
                )),
                None => wrong.push(format!("{}:{line}: `{name}` is no layer yet", source.path)),
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(seen.len(), LAYERS.len(), "a layer is gone: {LAYERS:?}");
}

#[test]
fn crates_depend_downwards() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let (_, allowed) = DEPENDENCIES
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("say in DEPENDENCIES what `{name}` may depend on"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let on = dependency["name"].as_str().unwrap();
            let ours = on.starts_with("fusion");
            let bad = match dependency["kind"].as_str() {
                None => ours && !allowed.contains(&on),
                Some(_) => ours && name == "fusion-fixtures",
            };
            assert!(!bad, "`{name}` must not depend on `{on}`");
        }
    }
}

#[test]
fn the_engine_brings_no_interface_along() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let mut graph: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let name = package
            .lines()
            .find_map(|line| line.strip_prefix("name = "))
            .unwrap();
        let listed = package
            .split_once("dependencies = [")
            .map_or("", |(_, list)| list);
        let needs = listed
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with('"'));
        let bare = |quoted: &'_ str| quoted.trim_matches(['"', ',']).len();
        let needs = needs.map(|line| {
            let text = &line[1..=bare(line)];
            text.split(' ').next().unwrap()
        });
        graph
            .entry(name.trim_matches('"'))
            .or_default()
            .extend(needs);
    }
    let (mut reached, mut open) = (BTreeSet::new(), vec!["fusion-core"]);
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(graph.get(name).into_iter().flatten());
        }
    }
    assert!(
        reached.contains("serde"),
        "the lock file was not understood"
    );
    for name in NOT_IN_CORE {
        assert!(!reached.contains(name), "fusion-core brings `{name}` along");
    }
}

#[test]
fn the_engine_is_quiet() {
    for source in sources("core/src") {
        for call in NOT_CALLED {
            if *call == "env::var" && source.path == ASKS {
                continue;
            }
            let called = |line: &str| {
                line.match_indices(call)
                    .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
            };
            let line = source.code.lines().position(called);
            assert!(
                line.is_none() || is_test(&source.path),
                "{}:{}: the engine calls `{call}`",
                source.path,
                line.unwrap_or_default() + 1
            );
        }
    }
}

#[test]
fn unsafe_code_stands_in_its_place_and_says_why() {
    let word = format!("un{}", "safe");
    for source in everything() {
        let lines: Vec<&str> = source.text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let used = code(line)
                .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .any(|part| part == word);
            if !used || code(line).contains('"') {
                continue;
            }
            let place = format!("{}:{}", source.path, at + 1);
            let allowed = UNSAFE.iter().any(|path| source.path.starts_with(path));
            assert!(allowed, "{place}: {word} code belongs into {UNSAFE:?}");
            // A declaration asks something of its callers; who calls says why that holds.
            let declares = ["fn ", "extern ", "(no_mangle)"];
            let after = code(line)
                .split_once(&word)
                .map_or("", |(_, rest)| rest.trim_start());
            if declares.iter().any(|declares| after.starts_with(declares)) {
                continue;
            }
            let above = lines[..at].iter().rev().take(8);
            let mut above = above.take_while(|line| !code(line).contains(&word));
            let said = above.any(|line| line.contains("// SAFETY:"));
            assert!(said, "{place}: no SAFETY comment");
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "for those who look with --nocapture")]
fn files_are_short() {
    let all = everything();
    let too_long: Vec<_> = all
        .iter()
        .filter(|source| source.text.lines().count() > LONG)
        .filter(|source| {
            !source
                .text
                .lines()
                .take(20)
                .any(|line| line.contains(REASON))
        })
        .map(|source| &source.path)
        .collect();
    assert!(
        too_long.is_empty(),
        "over {LONG} lines, without a line `{REASON} …` at the top: {too_long:?}"
    );
    let shipped = all.iter().filter(|source| !is_test(&source.path));
    let mut lengths: Vec<_> = shipped.map(|source| source.text.lines().count()).collect();
    lengths.sort_unstable();
    let (median, ninth) = (lengths[lengths.len() / 2], lengths[lengths.len() * 9 / 10]);
    println!(
        "{} files, median {median} lines, nine in ten up to {ninth}",
        lengths.len()
    );
    assert!(
        median <= 200 && ninth <= 350,
        "{median}, {ninth}: split files"
    );
}

/// That every kind is documented, `cli` tests; here, that nothing else is.
#[test]
fn the_kinds_in_the_documentation_exist() {
    let page = std::fs::read_to_string(root().join("docs/cli.md")).unwrap();
    let (_, table) = page.split_once("## Exit status").unwrap();
    let mut documented = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let Ok(status) = cells[1].parse::<u8>() else {
            continue;
        };
        for kind in cells[3].split(", ").filter(|cell| !cell.is_empty()) {
            documented.insert((kind.trim_matches('`').to_owned(), status));
        }
    }
    let kinds = ErrorKind::ALL.iter();
    let real = kinds.map(|kind| (kind.name().to_owned(), kind.exit_status()));
    assert_eq!(documented, real.collect());
}
