//! Addresses in a configuration.

use std::fmt;

use super::Setting;
use crate::chart::repository::RepositoryKind;
use crate::deliver::target::Base;
use crate::error::Result;

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::deliver) enum Scheme {
    Http,
    Https,
    Oci,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Oci => "oci",
        }
    }
}

/// An address with its scheme: `https://harbor.local/chartrepo/p`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::deliver) struct Address {
    pub(in crate::deliver) scheme: Scheme,
    /// Host, port and path, without a slash at the end.
    pub(in crate::deliver) rest: String,
}

impl Address {
    /// The address that `setting` is; it may begin with one of `schemes`.
    pub(in crate::deliver) fn of(setting: &Setting<'_>, schemes: &[Scheme]) -> Result<Self> {
        let text = setting.text()?.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        let rest = rest.trim_end_matches('/');
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        no_user(setting, rest)?;
        let forms = || {
            let forms = schemes.iter().map(|s| format!("`{}://{rest}`", s.name()));
            format!("write {}", forms.collect::<Vec<_>>().join(" or "))
        };
        let odd = |c: char| c.is_whitespace() || c.is_control() || "{}<>\"\\^`|?#".contains(c);
        if let Some(odd) = rest.chars().find(|c| odd(*c)) {
            let why = format!("is `{text}`, and `{odd}` has no place in an address");
            return Err(setting.wrong(why));
        }
        if host.is_empty() || host.starts_with(':') || host.ends_with(':') {
            return Err(setting.wrong(format!("is `{text}`, which names no server")));
        }
        if path.split('/').any(str::is_empty) && !path.is_empty() {
            return Err(setting.wrong(format!("is `{text}`, which has two slashes in a row")));
        }
        let Some(scheme) = scheme else {
            return Err(setting
                .wrong(format!("is `{text}`, which has no scheme"))
                .hint(forms()));
        };
        let known = schemes.iter().find(|known| known.name() == scheme);
        let known = known.ok_or_else(|| {
            let why = format!("is `{text}`, and `{scheme}://` is not for this");
            setting.wrong(why).hint(forms())
        })?;
        Ok(Self {
            scheme: *known,
            rest: rest.to_owned(),
        })
    }

    /// Host and port.
    pub(in crate::deliver) fn host(&self) -> &str {
        let host = self.rest.split('/').next();
        host.unwrap_or(&self.rest)
    }

    /// What follows the host, without a slash before it.
    pub(in crate::deliver) fn path(&self) -> &str {
        self.rest.split_once('/').map_or("", |(_, path)| path)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.rest)
    }
}

/// What stands before an `@` is a password, maybe: errors that show the text come after this one.
fn no_user(setting: &Setting<'_>, text: &str) -> Result<()> {
    if !text.contains('@') {
        return Ok(());
    }
    Err(setting
        .wrong("has a user in it")
        .hint("write user and password where the settings have a place for them"))
}

/// The address of a chart repository of that `kind`, which `setting` is.
pub(in crate::deliver) fn repository_address(
    setting: &Setting<'_>,
    kind: RepositoryKind,
) -> Result<Address> {
    let schemes: &[Scheme] = match kind {
        RepositoryKind::Oci => &[Scheme::Https, Scheme::Http, Scheme::Oci],
        _ => &[Scheme::Https, Scheme::Http],
    };
    let address = Address::of(setting, schemes)?;
    let project = address.path().strip_prefix("chartrepo/");
    let named = project.is_some_and(|project| !project.contains('/'));
    if kind == RepositoryKind::Harbor && !named {
        let host = address.host();
        return Err(setting
            .wrong(format!("is `{address}`, which names no project of Harbor"))
            .hint(format!(
                "write `https://{host}/chartrepo/PROJECT`; since 2.8, Harbor takes charts as \
                 OCI artifacts: `kind: OCI`, `url: https://{host}/PROJECT`"
            )));
    }
    Ok(address)
}

/// The registry that `setting` names, as images name it or as a web address, and whether that
/// says that it is reached by plain HTTP.
pub(in crate::deliver) fn registry(setting: &Setting<'_>) -> Result<(Base, bool)> {
    let text = setting.text()?.trim();
    let web = text
        .contains("://")
        .then(|| Address::of(setting, &[Scheme::Http, Scheme::Https]));
    let (name, plain) = match web.transpose()? {
        Some(address) => {
            let plain = address.scheme == Scheme::Http;
            (address.rest, plain)
        }
        None => {
            no_user(setting, text)?;
            (text.trim_end_matches('/').to_owned(), false)
        }
    };
    let base = Base::parse(&name).map_err(|error| {
        let why = error.message().rsplit(": ").next().unwrap_or_default();
        setting
            .wrong(format!("is `{text}`, which is no registry: {why}"))
            .hint("write it as images do, `HOST[:PORT]`: `10.16.10.111`, `harbor.local:8443`")
    })?;
    Ok((base, plain))
}
