//! What images are called: the settings of `target` whose names begin with `container`.

use crate::deliver::relocation;
use crate::deliver::setting::{Fields, Setting, registry};
use crate::error::Result;
use crate::oci::Reference;
use crate::report::Warning;

/// The rules, and how their registry is reached.
pub(super) struct Rules {
    pub(super) rules: relocation::Rules,
    /// It is named as `http://…`.
    pub(super) plain_http: bool,
}

impl Rules {
    pub(super) fn read(target: &Fields<'_>, warnings: &mut Vec<Warning>) -> Result<Self> {
        let of = |key: &str| {
            target
                .filled(key)
                .map(|found| found.map(|(setting, _)| setting))
        };
        let own = of("containerRegistry")?;
        let prefix = of("containerPrefixRegistry")?;
        let (own_base, own_plain) = own.map(registry).transpose()?.unzip();
        let (prefix_base, prefix_plain) = prefix.map(registry).transpose()?.unzip();
        let repository = of("containerRepository")?;
        let prefix_repository = of("containerPrefixRepository")?;
        let rules = relocation::Rules {
            registry: own_base,
            repository: repository.map(path).transpose()?,
            prefix_registry: prefix_base,
            prefix_repository: prefix_repository.map(path).transpose()?,
            append_origin: target.flag("appendOriginRegistry")?,
        };
        if let (true, None, Some(append)) = (
            rules.append_origin,
            prefix,
            target.get("appendOriginRegistry"),
        ) {
            return Err(append
                .wrong("goes with `target.containerPrefixRegistry`, which is not set")
                .hint("write the registry as `containerPrefixRegistry`"));
        }
        if !rules.any() {
            return Err(target
                .itself()
                .wrong("does not say what images are called")
                .hint("write `containerRegistry: HOST[:PORT]`, the registry that they go to"));
        }
        let mut idle = |setting: Option<&Setting<'_>>, other: Option<&Setting<'_>>| {
            if let (Some(setting), Some(other)) = (setting, other) {
                let what = format!("has no effect beside `{}`", other.name());
                warnings.push(setting.warning("ignored-setting", what));
            }
        };
        idle(own, prefix);
        let append = target
            .get("appendOriginRegistry")
            .filter(|_| rules.append_origin);
        idle(prefix_repository, repository.or(append));
        Ok(Self {
            plain_http: prefix_plain.or(own_plain).unwrap_or(false),
            rules,
        })
    }
}

/// A path for images. Slashes around it are charity: charts-syncer makes names of them that no
/// registry takes.
fn path(setting: &Setting<'_>) -> Result<String> {
    let text = setting.text()?;
    let path = text.trim().trim_matches('/');
    let named: Result<Reference> = format!("registry.local/{path}/image").parse();
    match named {
        Ok(named) if named.digest().is_none() => Ok(path.to_owned()),
        _ => Err(setting
            .wrong(format!("is `{text}`, which is no path for images"))
            .hint("write it in lower case, without scheme and tag: `project/charts`")),
    }
}
