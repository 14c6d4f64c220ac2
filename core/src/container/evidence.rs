//! What the names of members tell about the container that they come in, before its listing does:
//! that often comes last.

use std::cell::Cell;

use super::names::{is_of_chart, stated_digest};
use crate::oci::Digest;

/// What was found out about a container while it comes by, and about those around it.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    /// It holds an image archive or a chart bundle, or is one.
    worth: Cell<bool>,
    /// It holds a container that does: it is no image archive itself.
    package: Cell<bool>,
    /// It is a chart bundle.
    bundle: Cell<bool>,
    /// It may hold one, going by the file names.
    hint: Cell<bool>,
    /// It stays a whole file for now: what is in it is passed over.
    whole: Cell<bool>,
    around: Option<&'a Self>,
}

impl<'a> Found<'a> {
    /// What was found out about a container within this one: nothing yet.
    pub(super) fn inner(&'a self) -> Self {
        Self {
            around: Some(self),
            ..Self::default()
        }
    }

    /// Takes note of a member's name.
    pub(super) fn look(&self, name: &str) {
        if of_bundle(name) {
            self.package.set(true);
            if name == "hints.yaml" || name.starts_with("original-chart/") {
                self.bundle.set(true);
            }
        } else if !of_images(name) {
            let last = name.rsplit('/').next().unwrap_or(name);
            if last.ends_with(".bundle.tar") || last.starts_with("images.tar") {
                self.hint.set(true);
            }
            return;
        }
        self.worth.set(true);
        let mut next = self.around;
        while let Some(outer) = next {
            outer.worth.set(true);
            outer.package.set(true);
            next = outer.around;
        }
    }

    /// Whether it is an image archive or a chart bundle, or holds one.
    pub(super) fn worth(&self) -> bool {
        self.worth.get()
    }

    /// Whether it is worth a second look, if it was not taken apart.
    pub(super) fn hints(&self) -> bool {
        self.worth.get() || self.hint.get()
    }

    /// Says that it stays a whole file.
    pub(super) fn keep_whole(&self) {
        self.whole.set(true);
    }

    /// Whether it, or a container around it, stays a whole file.
    pub(super) fn is_whole(&self) -> bool {
        self.whole.get() || self.around.is_some_and(Self::is_whole)
    }

    /// Whether it is a chart bundle, and nothing else.
    pub(super) fn is_bundle(&self) -> bool {
        self.bundle.get()
    }

    /// Whether it is sure to be no image archive itself.
    pub(super) fn package(&self) -> bool {
        self.package.get()
    }
}

/// Whether only image archives have members of such names.
fn of_images(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    stated_digest(name).is_some() || last == "oci-layout" || is_layer(name)
}

fn of_bundle(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    last == "hints.yaml" || is_of_chart(name)
}

/// Whether a member of this name is a layer, which is a tar archive that nobody looks into:
/// `<id>/layer.tar` of Docker, `<diff ID>.tar` of skopeo.
pub(super) fn is_layer(name: &str) -> bool {
    let (folder, last) = name.rsplit_once('/').unwrap_or(("", name));
    let folder = folder.rsplit('/').next().unwrap_or(folder);
    let hex = |text: &str| Digest::from_sha256_hex(text).is_some();
    last == "layer.tar"
        || last.strip_suffix(".tar").is_some_and(hex)
        || (hex(folder) && matches!(last, "VERSION" | "json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";

    #[test]
    fn names_of_image_archives_and_bundles_are_evidence_for_all_around() {
        for (name, worth, package) in [
            (format!("blobs/sha256/{HEX}"), true, false),
            (format!("offline-images/blobs/sha256/{HEX}"), true, false),
            (format!("sha256:{HEX}"), true, false),
            (format!("{HEX}.tar.gz"), true, false),
            (format!("{HEX}/layer.tar"), true, false),
            ("x/hints.yaml".to_owned(), true, true),
            ("original-chart/Chart.yaml".to_owned(), true, true),
            ("manifest.json".to_owned(), false, false),
            ("bin/kubeadm".to_owned(), false, false),
        ] {
            let outer = Found::default();
            let inner = outer.inner();
            inner.look(&name);
            assert_eq!((inner.worth(), inner.package()), (worth, package), "{name}");
            assert_eq!((outer.worth(), outer.package()), (worth, worth), "{name}");
        }
    }
}
