//! The hints of a bundle: templates over the chart's values, one for each image that it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::{CHART, HINTS};
use super::{Bundle, Level};
use crate::archive::Archive;
use crate::chart::{Chart, Hints};
use crate::container::Members;
use crate::error::Result;
use crate::limits;
use crate::oci::Reference;

/// What is wrong with the hints of `bundle`, whose images are `archive`: charts-syncer would not
/// find what they name.
pub(crate) fn amiss(members: &Members, bundle: &Bundle, archive: &Archive) -> Vec<String> {
    let Some(text) = text(members, bundle) else {
        return vec!["it has no `hints.yaml` that could be read".to_owned()];
    };
    let hints = match Hints::parse(&text, HINTS) {
        Ok(hints) => hints,
        Err(error) => {
            let why = error.message();
            return vec![format!("`hints.yaml` is no list of templates: {why}")];
        }
    };
    let each = chart(members, bundle).and_then(|chart| hints.each(&chart));
    let each = match each {
        Ok(each) => each,
        Err(error) => return vec![format!("its chart cannot be read: {error}")],
    };
    let names: BTreeSet<String> = (archive.roots.iter())
        .filter_map(|root| root.name.spelled())
        .map(normalised)
        .collect();
    let mut amiss = Vec::new();
    for hinted in each {
        match hinted {
            Err(error) => amiss.push(error.message().to_owned()),
            Ok(hinted) if names.contains(&hinted.normalised.to_string()) => {}
            Ok(hinted) => amiss.push(format!(
                "the hint `{}` names `{}`, which is not in its images",
                hinted.hint, hinted.reference
            )),
        }
    }
    amiss
}

fn normalised(name: &str) -> String {
    let reference = name.parse::<Reference>();
    reference.map_or_else(|_| name.to_owned(), |reference| reference.to_string())
}

/// The chart of `bundle`, with as much of it as hints need.
fn chart(members: &Members, bundle: &Bundle) -> Result<Chart> {
    let mut files = BTreeMap::new();
    for (name, member) in &bundle.files {
        let Some(name) = name.strip_prefix(CHART) else {
            continue;
        };
        let needed = [".yaml", ".tgz"].iter().any(|end| name.ends_with(end));
        if needed && !name.contains("templates/") && !name.contains("crds/") {
            let bytes = members.document(member, limits::MAX_CHART)?;
            files.insert(name.to_owned(), bytes);
        }
    }
    Chart::from_files(files, CHART)
}

fn text(members: &Members, bundle: &Bundle) -> Option<String> {
    let member = bundle.files.get(HINTS)?;
    let bytes = members.document(member, limits::MAX_JSON).ok()?;
    String::from_utf8(bytes).ok()
}

impl Level {
    /// Calls `visit` with the place of each `hints.yaml` with which something is amiss, and with what
    /// that is. Bundles without images have nothing to hint at.
    pub(crate) fn visit_hints(&self, archives: &[Archive], visit: &mut dyn FnMut(String, String)) {
        self.visit_bundles(&mut |members, name, bundle| {
            let images = bundle.images.as_ref();
            let at = images.and_then(|images| images.level.only_images());
            let Some(archive) = at.and_then(|at| archives.get(at)) else {
                return;
            };
            for message in amiss(members, bundle, archive) {
                visit(members.called(&format!("{name}{HINTS}")), message);
            }
        });
    }
}
