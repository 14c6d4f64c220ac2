//! The charts to test with are what they say, and the servers serve.

use std::path::Path;

use fusion_fixtures::{Platform, Shape, shapes};
use tempfile::TempDir;

use super::files::Files;
use super::helm::{Helm, text};
use super::museum::{ChartMuseum, Options};
use super::opened::{bundled, packed, unpack};
use super::syncer::Syncer;
use crate::registry::client::Client;
use crate::registry::docker::DockerRegistry;
use crate::registry::harbor::{Harbor, Project, Setup};

/// The chart of a shape as it is in its bundle, in a folder.
fn original(shape: &Shape, folder: &Path) -> std::path::PathBuf {
    let bundle = shape.bundle(folder, &Platform::amd64()).unwrap();
    let chart = folder.join(&shape.name);
    unpack(&bundled(&bundle.path), &chart);
    chart
}

#[test]
fn helm_takes_every_shape_and_renders_its_images() {
    let Some(helm) = Helm::find() else { return };
    let folder = TempDir::new().unwrap();
    for shape in shapes().unwrap() {
        let chart = original(&shape, folder.path());
        helm.lint(&chart);
        let images = shape.images.iter().filter(|image| image.rendered);
        let mut expected: Vec<&str> = images.map(|image| &*image.reference).collect();
        expected.sort_unstable();
        assert_eq!(helm.images(&chart, &[]), expected, "{}", shape.name);
    }
}

#[test]
fn helm_pulls_from_a_museum_and_from_a_folder() {
    let Some(helm) = Helm::find() else { return };
    let login = ("admin", "pass word$");
    let options = Options {
        auth: Some((login.0.to_owned(), login.1.to_owned())),
        depth: 1,
        ..Options::default()
    };
    let Some(museum) = ChartMuseum::start(&options) else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let all = shapes().unwrap();
    let shape = all.iter().find(|shape| shape.name == "names-2-go").unwrap();
    let chart = original(shape, folder.path());
    let tenant = museum.storage().join("team");
    let local = folder.path().join("local");
    for place in [&tenant, &local] {
        std::fs::create_dir(place).unwrap();
        helm.run(&["package", text(&chart), "-d", text(place)]);
    }
    helm.run(&["repo", "index", text(&local)]);
    let files = Files::serve(&local);
    helm.add("local", &files.url(), None);
    let url = format!("http://{}/team", museum.host());
    let words = [
        "repo",
        "add",
        "wrong",
        &url,
        "--username",
        "admin",
        "--password",
        "x",
    ];
    assert!(helm.try_run(&words).is_err());
    helm.add("museum", &url, Some(login));
    for repository in ["local", "museum"] {
        let name = format!("{repository}/names-2-go");
        let pulled = helm.pull(&name, "2.0.0-rc.1+build.5", &[]);
        assert_eq!(
            helm.images(&pulled, &[]),
            ["docker.io/acme/names-2-go:v2.0.0-rc.1"]
        );
        let members = packed(&std::fs::read(&pulled).unwrap());
        assert!(members.contains_key("values.yaml"));
    }
}

/// Which also shows that this Harbor speaks as one before 2.8 did.
#[test]
fn charts_syncer_fills_an_old_harbor_and_helm_pulls_from_it() {
    let (Some(helm), Some(syncer)) = (Helm::find(), Syncer::find()) else {
        return;
    };
    let museum = Options {
        depth: 1,
        overwrites: true,
        ..Options::default()
    };
    let Some(museum) = ChartMuseum::start(&museum) else {
        return;
    };
    let registry = DockerRegistry::open();
    let setup = Setup {
        projects: vec![Project::new("release.example.io")],
        chartrepo: Some(museum.host().to_owned()),
        ..Setup::default()
    };
    let harbor = Harbor::start(registry.host(), setup);
    let folder = TempDir::new().unwrap();
    let bundles = folder.path().join("kairship");
    std::fs::create_dir(&bundles).unwrap();
    let all = shapes().unwrap();
    let named = |shape: &&Shape| shape.name == "global-registry";
    let shape = all.iter().find(named).unwrap();
    let written = shape.bundle(&bundles, &Platform::amd64()).unwrap();
    let old = bundles.join("global-registry-0.21.0.bundle.tar");
    std::fs::rename(written.path, old).unwrap();
    let host = harbor.host();
    let url = format!("http://{host}/chartrepo/release.example.io");
    let config = folder.path().join("load-image.yaml");
    let login = "auth: {username: admin, password: Harbor12345}";
    let text = format!(
        "source: {{intermediateBundlesPath: kairship}}\n\
         target:\n  \
           containerRegistry: {host}\n  \
           containerRepository: release.example.io/kairship\n  \
           repo: {{kind: HARBOR, url: '{url}', {login}}}\n  \
           containers: {{{login}}}\n"
    );
    std::fs::write(&config, text).unwrap();
    let said = syncer.sync(folder.path(), &config);
    said.unwrap_or_else(|e| panic!("{e}\n{:?}\n{}", harbor.requests(), museum.log()));
    let words = ["repo", "add", "nobody", &url];
    assert!(helm.try_run(&words).is_err(), "the project is private");
    helm.add("kairship", &url, Some(("admin", "Harbor12345")));
    let pulled = helm.pull("kairship/global-registry", "0.21.0", &[]);
    let expected = shape.rendered(&host, "release.example.io/kairship");
    assert_eq!(helm.images(&pulled, &[]), expected);
    for path in ["/chartrepo/other/index.yaml", "/api/chartrepo/other/charts"] {
        assert_eq!(Client::new(&host).ask("GET", path).status(), 404);
    }
    let healthy = Client::new(&host).ask("GET", "/api/chartrepo/health");
    assert_eq!(healthy.json()["healthy"], true);
}
