//! Whether a layout directory is sound, by reading everything in it: no part of fusion is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use fusion_fixtures::{Digest, LayerForm};
use serde_json::Value;

use super::layout::{self, LayoutImage, array, text};

const REF_NAME: &str = "org.opencontainers.image.ref.name";
const IMAGE_NAME: &str = "io.containerd.image.name";

/// What a sound layout holds.
#[derive(Debug)]
pub(crate) struct Sound {
    /// The digest that each reference leads to: of an index.
    pub(crate) roots: BTreeMap<String, String>,
    /// The images of each reference, in the order of the index.
    pub(crate) images: BTreeMap<String, Vec<LayoutImage>>,
    /// All blobs and their sizes.
    pub(crate) blobs: BTreeMap<String, u64>,
    /// How the layers are stored.
    pub(crate) forms: BTreeSet<&'static str>,
}

/// Reads the layout at `root`; `archive` says that it is an unpacked loadable archive. Panics at
/// the first thing that is wrong.
pub(crate) fn check(root: &Path, archive: bool) -> Sound {
    let mut expected = vec!["blobs", "index.json", "oci-layout"];
    if archive {
        expected.insert(2, "manifest.json");
    }
    assert_eq!(names(root), expected, "members at the top");
    assert_eq!(names(&root.join("blobs")), ["sha256"]);
    let version = json(&root.join("oci-layout"));
    assert_eq!(text(&version, "/imageLayoutVersion"), "1.0.0");

    let mut sound = Sound {
        roots: BTreeMap::new(),
        images: layout::images(root).unwrap_or_else(|e| panic!("{e}")),
        blobs: hashed(root),
        forms: BTreeSet::new(),
    };
    let index = json(&root.join("index.json"));
    assert_eq!(index["schemaVersion"], 2);
    assert_eq!(text(&index, "/mediaType"), INDEX);
    let mut walk = Walk {
        root,
        blobs: &sound.blobs,
        forms: &mut sound.forms,
        reached: BTreeSet::new(),
    };
    for descriptor in array(&index, "/manifests") {
        let annotations = &descriptor["annotations"];
        let name = annotations[REF_NAME].as_str().expect("a root has a name");
        assert_eq!(annotations[IMAGE_NAME], name, "both names are the full one");
        assert!(
            name.contains('/') && name.contains(':'),
            "{name} is not a full name"
        );
        walk.index(descriptor, name);
        let digest = text(descriptor, "/digest");
        let before = sound.roots.insert(name.to_owned(), digest);
        assert_eq!(before, None, "{name} is there twice");
    }
    let reached = walk.reached;
    let stale: Vec<_> = sound
        .blobs
        .keys()
        .filter(|digest| !reached.contains(*digest))
        .collect();
    assert!(stale.is_empty(), "nothing refers to {stale:?}");
    if archive {
        manifest_json(root, &sound);
    }
    sound
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The media types that go together.
struct Types {
    index: &'static str,
    manifest: &'static str,
    config: &'static str,
    layer: &'static str,
    /// Between the layer's type and its form.
    dot: &'static str,
}

const OCI: Types = Types {
    index: INDEX,
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar",
    dot: "+",
};

const DOCKER: Types = Types {
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar",
    dot: ".",
};

impl Types {
    fn layer(&self, form: &str) -> String {
        match form {
            "" => self.layer.to_owned(),
            form => format!("{}{}{form}", self.layer, self.dot),
        }
    }
}

struct Walk<'a> {
    root: &'a Path,
    blobs: &'a BTreeMap<String, u64>,
    forms: &'a mut BTreeSet<&'static str>,
    reached: BTreeSet<String>,
}

