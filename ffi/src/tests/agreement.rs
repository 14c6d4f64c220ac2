//! Lists that are written down twice say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fusion_core::ErrorKind;
use fusion_core::deliver::DeliverOptions;
use fusion_core::fuse::FuseOptions;
use fusion_core::progress::Phase;

use crate::{progress, status};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The statuses that the header defines: name, number.
fn statuses() -> BTreeMap<String, i32> {
    let header = read("include/fusion.h");
    let defined = header.lines().filter_map(|line| {
        let (name, number) = line
            .strip_prefix("#define FUSION_STATUS_")?
            .split_once(' ')?;
        Some((name.to_owned(), number.parse().expect("a number")))
    });
    defined.collect()
}

/// The name of a kind's status.
fn status_of(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::Internal => "PANIC".to_owned(),
        _ => kind.name().to_uppercase().replace('-', "_"),
    }
}

#[test]
fn every_kind_of_error_is_a_status_and_every_status_a_kind() {
    let mut expected: BTreeMap<String, i32> = ErrorKind::ALL
        .iter()
        .map(|kind| (status_of(*kind), kind.code()))
        .collect();
    expected.insert("OK".to_owned(), 0);
    expected.insert("NULL_ARGUMENT".to_owned(), -10);
    assert_eq!(statuses(), expected);
}

#[test]
fn every_status_has_its_name() {
    for (name, number) in statuses() {
        let given = status::name(number).to_str().expect("ASCII");
        assert_eq!(given, format!("FUSION_STATUS_{name}"));
    }
    for number in [i32::MIN, -1000, -3, 1, i32::MAX] {
        assert_eq!(status::name(number), c"FUSION_STATUS_UNKNOWN");
    }
}

#[test]
fn the_manual_lists_every_status() {
    let manual = read("../docs/c-api.md");
    let row = |line: &str| {
        let mut cells = line.split('|').map(str::trim);
        let name = cells
            .nth(1)?
            .strip_prefix("`FUSION_STATUS_")?
            .strip_suffix('`')?;
        Some((name.to_owned(), cells.next()?.parse().expect("a number")))
    };
    let listed: BTreeMap<String, i32> = manual.lines().filter_map(row).collect();
    assert_eq!(listed, statuses());
}

#[test]
fn the_header_names_every_option() {
    let header = read("include/fusion.h").replace("\n *", "");
    for name in FuseOptions::NAMES.iter().chain(DeliverOptions::NAMES) {
        assert!(header.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[test]
fn the_list_of_symbols_is_what_the_header_declares() {
    let header = read("include/fusion.h");
    let declared: BTreeSet<&str> = header
        .lines()
        .filter(|line| !line.starts_with([' ', '/', '#', '}']) && !line.starts_with("typedef"))
        .filter_map(|line| line.split_once('(').map(|(before, _)| before))
        .filter_map(|before| before.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("fusion_"))
        .collect();
    let symbols = read("symbols.txt");
    assert!(symbols.lines().is_sorted());
    assert_eq!(symbols.lines().collect::<BTreeSet<_>>(), declared);
}

#[test]
fn phases_have_the_same_words() {
    for phase in [Phase::Read, Phase::Write, Phase::Publish] {
        assert_eq!(progress::phase(phase).to_str(), Ok(phase.name()));
    }
}
