//! Charts whose images move.

use super::*;
use crate::chart::{Change, Hints, Place, Relocated};
use crate::oci::Digest;

fn hints(text: &str) -> Hints {
    Hints::parse(text, "hints.yaml").expect(text)
}

/// Where images go here: the last part of their name, below a project.
fn place(image: &crate::chart::Hinted) -> Place {
    Place {
        registry: "reg.io:5000".to_owned(),
        repository: format!("mirror/{}", image.normalised.last_component()),
        digest: None,
    }
}

fn relocated(chart: &Chart, list: &str) -> Relocated {
    let moved = chart.relocated(&hints(list), &mut |image| Ok(Some(place(image))));
    moved.expect("relocated")
}

fn failing(chart: &Chart, list: &str) -> crate::error::Error {
    let moved = chart.relocated(&hints(list), &mut |image| Ok(Some(place(image))));
    moved.expect_err(list)
}

#[test]
fn values_are_edited_in_place() {
    for (values, hint, expected) in [
        (
            "# top\r\nimage:\r\n  registry: docker.io  # where\r\n  repository: 'acme/app'\r\n  tag: 1.10\r\n",
            "{{ .image.registry }}/{{ .image.repository }}:{{ .image.tag }}",
            "# top\r\nimage:\r\n  registry: reg.io:5000  # where\r\n  repository: 'mirror/app'\r\n  tag: 1.10\r\n",
        ),
        (
            "image: \"acme/app\" # x\ntag: v1\n",
            "{{ .image }}:{{ .tag }}",
            "image: \"reg.io:5000/mirror/app\" # x\ntag: v1\n",
        ),
        (
            "image: acme/app:v1\n",
            "{{ .image }}",
            "image: reg.io:5000/mirror/app:v1\n",
        ),
        (
            "image: acme/app\n",
            "{{ .image }}",
            "image: reg.io:5000/mirror/app\n",
        ),
        // The literal tag stays in the hint; nothing is pinned.
        (
            "image: acme/app\n",
            "{{ .image }}:1.0",
            "image: reg.io:5000/mirror/app\n",
        ),
        (
            "r: docker.io\nt: 1\n",
            "{{ .r }}/mirror/app:{{ .t }}-x",
            "r: reg.io:5000\nt: 1\n",
        ),
        (
            "r: ''\np: acme/app\n",
            "{{ .r }}/{{ .p }}:1",
            "r: 'reg.io:5000'\np: mirror/app\n",
        ),
        (
            "r: \np: acme/app\n",
            "{{ .r }}/{{ .p }}:1",
            "r: reg.io:5000 \np: mirror/app\n",
        ),
        (
            "r: docker.io/\np: acme/app\n",
            "{{ .r }}{{ .p }}:1",
            "r: reg.io:5000/\np: mirror/app\n",
        ),
        (
            "r: docker.io/\np: acme/app\n",
            "{{ .r }}/{{ .p }}:1",
            "r: reg.io:5000/\np: mirror/app\n",
        ),
        (
            "r: docker.io\np: /acme/app\n",
            "{{ .r }}{{ .p }}:1",
            "r: reg.io:5000\np: /mirror/app\n",
        ),
        (
            "{r: docker.io, p: acme/app}\n",
            "{{ .r }}/{{ .p }}:1",
            "{r: \"reg.io:5000\", p: mirror/app}\n",
        ),
        (
            "a: &a {r: docker.io, p: acme/app}\nb: *a\n",
            "{{ .a.r }}/{{ .a.p }}:1",
            "a: &a {r: \"reg.io:5000\", p: mirror/app}\nb: {r: docker.io, p: acme/app}\n",
        ),
    ] {
        let chart = of(&[("values.yaml", values)]);
        let moved = relocated(&chart, &format!("- \"{hint}\"\n"));
        assert_eq!(file(&moved.chart, "values.yaml"), expected, "{hint}");
    }
}

#[test]
fn changes_say_what_was_and_what_is() {
    let chart = of(&[("values.yaml", "r: reg.io:5000\np: acme/app\nt: 1\n")]);
    let moved = relocated(&chart, "- \"{{ .r }}/{{ .p }}:{{ .t }}\"\n");
    let expected = Change {
        file: "values.yaml".to_owned(),
        key: "p".to_owned(),
        old: Some("acme/app".to_owned()),
        new: "mirror/app".to_owned(),
    };
    assert_eq!(moved.changes, [expected]);
}