impl Walk<'_> {
    /// An index of images, one for each platform.
    fn index(&mut self, descriptor: &Value, name: &str) {
        let index = self.document(descriptor);
        let media_type = text(descriptor, "/mediaType");
        assert_eq!(text(&index, "/mediaType"), media_type, "{name}");
        assert_eq!(index["schemaVersion"], 2);
        let mut platforms = BTreeSet::new();
        let mut docker = true;
        for child in array(&index, "/manifests") {
            assert_eq!(child.get("annotations"), None, "{name}: {child}");
            let platform = self.manifest(child);
            assert_eq!(
                layout::platform(&child["platform"]),
                platform,
                "{name}: the index and the config disagree"
            );
            assert!(
                platforms.insert(platform),
                "{name}: a platform is there twice"
            );
            docker &= text(child, "/mediaType") == DOCKER.manifest;
        }
        assert!(!platforms.is_empty(), "{name}: an empty index");
        // A manifest list that passes through stays one; what fusion makes is an OCI index.
        let kept_list = docker && media_type == DOCKER.index;
        assert!(
            media_type == OCI.index || kept_list,
            "{name} leads to an index"
        );
    }

    /// Returns the platform that the config states.
    fn manifest(&mut self, descriptor: &Value) -> String {
        let media_type = text(descriptor, "/mediaType");
        let types = [OCI, DOCKER]
            .into_iter()
            .find(|types| types.manifest == media_type)
            .unwrap_or_else(|| panic!("no manifest: {descriptor}"));
        let manifest = self.document(descriptor);
        assert_eq!(manifest["schemaVersion"], 2);
        assert_eq!(text(&manifest, "/mediaType"), types.manifest);
        assert_eq!(text(&manifest, "/config/mediaType"), types.config);
        let config = self.document(&manifest["config"]);
        let layers: Vec<_> = array(&manifest, "/layers").collect();
        assert_eq!(layers.len(), array(&config, "/rootfs/diff_ids").count());
        for (layer, diff_id) in layers.into_iter().zip(array(&config, "/rootfs/diff_ids")) {
            let digest = self.reach(layer);
            let form = self.form(&digest);
            assert_eq!(text(layer, "/mediaType"), types.layer(form), "{digest}");
            if form.is_empty() {
                assert_eq!(diff_id, &digest, "a raw layer's digest is its diff ID");
            }
            self.forms.insert(form);
        }
        layout::platform(&config)
    }

    fn document(&mut self, descriptor: &Value) -> Value {
        let digest = self.reach(descriptor);
        json(&blob(self.root, &digest))
    }

    fn reach(&mut self, descriptor: &Value) -> String {
        let digest = text(descriptor, "/digest");
        let size = self.blobs.get(&digest).copied();
        assert_eq!(
            descriptor["size"].as_u64(),
            size,
            "the size of {digest}, or it is absent"
        );
        self.reached.insert(digest.clone());
        digest
    }

    /// What a media type has to say about the layer, by its first bytes.
    fn form(&self, digest: &str) -> &'static str {
        let mut magic = [0; 4];
        let mut file = File::open(blob(self.root, digest)).expect("a layer");
        file.read_exact(&mut magic)
            .expect("more bytes than a magic number");
        match magic {
            [0x1f, 0x8b, ..] => form_name(LayerForm::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd] => form_name(LayerForm::Zstd),
            _ => form_name(LayerForm::Raw),
        }
    }
}

/// As the media types of such layers end.
pub(crate) fn form_name(form: LayerForm) -> &'static str {
    match form {
        LayerForm::Raw => "",
        LayerForm::Gzip => "gzip",
        LayerForm::Zstd => "zstd",
    }
}

/// `manifest.json` names every reference once, for amd64 if there is that, and what it names is
/// what the index says.
fn manifest_json(root: &Path, sound: &Sound) {
    let entries = json(&root.join("manifest.json"));
    let mut named = BTreeSet::new();
    for entry in array(&entries, "") {
        let path = |digest: &str| format!("blobs/{}", digest.replace(':', "/"));
        let tags: Vec<_> = array(entry, "/RepoTags").collect();
        let [tag] = tags[..] else {
            panic!("one tag for each entry: {entry}");
        };
        let tag = tag.as_str().expect("a tag");
        let images = sound
            .images
            .get(tag)
            .unwrap_or_else(|| panic!("index.json knows no {tag}"));
        let image = docker_image(images);
        assert_eq!(text(entry, "/Config"), path(&image.config), "{tag}");
        let layers: Vec<_> = image
            .layers
            .iter()
            .map(|layer| path(&layer.digest))
            .collect();
        assert_eq!(entry["Layers"], Value::from(layers), "{tag}");
        assert!(named.insert(tag.to_owned()), "{tag} is there twice");
    }
    assert!(named.iter().eq(sound.images.keys()), "{named:?}");
}

/// The one that docker gets.
pub(crate) fn docker_image(images: &[LayoutImage]) -> &LayoutImage {
    images
        .iter()
        .find(|image| image.platform == "linux/amd64")
        .unwrap_or(&images[0])
}

/// Every blob hashes to its name.
fn hashed(root: &Path) -> BTreeMap<String, u64> {
    let folder = root.join("blobs/sha256");
    let hash = |name: String| {
        let file = File::open(folder.join(&name)).expect("a blob");
        let (digest, size) = Digest::of_reader(file).expect("reading a blob");
        assert_eq!(digest.hex(), name, "a blob is not what its name says");
        (digest.to_string(), size)
    };
    names(&folder).into_iter().map(hash).collect()
}

fn blob(root: &Path, digest: &str) -> std::path::PathBuf {
    root.join("blobs").join(digest.replace(':', "/"))
}

fn json(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
