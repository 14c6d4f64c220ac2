//! `type: external`: a registry and a chart repository that were there before.

use super::{Places, builtin};
use crate::chart::repository::{RepositoryKind, RepositorySpec};
use crate::deliver::setting::{Address, Fields, Scheme, one_of, registry, repository_address};
use crate::error::{ErrorKind, Result};
use crate::registry::Secret;
use crate::report::Warning;

const TYPES: &[&str] = &["chartmuseum", "harbor", "oci", "jfrog"];

pub(super) fn places(fields: &Fields<'_>, warnings: &mut Vec<Warning>) -> Result<Places> {
    let images = "externalImageRepo";
    let Some((setting, _)) = fields.filled(images)? else {
        let hint = "write the address of the registry, with its scheme: `https://HOST[:PORT]`";
        return Err(fields.lacks(images).hint(hint));
    };
    // As the installer has it: with a scheme.
    Address::of(setting, &[Scheme::Https, Scheme::Http])?;
    let (base, plain_http) = registry(setting)?;
    Ok(Places {
        registry: base.to_string(),
        plain_http,
        login: account(fields, images, None, warnings)?,
        repository: repository(fields, warnings)?,
    })
}

fn repository(fields: &Fields<'_>, warnings: &mut Vec<Warning>) -> Result<RepositorySpec> {
    let (charts, type_key) = ("externalChartRepo", "externalChartRepoType");
    let Some((setting, word)) = fields.filled(type_key)? else {
        let hint = "there are `chartmuseum`, `harbor` and `oci`";
        return Err(fields.lacks(type_key).hint(hint));
    };
    let word = word.to_lowercase();
    let kind = match one_of(setting, &word, TYPES, "type of chart repository")? {
        "chartmuseum" => RepositoryKind::ChartMuseum,
        "harbor" => RepositoryKind::Harbor,
        "oci" => RepositoryKind::Oci,
        _ => {
            return Err(setting
                .wrong("is `jfrog`: Artifactory's own Helm repositories are not written to")
                .with_kind(ErrorKind::Unsupported)
                .hint(
                    "create a repository of type Helm OCI there, and write \
                     `externalChartRepoType: oci` and `externalChartRepo: \
                     https://HOST/REPOSITORY`",
                ));
        }
    };
    let Some((setting, _)) = fields.filled(charts)? else {
        let hint = "write its address, with its scheme: `https://HOST:PORT`";
        return Err(fields.lacks(charts).hint(hint));
    };
    let url = repository_address(setting, kind)?.to_string();
    // The documentation has a password alone, and the account of the ChartMuseum that is built in.
    let usual = (kind == RepositoryKind::ChartMuseum).then_some(builtin::USER);
    let (username, password) = account(fields, charts, usual, warnings)?.unzip();
    Ok(RepositorySpec {
        kind,
        url,
        path: None,
        username,
        password,
    })
}

/// User and password of the place that `key` is. A password alone is for the `usual` user.
fn account(
    fields: &Fields<'_>,
    key: &str,
    usual: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> Result<Option<(String, Secret)>> {
    let (user_key, password_key) = (format!("{key}Username"), format!("{key}Password"));
    let user = fields.filled(&user_key)?;
    let password = fields.filled(&password_key)?;
    match (user, password, usual) {
        (Some((_, user)), Some((_, password)), _) => {
            Ok(Some((user.to_owned(), Secret::new(password))))
        }
        (None, Some((setting, password)), Some(usual)) => {
            let what = format!("comes without `{user_key}`, and counts as that of `{usual}`");
            warnings.push(setting.warning("assumed-user", what));
            Ok(Some((usual.to_owned(), Secret::new(password))))
        }
        (Some((setting, _)), None, _) => Err(setting
            .wrong(format!("comes without `{password_key}`"))
            .hint("set both, or none")),
        (None, Some((setting, _)), None) => Err(setting
            .wrong(format!("comes without `{user_key}`"))
            .hint("set both, or none")),
        (None, None, _) => Ok(None),
    }
}
