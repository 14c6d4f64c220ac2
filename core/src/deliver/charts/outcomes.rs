//! What became of the images of a run, by the names that charts call them.

use std::collections::BTreeMap;

use crate::oci::Reference;
use crate::report::Image;

/// The images of a run by all the names they go by.
pub(super) struct Known {
    by_name: BTreeMap<String, Image>,
}

/// How many letters of a digest make a tag where there is none.
const LETTERS: usize = 12;

/// The name that `reference` goes by among images, and under which one that only a digest names is
/// pushed: its tag, or one made of the digest, because registries clean up what has no tag.
pub(super) fn key(reference: &Reference) -> String {
    let (registry, repository) = (reference.registry(), reference.repository());
    let tag = match (reference.tag(), reference.digest()) {
        (Some(tag), _) => tag.to_owned(),
        (None, Some(digest)) => {
            let hex: String = digest.hex().chars().take(LETTERS).collect();
            format!("sha256-{hex}")
        }
        (None, None) => "latest".to_owned(),
    };
    format!("{registry}/{repository}:{tag}")
}

/// The same, of a name as it is spelled, if it is a reference.
pub(super) fn spelled(name: &str) -> Option<String> {
    name.parse().ok().map(|reference| key(&reference))
}

impl Known {
    pub(super) fn of(images: &[Image]) -> Self {
        let mut by_name = BTreeMap::new();
        for image in images {
            let names = image.names.iter().chain([&image.reference]);
            for name in names.filter_map(|name| spelled(name)) {
                by_name.insert(name, image.clone());
            }
        }
        Self { by_name }
    }

    /// What became of the image that a chart calls `reference`, if it is of the run.
    pub(super) fn get(&self, reference: &Reference) -> Option<&Image> {
        self.by_name.get(&key(reference))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_becomes_a_tag_where_there_is_none() {
        let hex = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";
        let key = |text: String| key(&text.parse().expect("a reference"));
        let name = format!("quay.io/a/b@sha256:{hex}");
        assert_eq!(key(name), "quay.io/a/b:sha256-6b86b273ff34");
        assert_eq!(key(format!("quay.io/a/b:1@sha256:{hex}")), "quay.io/a/b:1");
        assert_eq!(key("nginx:1.25".to_owned()), "docker.io/library/nginx:1.25");
    }
}
