//! Charts of all shapes to every kind of repository, and what Helm gets from there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fusion_fixtures::Shape;
use serde_json::Value;

use super::super::children;
use super::{Ran, Site, both, config, every, sound};
use crate::charts::files::Files;
use crate::charts::helm::{Helm, text};
use crate::charts::museum::{ChartMuseum, Options};
use crate::charts::opened::{bundled, packed};
use crate::registry::docker::DockerRegistry;
use crate::registry::harbor::{Harbor, Project, Setup};

const REPOSITORY: &str = "team/apps";

/// Every image of every shape has both platforms in the registry.
fn images_are_there(host: &str, shapes: &[Shape]) {
    for shape in shapes {
        for image in &shape.images {
            let lands = image.lands(host, REPOSITORY);
            let path = lands.strip_prefix(&format!("{host}/")).unwrap();
            let (repository, tag) = path.rsplit_once(':').unwrap();
            let platforms = children(host, repository, tag);
            assert_eq!(platforms, ["linux/amd64", "linux/arm64"], "{lands}");
        }
    }
}

/// The report tells of every chart once.
fn reported(ran: &Ran, shapes: &[Shape]) {
    let charts = ran.report["charts"].as_array().unwrap();
    assert_eq!(charts.len(), shapes.len(), "{ran}");
    for shape in shapes {
        let chart = ran.chart(&shape.name);
        assert_eq!(chart["version"], *shape.chart.version);
        assert_eq!(chart["action"], "created");
        assert!(chart["location"].as_str().is_some(), "{chart}");
    }
}

