//! What is wrong is told by file, line and key, before anything is sent.

use std::fs;

use fusion_fixtures::Shape;

use super::super::amd64;
use super::{Site, config};
use crate::registry::docker::DockerRegistry;

const GOOD: &str = "\
source:
  intermediateBundlesPath: in
target:
  containerRegistry: 127.0.0.1:1
  containerRepository: a/b
  repo:
    kind: LOCAL
    path: out
";

/// What is replaced in the good configuration by what, and what the error then says.
const CONFIGURATIONS: &[(&str, &str, &[&str])] = &[
    (
        "    kind: LOCAL",
        "    kindd: LOCAL",
        &["line 7", "kindd", "`kind`"],
    ),
    ("source:\n", "sourc:\n", &["line 1", "sourc", "`source`"]),
    ("    kind: LOCAL", "    kind: HELM", &["line 7", "HELM"]),
    (
        "    kind: LOCAL",
        "    kind: LOKAL",
        &["line 7", "LOKAL", "LOCAL"],
    ),
    (
        "    kind: LOCAL",
        "    kind: LOCAL\n    kind: OCI",
        &["line 8", "kind"],
    ),
    (
        "  intermediateBundlesPath: in\n",
        "",
        &["source", "intermediateBundlesPath"],
    ),
    ("source:\n  intermediateBundlesPath: in\n", "", &["source"]),
    (
        "  intermediateBundlesPath: in\n",
        "  intermediateBundlesPath: in\n  repo: {kind: HELM, url: 'https://x.example'}\n",
        &["repo", "intermediateBundlesPath"],
    ),
    (
        "    kind: LOCAL\n    path: out\n",
        "    kind: CHARTMUSEUM\n    url: 10.0.0.1:8081\n",
        &["line 8", "10.0.0.1:8081", "http"],
    ),
    (
        "    kind: LOCAL\n    path: out\n",
        "    kind: CHARTMUSEUM\n",
        &["target.repo", "`url`"],
    ),
    (
        "    kind: LOCAL\n    path: out\n",
        "    kind: CHARTMUSEUM\n    url: http://127.0.0.1:1\n    auth: {username: admin}\n",
        &["line 9", "password"],
    ),
    (
        "target:\n",
        "charts: [{name: a}]\nskipCharts: [b]\ntarget:\n",
        &["charts", "skipCharts"],
    ),
    (
        "  containerRepository: a/b\n",
        "  containerRepository: [a]\n",
        &["line 5", "a list"],
    ),
    ("  containerRegistry:", "\tcontainerRegistry:", &["line 4"]),
    ("kind: LOCAL", "kind: \"LOCAL", &["line"]),
    (
        "  intermediateBundlesPath: in\n",
        "  intermediateBundlesPath: gone\n",
        &["gone"],
    ),
];

#[test]
fn a_wrong_configuration_is_told_by_file_line_and_key() {
    let registry = DockerRegistry::open();
    let good = GOOD.replace("127.0.0.1:1", registry.host());
    let site = Site::new();
    site.bundles("in", [&super::shape("three-part")], &[amd64()]);
    for (from, to, parts) in CONFIGURATIONS {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        let ran = site.sync(&text, &[]);
        assert!(![Some(0), Some(1)].contains(&ran.status), "{to}: {ran}");
        let message = ran.message();
        for part in *parts {
            assert!(message.contains(part), "{to:?} lacks {part:?}: {ran}");
        }
        // What is missing in the folder is not the file's fault.
        if !to.contains("gone") {
            assert!(message.contains("load-image.yaml"), "{to:?}: {ran}");
        }
        assert!(!site.path("out").exists(), "{to}");
    }
}

/// A chart with its values and hints.
fn chart(values: &str, hints: &str) -> Shape {
    let text = format!(
        "# Wrong.\nimage: docker.io/acme/app:1\n\
         -- Chart.yaml --\napiVersion: v2\nname: wrong\nversion: 1.0.0\n\
         -- values.yaml --\n{values}-- templates/none.yaml --\n-- hints.yaml --\n{hints}"
    );
    Shape::parse("wrong", &text).unwrap()
}

const VALUES: &str = "image:\n  registry: docker.io\n  repository: acme/app\n  tag: '1'\n";
const HINT: &str = "- \"{{ .image.registry }}/{{ .image.repository }}:{{ .image.tag }}\"\n";

