//! A chart as an artifact of a registry, as Helm 3 pushes it (Helm's HIP 6): `Chart.yaml` as the
//! configuration, the package as the only layer.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::oci::{self, Descriptor, MediaType};
use crate::oci::{Digest, write};

/// The type of the configuration.
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";

/// The types of the package: today's, and that of Helm's first trials.
const PACKAGES: [&str; 2] = [
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    "application/tar+gzip",
];

/// A chart's blobs and manifest.
#[derive(Debug)]
pub(super) struct Artifact {
    pub(super) config: Vec<u8>,
    pub(super) manifest: Vec<u8>,
    pub(super) descriptor: Descriptor,
    pub(super) blobs: [Descriptor; 2],
}

impl Artifact {
    /// The artifact of a package. No clock goes into it: the same chart is the same artifact.
    pub(super) fn new(package: &[u8], metadata: &Value) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Manifest<'a> {
            schema_version: u8,
            config: &'a Descriptor,
            layers: [&'a Descriptor; 1],
            annotations: BTreeMap<String, String>,
        }
        let config = write::json(metadata);
        let blobs = [
            Descriptor::of(MediaType::new(CONFIG), &config),
            Descriptor::of(MediaType::new(PACKAGES[0]), package),
        ];
        let manifest = write::json(&Manifest {
            schema_version: 2,
            config: &blobs[0],
            layers: [&blobs[1]],
            annotations: annotations(metadata),
        });
        Self {
            descriptor: Descriptor::of(MediaType::OCI_MANIFEST, &manifest),
            config,
            manifest,
            blobs,
        }
    }
}

/// The package of the chart that a manifest is; `None`: it is something else.
pub(super) fn package(manifest: &[u8], media_type: &MediaType) -> Option<Descriptor> {
    let document = oci::Document::parse(manifest, media_type).ok()?;
    let oci::Document::Manifest(manifest) = document else {
        return None;
    };
    (manifest.config.media_type.as_str() == CONFIG).then_some(())?;
    let is_package = |layer: &Descriptor| PACKAGES.contains(&layer.media_type.as_str());
    manifest.layers.into_iter().find(is_package)
}

/// The tag of a version: tags have no `+`, and Helm reads this one back.
pub(super) fn tag(version: &str) -> String {
    version.replace('+', "_")
}

/// What Helm says about a chart, without the time of the push.
fn annotations(metadata: &Value) -> BTreeMap<String, String> {
    let text = |key: &str| metadata.get(key).and_then(Value::as_str);
    let first = |key: &str| metadata.get(key)?.as_array()?.first()?.as_str();
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let own = metadata.get("annotations").and_then(Value::as_object);
    for (key, value) in own.into_iter().flatten() {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        all.insert(key.clone(), value);
    }
    let mut say = |name: &str, value: Option<&str>, wins: bool| {
        let key = format!("org.opencontainers.image.{name}");
        let value = value.filter(|value| !value.trim().is_empty());
        if let Some(value) = value
            && (wins || !all.contains_key(&key))
        {
            all.insert(key, value.to_owned());
        } else if wins {
            all.remove(&key);
        }
    };
    say("title", text("name"), true);
    say("version", text("version"), true);
    say("description", text("description"), false);
    say("url", text("home"), false);
    say("source", first("sources"), false);
    say("authors", authors(metadata).as_deref(), false);
    all
}

/// `Name (mail), Name`.
fn authors(metadata: &Value) -> Option<String> {
    let all = metadata.get("maintainers")?.as_array()?;
    let named: Vec<String> = (all.iter())
        .map(|one| {
            let text = |key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default();
            match text("email") {
                "" => text("name").to_owned(),
                email => format!("{} ({email})", text("name")),
            }
        })
        .collect();
    Some(named.join(", "))
}

/// Whether `bytes` are what `descriptor` says.
pub(super) fn is(descriptor: &Descriptor, bytes: &[u8]) -> bool {
    descriptor.digest == Digest::of(bytes) && descriptor.size == bytes.len() as u64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chart() -> Value {
        json!({
            "apiVersion": "v2", "name": "app", "version": "1.2.0+b1", "description": "An app",
            "home": "https://app.example", "sources": ["https://git.example/app", "x"],
            "maintainers": [{"name": "A", "email": "a@example"}, {"name": "B"}],
            "annotations": {
                "category": "Tools",
                "org.opencontainers.image.url": "https://other.example",
                "org.opencontainers.image.version": "9",
            },
        })
    }

    #[test]
    fn an_artifact_is_what_helm_pushes_without_the_time() {
        let artifact = Artifact::new(b"package", &chart());
        let written: Value = serde_json::from_slice(&artifact.manifest).expect("JSON");
        let digest = |bytes: &[u8]| Digest::of(bytes).to_string();
        assert_eq!(
            written,
            json!({
                "schemaVersion": 2,
                "config": {
                    "mediaType": "application/vnd.cncf.helm.config.v1+json",
                    "digest": digest(&artifact.config),
                    "size": artifact.config.len(),
                },
                "layers": [{
                    "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
                    "digest": digest(b"package"),
                    "size": 7,
                }],
                "annotations": {
                    "category": "Tools",
                    "org.opencontainers.image.authors": "A (a@example), B",
                    "org.opencontainers.image.description": "An app",
                    "org.opencontainers.image.source": "https://git.example/app",
                    "org.opencontainers.image.title": "app",
                    // Its own words win, but for name and version.
                    "org.opencontainers.image.url": "https://other.example",
                    "org.opencontainers.image.version": "1.2.0+b1",
                },
            })
        );
        let config: Value = serde_json::from_slice(&artifact.config).expect("JSON");
        assert_eq!(config, chart());
        let found = package(&artifact.manifest, &MediaType::OCI_MANIFEST).expect("a chart");
        assert!(is(&found, b"package") && !is(&found, b"Package"));
        assert_eq!(tag("1.2.0+b1"), "1.2.0_b1");
    }

    #[test]
    fn images_and_indexes_are_no_charts() {
        let config = Descriptor::of(MediaType::OCI_CONFIG, b"{}");
        let image = write::manifest(&MediaType::OCI_MANIFEST, &config, &[]);
        assert_eq!(package(&image, &MediaType::OCI_MANIFEST), None);
        let index = write::index(&MediaType::OCI_INDEX, &[], &BTreeMap::new());
        assert_eq!(package(&index, &MediaType::OCI_INDEX), None);
        assert_eq!(package(b"no JSON", &MediaType::OCI_MANIFEST), None);
    }
}