/// Files that relocation has no business with.
fn the_rest_is_untouched(site: &Site, shape: &Shape, archive: &Path) {
    let bundle = format!("{}_{}.bundle.tar", shape.name, shape.chart.version);
    let before = bundled(&site.path("in").join("amd64").join(bundle));
    let after = packed(&fs::read(archive).unwrap());
    let touched = |name: &str| {
        ["values.yaml", "Chart.yaml", "requirements.yaml", ".tgz"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    for (name, bytes) in &before {
        if !touched(name) && !name.ends_with(".lock") {
            assert_eq!(after.get(name), Some(bytes), "{name} of {}", shape.name);
        }
    }
    let names = |members: &BTreeMap<String, Vec<u8>>| {
        let names = members.keys().filter(|name| !name.ends_with(".lock"));
        names.cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(&after), names(&before), "{}", shape.name);
    assert!(after.keys().all(|name| !name.ends_with(".lock")));
}

#[test]
fn a_folder_of_all_shapes_is_a_repository_for_helm() {
    let Some(helm) = Helm::find() else { return };
    let registry = DockerRegistry::open();
    let (site, shapes) = (Site::new(), every());
    site.bundles("in", &shapes, &both());
    let config = config(
        registry.host(),
        REPOSITORY,
        "kind: LOCAL, path: ./out/charts",
    );
    reported(&site.sync(&config, &[]).ends(0), &shapes);
    images_are_there(registry.host(), &shapes);
    let folder = site.path("out/charts");
    let files = Files::serve(&folder);
    helm.add("local", &files.url(), None);
    for shape in &shapes {
        let chart = format!("local/{}", shape.name);
        let pulled = helm.pull(&chart, &shape.chart.version, &[]);
        sound(&helm, &pulled, shape, registry.host(), REPOSITORY);
        let name = format!("{}-{}.tgz", shape.name, shape.chart.version);
        assert_eq!(
            fs::read(&pulled).unwrap(),
            fs::read(folder.join(name)).unwrap()
        );
        the_rest_is_untouched(&site, shape, &pulled);
        let values = helm.run(&["show", "values", text(&pulled)]);
        assert!(!values.trim().is_empty(), "{}", shape.name);
    }
    let crds = site.path("out/charts/global-registry-0.21.0.tgz");
    let crds = helm.run(&["show", "crds", text(&crds)]);
    assert!(
        crds.contains("name: clusters.example.io   # with a comment"),
        "{crds}"
    );
    agrees_with_helm(&helm, &site, &folder);
}

/// `helm repo index` over the same archives tells the same of them.
fn agrees_with_helm(helm: &Helm, site: &Site, folder: &Path) {
    let copy = site.path("copy");
    fs::create_dir(&copy).unwrap();
    for archive in site.local("out/charts") {
        fs::copy(&archive, copy.join(archive.file_name().unwrap())).unwrap();
    }
    helm.run(&["repo", "index", text(&copy)]);
    // By digest: the first version behind it is the chart's, whatever its dependencies have.
    let entries = |folder: &Path| -> BTreeMap<String, String> {
        let index = fs::read_to_string(folder.join("index.yaml")).unwrap();
        let (mut entries, mut last) = (BTreeMap::new(), None);
        for line in index.lines().map(str::trim_start) {
            let Some((key, value)) = line.split_once(": ") else {
                continue;
            };
            let value = value.trim_matches(['"', '\'']).to_owned();
            match (key, last.take()) {
                ("digest", _) => last = Some(value),
                ("version", Some(digest)) => drop(entries.insert(digest, value)),
                (_, digest) => last = digest,
            }
        }
        entries
    };
    let (ours, theirs) = (entries(folder), entries(&copy));
    assert!(theirs.len() >= 40, "{theirs:?}");
    assert_eq!(ours, theirs);
}

/// Pulls all shapes, which are the same bytes as those in a folder.
fn pulled_like_local(helm: &Helm, shapes: &[Shape], local: &Path, of: impl Fn(&Shape) -> PathBuf) {
    for shape in shapes {
        let pulled = of(shape);
        let name = format!("{}-{}.tgz", shape.name, shape.chart.version);
        let expected = packed(&fs::read(local.join(&name)).unwrap());
        assert!(packed(&fs::read(&pulled).unwrap()) == expected, "{name}");
        helm.run(&["show", "chart", text(&pulled)]);
    }
}

/// One run for each kind, all to the same images.
#[test]
fn helm_pulls_the_same_charts_from_every_kind_of_repository() {
    let Some(helm) = Helm::find() else { return };
    let login = Some(("admin".to_owned(), "pa$$ word".to_owned()));
    let of = |auth, depth| {
        ChartMuseum::start(&Options {
            auth,
            depth,
            overwrites: depth == 1,
            ..Options::default()
        })
    };
    let (Some(museum), Some(tenants)) = (of(login.clone(), 2), of(None, 1)) else {
        return;
    };
    let (site, shapes) = (Site::new(), every());
    site.bundles("in", &shapes, &both());
    let registry = DockerRegistry::open();
    let setup = Setup {
        projects: vec![Project::new("team"), Project::new("charts").public()],
        chartrepo: Some(tenants.host().to_owned()),
        ..Setup::default()
    };
    let harbor = Harbor::start(registry.host(), setup);
    let host = harbor.host();
    let containers = "  containers: {auth: {username: admin, password: Harbor12345}}\n";
    let sync = |repo: &str| {
        let config = config(&host, REPOSITORY, repo) + containers;
        site.sync(&config, &[]).ends(0)
    };
    let local = site.path("local");
    reported(&sync("kind: LOCAL, path: local"), &shapes);
    images_are_there(registry.host(), &shapes);

    let url = format!("http://{}/one/two", museum.host());
    let auth = "auth: {username: admin, password: 'pa$$ word'}";
    reported(
        &sync(&format!("kind: CHARTMUSEUM, url: '{url}', {auth}")),
        &shapes,
    );
    helm.add("museum", &url, Some(("admin", "pa$$ word")));
    pulled_like_local(&helm, &shapes, &local, |shape| {
        helm.pull(&format!("museum/{}", shape.name), &shape.chart.version, &[])
    });

    let url = format!("http://{host}/chartrepo/charts");
    let auth = "auth: {username: admin, password: Harbor12345}";
    reported(
        &sync(&format!("kind: HARBOR, url: '{url}', {auth}")),
        &shapes,
    );
    helm.add("harbor", &url, None);
    pulled_like_local(&helm, &shapes, &local, |shape| {
        helm.pull(&format!("harbor/{}", shape.name), &shape.chart.version, &[])
    });

    let url = format!("http://{host}/charts");
    reported(&sync(&format!("kind: OCI, url: '{url}', {auth}")), &shapes);
    pulled_like_local(&helm, &shapes, &local, |shape| {
        let chart = format!("oci://{host}/charts/{}", shape.name);
        helm.pull(&chart, &shape.chart.version, &["--plain-http"])
    });
}

#[test]
fn a_chart_that_is_there_stays_and_one_that_differs_is_told() {
    let site = Site::new();
    let registry = DockerRegistry::open();
    let shape = super::shape("three-part");
    site.bundles("in", [&shape], &both());
    let config = config(registry.host(), REPOSITORY, "kind: LOCAL, path: out");
    let first = site.sync(&config, &[]).ends(0);
    assert_eq!(first.chart("three-part")["action"], "created");
    let archive = &site.local("out")[0];
    let (bytes, index) = (
        fs::read(archive).unwrap(),
        fs::read(site.path("out/index.yaml")),
    );
    let again = site.sync(&config, &[]).ends(0);
    assert_eq!(again.chart("three-part")["action"], "unchanged", "{again}");
    assert_eq!(again.report["bytes"]["uploaded"], Value::from(0));
    assert_eq!(fs::read(archive).unwrap(), bytes);
    assert_eq!(
        fs::read(site.path("out/index.yaml")).unwrap(),
        index.unwrap()
    );
}
