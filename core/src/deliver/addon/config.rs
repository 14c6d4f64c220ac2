//! The installer's `clusterConfig.yaml`, as far as it says where images and charts go. All else in
//! it is the installer's, and not looked at.

mod builtin;
mod external;

use std::path::{Path, PathBuf};

use crate::chart::repository::RepositorySpec;
use crate::deliver::setting::{Fields, Setting, Sheet, one_of};
use crate::error::{Error, ErrorKind, Result};
use crate::registry::Secret;
use crate::report::Warning;

/// What is looked at, of `provision.daocloud.io/v1alpha3` and `v1alpha4`.
const SETTINGS: &[&str] = &[
    "apiVersion",
    "kind",
    "spec.bootstrapNode",
    "spec.tinderKind.registryPort",
    "spec.tinderKind.chartmuseumPort",
    "spec.addonPackage.path",
    "spec.addonOfflinePackagePath",
    "spec.imagesAndCharts.type",
    "spec.imagesAndCharts.externalImageRepo",
    "spec.imagesAndCharts.externalImageRepoUsername",
    "spec.imagesAndCharts.externalImageRepoPassword",
    "spec.imagesAndCharts.externalChartRepoType",
    "spec.imagesAndCharts.externalChartRepo",
    "spec.imagesAndCharts.externalChartRepoUsername",
    "spec.imagesAndCharts.externalChartRepoPassword",
];

/// Where an installer's images and charts are, and the packages that it names.
#[derive(Debug)]
pub(super) struct AddonConfig {
    /// The packages, as they are written: relative to the current folder.
    pub(super) packages: Vec<PathBuf>,
    /// The registry of the images: `HOST[:PORT][/PREFIX]`.
    pub(super) registry: String,
    /// It is named as `http://…`.
    pub(super) registry_plain_http: bool,
    /// User and password for it.
    pub(super) registry_login: Option<(String, Secret)>,
    /// Where charts go.
    pub(super) repository: RepositorySpec,
    /// What somebody should know about the configuration.
    pub(super) warnings: Vec<Warning>,
}

/// Where images and charts go.
struct Places {
    registry: String,
    plain_http: bool,
    login: Option<(String, Secret)>,
    repository: RepositorySpec,
}

impl AddonConfig {
    /// What the file at `path` says.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let sheet = Sheet::read(path, SETTINGS)?;
        let root = sheet.root()?;
        let mut spec = Spec::of(&root)?;
        let packages = packages(&mut spec)?;
        let places = places(&mut spec)?;
        Ok(Self {
            packages,
            registry: places.registry,
            registry_plain_http: places.plain_http,
            registry_login: places.login,
            repository: places.repository,
            warnings: spec.warnings,
        })
    }
}

/// `spec`, and what stands beside it by mistake: a page of documentation shows it so, and
/// installers seem to bear it.
struct Spec<'r, 'a> {
    root: &'r Fields<'a>,
    spec: Option<Fields<'a>>,
    warnings: Vec<Warning>,
}

impl<'r, 'a> Spec<'r, 'a> {
    fn of(root: &'r Fields<'a>) -> Result<Self> {
        if let Some((kind, word)) = root.filled("kind")?
            && word != "ClusterConfig"
        {
            return Err(kind
                .wrong(format!("is `{word}`, where `ClusterConfig` is wanted"))
                .hint("the installer's manifest goes to `-m`, its clusterConfig.yaml to `-c`"));
        }
        let spec = root.fields("spec")?;
        let mut warnings = Vec::new();
        for fields in spec.iter() {
            misspelt(fields, &mut warnings);
        }
        Ok(Self {
            root,
            spec,
            warnings,
        })
    }

    /// The setting by that name, if it is not empty.
    fn get(&mut self, key: &str) -> Option<Setting<'a>> {
        if let Some(found) = self.spec.as_ref().and_then(|spec| spec.get(key)) {
            return Some(found.clone());
        }
        let found = self.root.get(key)?;
        let what = format!("stands beside `spec:`, not below it, and counts as `spec.{key}`");
        self.warnings.push(found.warning("misplaced-setting", what));
        Some(found.clone())
    }

    fn lacks(&self, key: &str) -> Error {
        self.spec.as_ref().unwrap_or(self.root).lacks(key)
    }
}

/// Names that are almost those of settings: the installer, too, passes over them.
fn misspelt(fields: &Fields<'_>, warnings: &mut Vec<Warning>) {
    for (field, meant) in fields.misspelt() {
        let what = format!("is no setting that is used here: did you mean `{meant}`?");
        warnings.push(field.warning("unknown-setting", what));
    }
}

/// The packages that are named; they may be named on the command line instead.
fn packages(spec: &mut Spec<'_, '_>) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if let Some(package) = spec.get("addonPackage") {
        let package = package.fields()?;
        misspelt(&package, &mut spec.warnings);
        // Later installers take several.
        match package.get("path") {
            Some(path) if path.is_list() => {
                for path in path.items()? {
                    found.push(PathBuf::from(path.text()?));
                }
            }
            Some(path) => found.push(PathBuf::from(path.text()?)),
            None => {}
        }
    }
    let older = spec.get("addonOfflinePackagePath");
    match older {
        Some(older) if found.is_empty() => found.push(PathBuf::from(older.text()?)),
        Some(older) => {
            let what = "has no effect beside `addonPackage.path`";
            spec.warnings.push(older.warning("ignored-setting", what));
        }
        None => {}
    }
    found.retain(|path| !path.as_os_str().is_empty());
    Ok(found)
}

fn places(spec: &mut Spec<'_, '_>) -> Result<Places> {
    let help = "set `spec.imagesAndCharts.type` to `external`, with `externalImageRepo`, \
                `externalChartRepoType` and `externalChartRepo`; or to `builtin`, with \
                `spec.bootstrapNode`";
    let online = "has images and charts at the vendor's, where nothing can be imported to";
    let Some(section) = spec.get("imagesAndCharts") else {
        return Err(older(spec)?.unwrap_or_else(|| spec.lacks("imagesAndCharts").hint(help)));
    };
    let fields = section.fields()?;
    misspelt(&fields, &mut spec.warnings);
    let Some((setting, word)) = fields.filled("type")? else {
        return Err(section
            .wrong(format!("has no `type`, and so {online}"))
            .hint(help));
    };
    let types = ["builtin", "external", "official-service"];
    match one_of(setting, word, &types, "place of images and charts")? {
        "builtin" => builtin::places(spec),
        "external" => external::places(&fields, &mut spec.warnings),
        _ => Err(setting
            .wrong(format!("is `{word}`: it {online}"))
            .hint(help)),
    }
}

/// The error that the file is one of those before `imagesAndCharts`, if it is.
fn older(spec: &Spec<'_, '_>) -> Result<Option<Error>> {
    let Some((setting, version)) = spec.root.filled("apiVersion")? else {
        return Ok(None);
    };
    let known = [
        "provision.daocloud.io/v1alpha3",
        "provision.daocloud.io/v1alpha4",
    ];
    if known.contains(&version) {
        return Ok(None);
    }
    let error = setting
        .wrong(format!(
            "is `{version}`, and only v1alpha3 and v1alpha4 are read"
        ))
        .with_kind(ErrorKind::Unsupported)
        .hint("later ones say in `spec.imagesAndCharts` where images and charts go");
    Ok(Some(error))
}

#[cfg(test)]
mod tests;
