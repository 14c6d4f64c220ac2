//! Charts as wholes: read, packaged, read again.

mod carried;
mod hints;
mod packages;
mod relocation;

use std::collections::BTreeMap;

use super::Chart;
use crate::error::ErrorKind;

fn files(files: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    let file = |(name, text): &(&str, &str)| ((*name).to_owned(), text.as_bytes().to_vec());
    files.iter().map(file).collect()
}

fn chart(metadata: &str) -> Chart {
    let all = files(&[
        ("Chart.yaml", metadata),
        ("values.yaml", "a: 1\n"),
        ("crds/x.yaml", "kind: X\n"),
        ("templates/{{x}}.yaml", "{{ .Values.a }}\n"),
        (".helmignore", "*.tmp\n"),
    ]);
    Chart::from_files(all, "a test").expect("a chart")
}

#[test]
fn what_is_packaged_is_read_again() {
    let chart = chart("apiVersion: v2\nname: app\nversion: 1.10\nappVersion: 1.20\n");
    assert_eq!((chart.name(), chart.version()), ("app", "1.10"));
    assert_eq!(chart.metadata_json()["appVersion"], "1.20");
    let packed = chart.packed().expect("packaged");
    assert_eq!(packed, chart.packed().expect("packaged"));
    let again = Chart::from_tgz(&packed, "app.tgz").expect("read");
    assert_eq!(again.files(), chart.files());
}

#[test]
fn damaged_charts_are_errors_that_say_where() {
    for (all, says) in [
        (files(&[("values.yaml", "a: 1")]), "without `Chart.yaml`"),
        (files(&[("Chart.yaml", "name: a\n")]), "states no version"),
        (files(&[("Chart.yaml", "version: 1\n")]), "states no name"),
        (files(&[("Chart.yaml", "- a\n")]), "line 1"),
        (files(&[("Chart.yaml", "name: [\n")]), "line"),
        (
            files(&[("../x", ""), ("Chart.yaml", "name: a\nversion: 1\n")]),
            "leads out",
        ),
    ] {
        let error = Chart::from_files(all, "x.tar").expect_err(says);
        assert_eq!(error.kind(), ErrorKind::InvalidArchive, "{says}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.to_string().contains("x.tar"), "{error}");
    }
    let error = Chart::from_tgz(b"<html>", "x.tgz").expect_err("no archive");
    assert!(error.to_string().contains("x.tgz"), "{error}");
}

/// A chart of these files, with a `Chart.yaml` if there is none among them.
fn of(all: &[(&str, &str)]) -> Chart {
    let mut all = files(all);
    let metadata = b"apiVersion: v2\nname: app\nversion: 1.0.0\n".to_vec();
    all.entry("Chart.yaml".to_owned()).or_insert(metadata);
    Chart::from_files(all, "app.bundle.tar \u{203a} original-chart").expect("a chart")
}

fn file<'c>(chart: &'c Chart, name: &str) -> &'c str {
    let bytes = chart
        .files()
        .get(name)
        .unwrap_or_else(|| panic!("no {name}"));
    std::str::from_utf8(bytes).expect("text")
}