#[test]
fn a_digest_becomes_what_the_place_says() {
    let (old, new) = (Digest::of(b"one"), Digest::of(b"all"));
    let mut to = |image: &crate::chart::Hinted| {
        Ok(Some(Place {
            digest: Some(new),
            ..place(image)
        }))
    };
    for (values, hint, expected) in [
        (
            format!("p: acme/app\nd: {old} # pin\n"),
            "{{ .p }}@{{ .d }}",
            format!("p: reg.io:5000/mirror/app\nd: {new} # pin\n"),
        ),
        (
            "p: acme/app\nd: ''\n".to_owned(),
            "{{ .p }}:1@{{ .d }}",
            "p: reg.io:5000/mirror/app\nd: ''\n".to_owned(),
        ),
        (
            format!("i: acme/app:1@{old}\n"),
            "{{ .i }}",
            format!("i: reg.io:5000/mirror/app:1@{new}\n"),
        ),
        // No hint, no pin.
        (
            "i: acme/app\n".to_owned(),
            "{{ .i }}:1",
            "i: reg.io:5000/mirror/app\n".to_owned(),
        ),
    ] {
        let chart = of(&[("values.yaml", &values)]);
        let moved = chart.relocated(&hints(&format!("- \"{hint}\"\n")), &mut to);
        assert_eq!(file(&moved.expect("moved").chart, "values.yaml"), expected);
    }
}

#[test]
fn subcharts_change_where_their_values_are_owned() {
    let sub = [
        ("charts/db/Chart.yaml", "name: db\nversion: 1.0.0\n"),
        (
            "charts/db/values.yaml",
            "# db\nimage: {r: docker.io, p: acme/db}\n",
        ),
    ];
    let hint = "- \"{{ .db.image.r }}/{{ .db.image.p }}:1\"\n";
    // Nothing above: the subchart's own file.
    let chart = of(&[&sub[..], &[("values.yaml", "x: 1\n")]].concat());
    let moved = relocated(&chart, hint);
    assert_eq!(file(&moved.chart, "values.yaml"), "x: 1\n");
    assert_eq!(
        file(&moved.chart, "charts/db/values.yaml"),
        "# db\nimage: {r: \"reg.io:5000\", p: mirror/db}\n"
    );
    assert_eq!(moved.changes[0].file, "charts/db/values.yaml");
    assert_eq!(moved.changes[0].key, "image.p");
    // The chart above has something to say: there, also what it did not say yet.
    let chart = of(&[
        &sub[..],
        &[(
            "values.yaml",
            "db:\n  image:\n    p: acme/db # ours\nx: 1\n",
        )],
    ]
    .concat());
    let moved = relocated(&chart, hint);
    assert_eq!(
        file(&moved.chart, "values.yaml"),
        "db:\n  image:\n    p: mirror/db # ours\n    r: reg.io:5000\nx: 1\n"
    );
    assert_eq!(file(&moved.chart, "charts/db/values.yaml"), sub[1].1);
    let added = moved
        .changes
        .iter()
        .find(|change| change.key == "db.image.r");
    assert_eq!(added.expect("added").old, None);
    // Under its alias, which is what Helm goes by.
    let alias = (
        "Chart.yaml",
        "name: app\nversion: 1.0.0\ndependencies:\n- {name: db, version: 1.0.0, alias: base}\n",
    );
    let chart = of(&[&sub[..], &[("values.yaml", "base: {on: true}\n"), alias]].concat());
    let moved = relocated(&chart, hint);
    assert_eq!(
        file(&moved.chart, "values.yaml"),
        "base: {image: {p: mirror/db, r: \"reg.io:5000\"}, on: true}\n"
    );
}

