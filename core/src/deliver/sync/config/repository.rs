//! Where charts go: `target.repo`.

use std::path::PathBuf;

use super::{account, exclusive};
use crate::chart::repository::{RepositoryKind, RepositorySpec};
use crate::deliver::setting::{Fields, Setting, one_of, repository_address};
use crate::error::{ErrorKind, Result};
use crate::report::Warning;
use crate::settings::Settings;

/// By the numbers that protobuf gives them, which may be written too.
const KINDS: &[&str] = &[
    NONE,
    "HELM",
    "CHARTMUSEUM",
    "HARBOR",
    "OCI",
    "LOCAL",
    "JFROG",
];

const NONE: &str = "UNKNOWN";

const TARGETS: &str = "there are `HARBOR`, `CHARTMUSEUM`, `OCI` and `LOCAL`";

pub(super) fn read(
    target: &Fields<'_>,
    settings: &Settings,
    warnings: &mut Vec<Warning>,
) -> Result<RepositorySpec> {
    let help = "write `repo:` and, indented below it, `kind` and `url` (or, for `LOCAL`, `path`)";
    let bundles = target.filled("intermediateBundlesPath")?;
    let repo = match (target.get("repo"), bundles) {
        (Some(repo), Some((bundles, _))) => return Err(exclusive(repo, bundles)),
        (None, Some((bundles, _))) => {
            return Err(bundles
                .wrong("asks for bundles: as a target, they come later")
                .with_kind(ErrorKind::Unsupported)
                .hint("`fusion fuse BUNDLE... -o FOLDER/` makes bundles of bundles"));
        }
        (None, None) => return Err(target.lacks("repo").hint(help)),
        (Some(repo), None) => repo.fields()?,
    };
    let misplacing = account::besides(&repo);
    let repo = repo.known(misplacing)?;
    let said = &settings.target_repository;
    let login = account::read(&repo, said, account::REPOSITORY, warnings)?;
    // What finds charts in a source does nothing here.
    repo.text("chartsIndex")?;
    repo.flag("useChartsIndex")?;
    repo.flag("disableChartsIndex")?;
    let kind = target_kind(&repo)?;
    let (url, path) = match kind {
        RepositoryKind::Local => (String::new(), Some(folder(&repo, warnings)?)),
        _ => (url(&repo, kind)?, None),
    };
    let (username, password) = login.unzip();
    Ok(RepositorySpec {
        kind,
        url,
        path,
        username,
        password,
    })
}

/// The kind of `section`, by its name; none if it is the one that stands for none.
pub(super) fn kind<'f, 'a>(
    section: &'f Fields<'a>,
) -> Result<Option<(&'f Setting<'a>, &'static str)>> {
    let Some((setting, word)) = section.filled("kind")? else {
        return Ok(None);
    };
    let number = word.parse::<usize>().ok();
    let name = match number.and_then(|number| KINDS.get(number)) {
        Some(name) => name,
        None if word == NONE => NONE,
        None => one_of(setting, word, &KINDS[1..], "kind of repository")?,
    };
    Ok((name != NONE).then_some((setting, name)))
}

fn target_kind(repo: &Fields<'_>) -> Result<RepositoryKind> {
    let Some((setting, name)) = kind(repo)? else {
        return Err(repo.lacks("kind").hint(TARGETS));
    };
    match name {
        "CHARTMUSEUM" => Ok(RepositoryKind::ChartMuseum),
        "HARBOR" => Ok(RepositoryKind::Harbor),
        "OCI" => Ok(RepositoryKind::Oci),
        "LOCAL" => Ok(RepositoryKind::Local),
        "JFROG" => Err(setting
            .wrong("is `JFROG`: Artifactory is reached as a registry")
            .with_kind(ErrorKind::Unsupported)
            .hint("write `kind: OCI`, and `url: https://HOST/REPOSITORY` with one for Helm OCI")),
        _ => Err(setting
            .wrong(format!("is `{name}`, to which nothing can be published"))
            .hint(TARGETS)),
    }
}

fn url(repo: &Fields<'_>, kind: RepositoryKind) -> Result<String> {
    let Some((setting, _)) = repo.filled("url")? else {
        return Err(repo.lacks("url").hint("only `LOCAL` needs none"));
    };
    Ok(repository_address(setting, kind)?.to_string())
}

fn folder(repo: &Fields<'_>, warnings: &mut Vec<Warning>) -> Result<PathBuf> {
    if let Some(path) = repo.text("path")? {
        return Ok(PathBuf::from(path));
    }
    // As charts-syncer has it.
    let what = "has no `path`: charts go to the current folder";
    warnings.push(repo.itself().warning("current-folder", what));
    Ok(PathBuf::from("."))
}
