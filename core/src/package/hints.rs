//! The hints of a bundle: templates over the chart's values, one for each image that it needs.

use serde_json::Value;

use super::bundle::{CHART, HINTS};
use super::{Bundle, Level};
use crate::archive::Archive;
use crate::container::Members;
use crate::limits;
use crate::oci::Reference;

/// What is wrong with the hints of `bundle`, whose images are `archive`: charts-syncer would not
/// find what they name.
pub(crate) fn amiss(members: &Members, bundle: &Bundle, archive: &Archive) -> Vec<String> {
    let Some(text) = text(members, bundle, HINTS) else {
        return vec!["it has no `hints.yaml` that could be read".to_owned()];
    };
    let hints = match serde_saphyr::from_str::<Option<Vec<String>>>(&text) {
        Ok(hints) => hints.unwrap_or_default(),
        Err(error) => {
            let why = error.to_string();
            let line = why.lines().next().unwrap_or_default();
            return vec![format!("`hints.yaml` is no list of templates: {line}")];
        }
    };
    let names: Vec<String> = (archive.roots.iter())
        .filter_map(|root| root.name.spelled())
        .map(normalised)
        .collect();
    let mut amiss = Vec::new();
    for hint in &hints {
        match rendered(hint, members, bundle) {
            Err(key) => {
                amiss.push(format!(
                    "the hint `{hint}` needs `{key}`, which no values have"
                ));
            }
            Ok(name) if names.contains(&normalised(&name)) => {}
            Ok(name) => {
                amiss.push(format!(
                    "the hint `{hint}` names `{name}`, which is not in its images"
                ));
            }
        }
    }
    amiss
}

fn normalised(name: &str) -> String {
    let reference = name.parse::<Reference>();
    reference.map_or_else(|_| name.to_owned(), |reference| reference.to_string())
}

/// What a template becomes, or which of its keys there is no value for.
fn rendered(hint: &str, members: &Members, bundle: &Bundle) -> Result<String, String> {
    let mut name = String::new();
    let mut rest = hint;
    while let Some((before, after)) = rest.split_once("{{") {
        name.push_str(before);
        let (key, behind) = after.split_once("}}").ok_or_else(|| after.to_owned())?;
        let key = key.trim();
        let path: Vec<&str> = key.trim_start_matches('.').split('.').collect();
        let value = value(members, bundle, CHART, &path).ok_or_else(|| key.to_owned())?;
        name.push_str(&value);
        rest = behind;
    }
    name.push_str(rest);
    // Of a chart whose registry is empty.
    Ok(name.trim_start_matches('/').to_owned())
}

/// What the values of the chart below `folder` have at `path`, or those of the subchart that its
/// first part names.
fn value(members: &Members, bundle: &Bundle, folder: &str, path: &[&str]) -> Option<String> {
    let (first, below) = path.split_first()?;
    let text = text(members, bundle, &format!("{folder}values.yaml"));
    let values = text.and_then(|text| serde_saphyr::from_str::<Value>(&text).ok());
    let found =
        (values.as_ref()).and_then(|values| path.iter().try_fold(values, |at, key| at.get(key)));
    match found {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(Value::Bool(yes)) => Some(yes.to_string()),
        _ => value(members, bundle, &format!("{folder}charts/{first}/"), below),
    }
}

fn text(members: &Members, bundle: &Bundle, name: &str) -> Option<String> {
    let member = bundle.files.get(name)?;
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