#[test]
fn a_packed_subchart_is_packed_anew_only_if_it_changes() {
    let inner = |name: &str| {
        let metadata = format!("name: {name}\nversion: 1.0.0\n");
        let values = format!("i: acme/{name} # {name}\n");
        of(&[
            ("Chart.yaml", &metadata),
            ("values.yaml", &values),
            ("crds/x.yaml", "x"),
        ])
    };
    let mut all = files(&[("Chart.yaml", "name: app\nversion: 1.0.0\n")]);
    let (a, b) = (
        inner("a").packed().expect("packed"),
        inner("b").packed().expect("packed"),
    );
    all.insert("charts/a-1.0.0.tgz".to_owned(), a);
    all.insert("charts/b-1.0.0.tgz".to_owned(), b.clone());
    let chart = Chart::from_files(all, "app").expect("a chart");
    let moved = relocated(&chart, "- \"{{ .a.i }}:1\"\n");
    assert_eq!(moved.chart.files()["charts/b-1.0.0.tgz"], b);
    let packed = &moved.chart.files()["charts/a-1.0.0.tgz"];
    let sub = Chart::from_tgz(packed, "a").expect("a chart");
    assert_eq!(file(&sub, "values.yaml"), "i: reg.io:5000/mirror/a # a\n");
    assert_eq!(file(&sub, "crds/x.yaml"), "x");
    assert_eq!(
        moved.changes[0].file,
        "charts/a-1.0.0.tgz \u{203a} values.yaml"
    );
}

#[test]
fn dependencies_lose_repositories_and_locks_and_comments_stay() {
    let metadata = "name: app\nversion: 1.0.0\ndependencies:\n  # ours\n  - name: db # it\n    \
                    repository: https://charts.example.com # far\n    version: 1.x\n  - name: x\n    \
                    version: '1'\n    repository: \"file://../x\"\n";
    let chart = of(&[
        ("Chart.yaml", metadata),
        ("Chart.lock", "x"),
        (
            "requirements.yaml",
            "dependencies:\n- name: y\n  repository: '@stable'\n",
        ),
        ("requirements.lock", "x"),
        ("charts/db/Chart.yaml", "name: db\nversion: 1.0.0\n"),
        ("charts/db/Chart.lock", "kept"),
        ("crds/x.yaml", "x"),
    ]);
    let moved = relocated(&chart, "");
    let expected = metadata
        .replace("https://charts.example.com", "\"\"")
        .replace("file://../x", "");
    assert_eq!(file(&moved.chart, "Chart.yaml"), expected);
    let required = file(&moved.chart, "requirements.yaml");
    assert_eq!(required, "dependencies:\n- name: y\n  repository: ''\n");
    let names: Vec<_> = moved.chart.files().keys().map(String::as_str).collect();
    let left = [
        "Chart.yaml",
        "charts/db/Chart.lock",
        "charts/db/Chart.yaml",
        "crds/x.yaml",
        "requirements.yaml",
    ];
    assert_eq!(names, left);
}

#[test]
fn images_that_share_a_value_move_together_or_not_at_all() {
    let chart = of(&[("values.yaml", "r: docker.io\na: acme/a\nb: acme/b\n")]);
    let list = hints("- \"{{ .r }}/{{ .a }}:1\"\n- \"{{ .r }}/{{ .b }}:1\"\n");
    let mut some = |image: &crate::chart::Hinted| {
        Ok((image.normalised.last_component() == "a").then(|| place(image)))
    };
    let error = chart.relocated(&list, &mut some).expect_err("one of two");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(
        error.to_string().contains("`.r` would have to be both"),
        "{error}"
    );
    let same = chart.relocated(&list, &mut |_| Ok(None)).expect("none");
    assert_eq!(same.chart.files(), chart.files());
    assert!(same.changes.is_empty());
}

#[test]
fn names_that_a_hint_writes_itself_cannot_change() {
    let chart = of(&[("values.yaml", "r: docker.io\nt: 1\n")]);
    for hint in [
        "{{ .r }}/acme/app:{{ .t }}",
        "docker.io/acme/app:{{ .t }}",
        "x/y:1",
    ] {
        let error = failing(&chart, &format!("- x:1\n- \"{hint}\"\n"));
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
    let error = failing(&chart, "- \"{{ .r }}/acme/app:{{ .t }}\"\n");
    assert!(error.to_string().contains("line 1: the hint"), "{error}");
    assert!(
        error.get_hint().expect("a hint").contains("prefix"),
        "{error}"
    );
    let chart = of(&[("values.yaml", "r: docker.io\np: acme/app\n")]);
    let moved = relocated(&chart, "- \"{{ .r }}/mirror/{{ .p }}:1\"\n");
    assert_eq!(
        file(&moved.chart, "values.yaml"),
        "r: reg.io:5000\np: app\n"
    );
}