#[test]
fn wrong_hints_and_values_are_told_by_file_line_and_key() {
    let registry = DockerRegistry::open();
    let bomb: String = "a: &a [x, x, x, x, x, x, x, x]\n".to_owned()
        + &(0..9)
            .map(|at| {
                let (this, last) = (char::from(b'b' + at), char::from(b'a' + at));
                format!(
                    "{this}: &{this} [{}]\n",
                    vec![format!("*{last}"); 8].join(", ")
                )
            })
            .collect::<String>();
    let long = (0..40_000)
        .map(|at| format!("k{at}: *a\n"))
        .collect::<String>();
    let cases: &[(String, String, &[&str])] = &[
        (
            VALUES.to_owned(),
            "\n- \"{{ .image.registri }}/{{ .image.repository }}:{{ .image.tag }}\"\n".to_owned(),
            &["hints.yaml", "line 2", "image.registri", "image.registry"],
        ),
        (
            VALUES.to_owned(),
            "- \"{{ .a }}/{{ .b }}/{{ .c }}:{{ .d }}\"\n".to_owned(),
            &["hints.yaml", "line 1"],
        ),
        (
            VALUES.to_owned(),
            "- \"{{ .image.registry \"\n".to_owned(),
            &["hints.yaml", "line 1"],
        ),
        (
            VALUES.to_owned(),
            "image: x\n".to_owned(),
            &["hints.yaml", "list"],
        ),
        (
            VALUES.to_owned(),
            "- [a]\n".to_owned(),
            &["hints.yaml", "line 1"],
        ),
        (
            "image:\n  registry: docker.io\n registry: x\n".to_owned(),
            HINT.to_owned(),
            &["values.yaml", "line 3"],
        ),
        (
            "image: text\n".to_owned(),
            HINT.to_owned(),
            &["hints.yaml", "line 1", "image.registry"],
        ),
        (
            "image:\n  registry: docker.io\n  repository: [acme]\n  tag: '1'\n".to_owned(),
            HINT.to_owned(),
            &["image.repository", "a list"],
        ),
        (
            "image:\n  registry: docker.io\n  repository: 'ACME app'\n  tag: '1'\n".to_owned(),
            HINT.to_owned(),
            &["hints.yaml", "line 1", "ACME app"],
        ),
        (
            "a: &a [*a]\nimage: {registry: *b}\n".to_owned(),
            HINT.to_owned(),
            &["values.yaml"],
        ),
        // Costs nothing, and is no fault.
        (bomb + VALUES, HINT.to_owned(), &[]),
        (format!("a: &a 1\n{long}{VALUES}"), HINT.to_owned(), &[]),
    ];
    for (at, (values, hints, parts)) in cases.iter().enumerate() {
        let site = Site::new();
        site.bundles("in", [&chart(values, hints)], &[amd64()]);
        let begun = std::time::Instant::now();
        let ran = site.sync(
            &config(registry.host(), "a/b", "kind: LOCAL, path: out"),
            &[],
        );
        assert!(begun.elapsed().as_secs() < 10, "case {at}");
        if parts.is_empty() {
            ran.ends(0);
            continue;
        }
        assert_eq!(ran.status, Some(4), "case {at}: {ran}");
        let message = ran.message();
        for part in *parts {
            assert!(message.contains(part), "case {at} lacks {part:?}: {ran}");
        }
        assert!(
            message.contains("wrong_1.0.0.bundle.tar"),
            "case {at}: {ran}"
        );
        assert!(!site.path("out").exists(), "case {at}");
    }
}

#[test]
fn a_chart_without_a_name_or_version_is_told() {
    let registry = DockerRegistry::open();
    for (chart_yaml, part) in [
        ("apiVersion: v2\nname: wrong\n", "version"),
        ("apiVersion: v2\nversion: 1.0.0\n", "name"),
        ("apiVersion: v2\nname: wrong\nversion: [1]\n", "version"),
        ("name wrong\n", "Chart.yaml"),
    ] {
        let site = Site::new();
        let mut shape = chart(VALUES, HINT);
        let given = shape.chart.given.as_mut().unwrap();
        given.files[0].1 = chart_yaml.into();
        site.bundles("in", [&shape], &[amd64()]);
        let ran = site.sync(
            &config(registry.host(), "a/b", "kind: LOCAL, path: out"),
            &[],
        );
        assert_eq!(ran.status, Some(4), "{chart_yaml}: {ran}");
        assert!(ran.message().contains("Chart.yaml"), "{ran}");
        assert!(ran.message().contains(part), "{ran}");
    }
}

#[test]
fn an_image_that_the_bundle_lacks_is_told() {
    let registry = DockerRegistry::open();
    let site = Site::new();
    let values = VALUES.replace("tag: '1'", "tag: '2'");
    site.bundles("in", [&chart(&values, HINT)], &[amd64()]);
    let ran = site.sync(
        &config(registry.host(), "a/b", "kind: LOCAL, path: out"),
        &[],
    );
    assert_ne!(ran.status, Some(0), "{ran}");
    assert!(ran.message().contains("docker.io/acme/app:2"), "{ran}");
    assert!(registry.uploads().blobs.is_empty());
}

#[test]
fn a_chart_does_not_appear_without_the_images_that_a_choice_left_out() {
    let registry = DockerRegistry::open();
    let site = Site::new();
    site.bundles("in", [&chart(VALUES, HINT)], &[amd64()]);
    let text = config(registry.host(), "a/b", "kind: LOCAL, path: out");
    let other = ["--platform", "linux/arm64"];
    let ran = site.sync(&text, &other).ends(4);
    assert!(ran.message().contains("nor in the registry"), "{ran}");
    assert!(site.local("out").is_empty());
    // Once the registry has them, a choice that adds nothing takes nothing away.
    site.sync(&text, &[]).ends(0);
    site.sync(&text, &other).ends(0);
    assert_eq!(site.local("out").len(), 1);
}

#[test]
fn passwords_are_never_told() {
    let site = Site::new();
    site.bundles("in", [&super::shape("three-part")], &[amd64()]);
    let text = GOOD.replace(
        "    kind: LOCAL\n    path: out\n",
        "    kind: CHARTMUSEUM\n    url: http://127.0.0.1:1\n    auth: {username: u, password: hush-hush}\n",
    ) + "  containers: {auth: {username: u, password: hush-hush}}\n";
    let ran = site.sync(&text, &["-vv", "--retries", "0"]);
    assert_eq!(ran.status, Some(6), "{ran}");
    assert!(!ran.to_string().contains("hush-hush"), "{ran}");
    let log = fs::read_to_string(site.path("log")).unwrap_or_default();
    assert!(!log.contains("hush-hush"));
}
