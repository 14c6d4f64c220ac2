//! charts-syncer beside us, on bundles of one architecture: the same values, and the same images by
//! the same names. Where it differs, `docs/charts.md` says why.
//!
//! This is charts-syncer 0.20.3, the last release for bundles. DaoCloud's, made from an older one,
//! is no Go module that can be had; the document says where that one differs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fusion_fixtures::Shape;
use serde_json::Value;

use super::super::{amd64, there};
use super::{Site, config, every};
use crate::charts::helm::{Helm, images, text};
use crate::charts::opened::{Members, packed};
use crate::charts::syncer::Syncer;
use crate::registry::client::Client;
use crate::registry::docker::DockerRegistry;

/// What becomes of a shape there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    /// The same values to the byte.
    Same,
    /// The same values, but what was in quotes is not any more.
    Unquoted,
    /// Other values, or other images in the manifests.
    Other,
    /// It fails.
    Fails,
}

/// All that is not the same; each has its line in `docs/charts.md`.
const EXCEPTIONS: [(&str, There); 17] = [
    ("aliased-subchart", There::Fails),
    ("anchors", There::Fails),
    ("block-scalars", There::Other),
    ("byte-order-mark", There::Other),
    ("conditional-subchart", There::Other),
    ("empty-registry", There::Fails),
    ("flow-maps", There::Unquoted),
    ("literal-tag", There::Fails),
    ("merge-keys", There::Fails),
    ("names-2-go", There::Fails),
    ("one-value", There::Fails),
    ("parent-overrides", There::Other),
    ("parent-overrides-part", There::Other),
    ("quoted", There::Unquoted),
    ("same-image-twice", There::Fails),
    ("slash-at-the-end", There::Fails),
    ("v-version", There::Fails),
];

fn expected(shape: &Shape) -> There {
    let found = EXCEPTIONS.iter().find(|(name, _)| *name == shape.name);
    found.map_or(There::Same, |(_, there)| *there)
}

#[test]
fn the_document_names_every_exception() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/charts.md");
    let document = fs::read_to_string(path).unwrap();
    let (_, section) = document.split_once("## Beside charts-syncer").unwrap();
    for (name, _) in EXCEPTIONS {
        assert!(section.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn the_result_is_that_of_charts_syncer_wherever_it_is_right() {
    let (Some(syncer), Some(helm)) = (Syncer::find(), Helm::find()) else {
        return;
    };
    let registry = DockerRegistry::open();
    let host = registry.host();
    let (site, shapes) = (Site::new(), every());
    site.bundles("in", &shapes, &[amd64()]);
    let config = config(host, "ours/in", "kind: LOCAL, path: out");
    site.sync(&config, &[]).ends(0);
    let mut found = BTreeMap::new();
    for shape in &shapes {
        let file = format!("{}-{}.tgz", shape.name, shape.chart.version);
        let ours = site.path("out").join(&file);
        let theirs = run_theirs(&site, &syncer, shape, host);
        let outcome = match theirs {
            None => There::Fails,
            Some(theirs) => {
                let [a, b] = [&ours, &theirs].map(|path| packed(&fs::read(path).unwrap()));
                let (a, b) = (values(&a), values(&b));
                // What it wrote may be no YAML.
                let words = ["template", "rel", text(&theirs), "--namespace", "n"];
                let rendered = helm
                    .try_run(&words)
                    .map(|manifests| images(&here(&manifests)));
                let same = rendered.is_ok_and(|rendered| rendered == helm.images(&ours, &[]));
                match (same, a == b, bare(&a) == bare(&b)) {
                    (true, true, _) => There::Same,
                    (true, false, true) => There::Unquoted,
                    _ => There::Other,
                }
            }
        };
        if outcome == There::Same {
            images_are_the_same(host, shape);
        }
        if outcome != expected(shape) {
            found.insert(&shape.name, outcome);
        }
    }
    assert!(found.is_empty(), "not as listed: {found:?}");
}

/// Where charts-syncer has put the chart, if it has.
fn run_theirs(
    site: &Site,
    syncer: &Syncer,
    shape: &Shape,
    host: &str,
) -> Option<std::path::PathBuf> {
    let folder = site.path(&format!("theirs-{}", shape.name));
    let (bundles, out) = (folder.join("in"), folder.join("out"));
    fs::create_dir_all(&bundles).unwrap();
    fs::create_dir_all(&out).unwrap();
    let (name, version) = (&shape.name, &shape.chart.version);
    let from = format!("in/amd64/{name}_{version}.bundle.tar");
    let to = bundles.join(format!("{name}-{version}.bundle.tar"));
    fs::copy(site.path(&from), to).unwrap();
    let repo = format!("kind: LOCAL, path: '{}'", out.display());
    let path = folder.join("sync.yaml");
    fs::write(&path, config(host, "them/in", &repo)).unwrap();
    syncer.sync(&folder, &path).ok()?;
    let packed = out.join(format!("{name}-{version}.tgz"));
    packed.is_file().then_some(packed)
}

/// Their repository in a name made ours, which is as long.
fn here(text: &str) -> String {
    text.replace("them/in", "ours/in")
}

/// The values of a chart and all its subcharts, by their places, however subcharts are packed.
fn values(members: &Members) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (name, bytes) in members {
        if name == "values.yaml" || name.ends_with("/values.yaml") {
            let text = String::from_utf8(bytes.clone()).unwrap();
            values.insert(name.clone(), here(&text));
        } else if let Some(place) = name.strip_suffix("-0.1.0.tgz") {
            let inner = self::values(&packed(bytes)).into_iter();
            values.extend(inner.map(|(name, text)| (format!("{place}/{name}"), text)));
        }
    }
    values
}

/// Without any quotes.
fn bare(values: &BTreeMap<String, String>) -> Vec<String> {
    let bare = |text: &String| text.replace(['\'', '"'], "");
    values.values().map(bare).collect()
}

/// Both have put the same image under the name of the shape's place: its configuration is the same,
/// which the bundle holds; manifests are made anew by either.
fn images_are_the_same(host: &str, shape: &Shape) {
    for image in &shape.images {
        let configs = ["ours/in", "them/in"].map(|repository| {
            let lands = image.lands(host, repository);
            let path = lands.strip_prefix(&format!("{host}/")).unwrap();
            let (name, tag) = path.rsplit_once(':').unwrap();
            let (_, mut root) = there(host, name, tag).unwrap_or_else(|| panic!("no {lands}"));
            if let Some(children) = root["manifests"].as_array() {
                let digest = children[0]["digest"].as_str().unwrap();
                let path = format!("/v2/{name}/manifests/{digest}");
                root = Client::new(host).ask("GET", &path).json();
            }
            root["config"]["digest"].clone()
        });
        assert_eq!(configs[0], configs[1], "{}", image.reference);
        assert_ne!(configs[0], Value::Null);
    }
}
