//! The images of the matrix: four references, two architectures, layers that are shared and layers
//! that hide what is below them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::OnceLock;

use fusion_fixtures::{Image, Layer, Noise, Platform, synthetic};

use super::tree;

/// On both architectures; shared layers at the bottom.
pub(crate) const WEB: &str = "docker.io/library/web:1.5";
/// On both architectures; a shared layer at the top.
pub(crate) const TOOL: &str = "ghcr.io/acme/tool:2.1";
/// On one only.
pub(crate) const AMD_ONLY: &str = "docker.io/acme/amdonly:0.3";
/// On the other only.
pub(crate) const ARM_ONLY: &str = "registry.example:5000/team/sub/armonly:7";

pub(crate) const AMD64: &str = "linux/amd64";
pub(crate) const ARM64: &str = "linux/arm64";

/// The images of each architecture.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) amd64: Vec<Image>,
    pub(crate) arm64: Vec<Image>,
}

impl Sample {
    pub(crate) fn get() -> &'static Self {
        static SAMPLE: OnceLock<Sample> = OnceLock::new();
        SAMPLE.get_or_init(Self::make)
    }

    fn make() -> Self {
        let base = base();
        let noise = synthetic::layer(Noise {
            seed: 5,
            size: 150_000,
            label: None,
        })
        .expect("noise");
        let on = |platform: &Platform| {
            let architecture = platform.architecture.as_str();
            let image = |name: &str, own: &str, below: &[&Layer], above: &[&Layer]| {
                let own = program(own, architecture);
                let own = [&own];
                let layers = below.iter().chain(&own).chain(above);
                self::image(name, platform, layers.map(|&layer| layer.clone()).collect())
            };
            let only = match architecture {
                "amd64" => image(AMD_ONLY, "amdonly", &[&base], &[]),
                _ => image(ARM_ONLY, "armonly", &[&noise], &[]),
            };
            vec![
                image(WEB, "web", &[&base, &noise], &[]),
                image(TOOL, "tool", &[], &[&base]),
                only,
            ]
        };
        Self {
            amd64: on(&Platform::amd64()),
            arm64: on(&Platform::arm64()),
        }
    }

    /// All images of that platform.
    pub(crate) fn images(&self, platform: &str) -> &[Image] {
        if platform == ARM64 {
            &self.arm64
        } else {
            &self.amd64
        }
    }

    /// The image of that reference and platform.
    pub(crate) fn image(&self, reference: &str, platform: &str) -> &Image {
        self.images(platform)
            .iter()
            .find(|image| image.reference.as_deref() == Some(reference))
            .unwrap_or_else(|| panic!("no {reference} for {platform}"))
    }
}

/// The layer that most images share.
fn base() -> Layer {
    Layer::memory(tree::tar(|root| {
        write(root, "etc/order", "base");
        write(root, "etc/gone", "hidden by a layer above");
        write(root, "etc/base-release", "base 1");
        symlink("base-release", root.join("etc/os-release")).expect("a link");
    }))
}

/// The layer of one image on one architecture.
fn program(name: &str, architecture: &str) -> Layer {
    Layer::memory(tree::tar(|root| {
        let file = format!("bin/{name}");
        write(root, &file, &format!("#!{name} for {architecture}\n"));
        let path = root.join(&file);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
        fs::hard_link(&path, root.join(format!("{file}-too"))).expect("a link");
        write(root, "etc/order", &format!("{name} for {architecture}"));
        write(root, "etc/arch", architecture);
        if name != "tool" && name != "armonly" {
            write(root, "etc/.wh.gone", "");
        }
    }))
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, text).expect("a file");
}

/// An image whose config is written as Go tools write it, so that it survives buildah.
fn image(reference: &str, platform: &Platform, layers: Vec<Layer>) -> Image {
    let join = |items: Vec<String>| items.join(",");
    let diff_ids = join(
        layers
            .iter()
            .map(|layer| format!(r#""{}""#, layer.diff_id))
            .collect(),
    );
    let history = join(
        (0..layers.len())
            .map(|at| format!(r#"{{"created":"2024-05-01T00:00:00Z","created_by":"ADD {at}"}}"#))
            .collect(),
    );
    let config = format!(
        r#"{{"created":"2024-05-01T00:00:00Z","architecture":"{}","os":"{}","config":{{"Env":["PATH=/bin"],"Cmd":["/bin/sh"]}},"rootfs":{{"type":"layers","diff_ids":[{diff_ids}]}},"history":[{history}]}}"#,
        platform.architecture, platform.os,
    );
    Image {
        reference: Some(reference.to_owned()),
        extra_references: Vec::new(),
        platform: platform.clone(),
        layers,
        config: config.into_bytes(),
    }
}
