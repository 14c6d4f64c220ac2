//! Packaged charts, as others pack them.

use super::*;
use crate::chart::archive;
use crate::limits;
use crate::tar::{END, EntryKind, header, padding};

fn tgz(members: &[(&str, EntryKind, &[u8])]) -> Vec<u8> {
    use std::io::Write;
    let mut out = crate::compress::ParallelGzip::new(Vec::new(), 1, 1);
    for (name, kind, bytes) in members {
        let size = bytes.len() as u64;
        let header = header(name, kind, size, 0o644, 7);
        out.write_all(&header).expect("written");
        out.write_all(bytes).expect("written");
        out.write_all(&vec![0; padding(size) as usize])
            .expect("written");
    }
    out.write_all(&END).expect("written");
    out.finish().expect("written")
}

const CHART: &[u8] = b"name: app\nversion: 1.0.0\n";

#[test]
fn members_that_are_no_file_of_the_one_folder_are_refused() {
    use EntryKind::{Directory, File, Other, SymLink};
    let link = SymLink("/etc/passwd".to_owned());
    for (members, says) in [
        (vec![("../Chart.yaml", File, CHART)], "leads out"),
        (vec![("app/../../x", File, CHART)], "leads out"),
        (vec![("/app/Chart.yaml", File, CHART)], "leads out"),
        (
            vec![("Chart.yaml", File, CHART)],
            "outside of the one folder",
        ),
        (
            vec![("app/Chart.yaml", File, CHART), ("b/x", File, b"")],
            "`app/`",
        ),
        (
            vec![
                ("app/Chart.yaml", File, CHART),
                ("app/Chart.yaml", File, CHART),
            ],
            "there twice",
        ),
        (
            vec![("app/Chart.yaml", File, CHART), ("app/x", link, b"")],
            "no plain file",
        ),
        (
            vec![("app/Chart.yaml", File, CHART), ("app/x", Other(b'6'), b"")],
            "no plain file",
        ),
        (vec![("app", Directory, b"")], "without a chart"),
        (vec![("app/values.yaml", File, b"")], "without `Chart.yaml`"),
    ] {
        let error = Chart::from_tgz(&tgz(&members), "app.tgz").expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.to_string().contains("app.tgz"), "{error}");
        assert_eq!(error.kind(), ErrorKind::InvalidArchive, "{error}");
    }
}

#[test]
fn every_file_survives_whatever_it_is_called() {
    let names = [
        "templates/{{x}}.yaml",
        "files/\u{e9} \u{4e2d}.bin",
        "crds/a.yaml",
        "..data",
        "charts/_x/y",
    ];
    let mut all = files(&[("Chart.yaml", "name: app\nversion: v1.2\n")]);
    for name in names {
        all.insert(name.to_owned(), vec![0xff, 0, b'\r', b'\n']);
    }
    let chart = Chart::from_files(all.clone(), "").expect("a chart");
    let packed = chart.packed().expect("packed");
    assert_eq!(Chart::from_tgz(&packed, "").expect("read").files(), &all);
    let unpacked = archive::unpack(&packed, limits::MAX_CHART).expect("read");
    assert_eq!(unpacked.root, "app");
}

#[test]
fn a_chart_too_large_is_a_limit() {
    let zeros = vec![0; limits::MAX_CHART as usize + 1];
    let bomb = tgz(&[("app/x", EntryKind::File, &zeros)]);
    let error = Chart::from_tgz(&bomb, "app.tgz").expect_err("too much");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    let many = (0..=limits::MAX_CHART_FILES).map(|number| (number.to_string(), Vec::new()));
    let error = Chart::from_files(many.collect(), "app").expect_err("too many");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
}

#[test]
fn names_and_versions_that_no_repository_takes_are_refused() {
    for (metadata, says) in [
        ("name: ../app\nversion: 1.0.0\n", "`../app` is no name"),
        ("name: a/b\nversion: 1.0.0\n", "is no name"),
        ("name: ..\nversion: 1.0.0\n", "is no name"),
        ("name: app\nversion: latest\n", "`latest` is no version"),
        ("name: app\nversion: 1.2.3.4\n", "is no version"),
        ("name: app\nversion: \"1.0/..\"\n", "is no version"),
        ("name: app\nversion: ''\n", "states no version"),
        ("name: app\nversion: ~\n", "states no version"),
    ] {
        let error = Chart::from_files(files(&[("Chart.yaml", metadata)]), "x.tar").expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.to_string().contains("x.tar/Chart.yaml"), "{error}");
    }
}

#[test]
fn metadata_is_what_helm_makes_of_it() {
    let chart = of(&[
        (
            "Chart.yaml",
            "name: app\nversion: 1.0.0\napiVersion: v1\nappVersion: 20240101\nkeywords: [a, b]\n\
             unknown: x\ndeprecated: false\nmaintainers:\n- name: A\n  email: a@b\nannotations: {k: 1}\n",
        ),
        (
            "requirements.yaml",
            "dependencies:\n- {name: db, version: 1.x, alias: base}\n",
        ),
    ]);
    let expected = serde_json::json!({
        "name": "app", "version": "1.0.0", "apiVersion": "v1", "appVersion": "20240101",
        "keywords": ["a", "b"], "maintainers": [{"name": "A", "email": "a@b"}],
        "annotations": {"k": "1"},
        "dependencies": [{"name": "db", "version": "1.x", "alias": "base"}],
    });
    assert_eq!(chart.metadata_json(), expected);
    assert_eq!(chart.metadata_json()["appVersion"], "20240101");
}

#[test]
fn aliases_without_end_are_a_limit() {
    let list = ", *a".repeat(100_000);
    let metadata = format!("name: app\nversion: 1.0.0\nkeywords: [&a x{list}]\n");
    let error = Chart::from_files(files(&[("Chart.yaml", &metadata)]), "app").expect_err("much");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    let values = format!("x: [&a {{b: c}}{list}]\nimage: nginx\n");
    let chart = of(&[("values.yaml", &values)]);
    assert_eq!(chart.name(), "app");
}
