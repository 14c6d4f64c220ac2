//! `type: builtin`: the registry and the ChartMuseum that an installer runs on its own node.

use super::{Places, Spec};
use crate::chart::repository::{RepositoryKind, RepositorySpec};
use crate::deliver::setting::{Fields, Setting};
use crate::deliver::target::Base;
use crate::error::Result;
use crate::registry::Secret;

const REGISTRY_PORT: u16 = 443;
const CHARTMUSEUM_PORT: u16 = 8081;

/// The account of the ChartMuseum, as the installer's documentation has it.
pub(super) const USER: &str = "rootuser";
const PASSWORD: &str = "rootpass123";

pub(super) fn places(spec: &mut Spec<'_, '_>) -> Result<Places> {
    let tinder = spec.get("tinderKind");
    let tinder = tinder.as_ref().map(Setting::fields).transpose()?;
    if let Some(tinder) = &tinder {
        super::misspelt(tinder, &mut spec.warnings);
    }
    let port = |key: &str, usual: u16| {
        let port = tinder
            .as_ref()
            .and_then(|tinder: &Fields<'_>| tinder.get(key));
        port.map_or(Ok(usual), Setting::port)
    };
    let registry = port("registryPort", REGISTRY_PORT)?;
    let charts = port("chartmuseumPort", CHARTMUSEUM_PORT)?;
    let node = node(spec)?;
    Ok(Places {
        registry: named(&node, registry),
        plain_http: false,
        login: None,
        repository: RepositorySpec {
            kind: RepositoryKind::ChartMuseum,
            url: format!("http://{node}:{charts}"),
            path: None,
            username: Some(USER.to_owned()),
            password: Some(Secret::new(PASSWORD)),
        },
    })
}

/// The node's address. The installer takes its own host's if none is set. Here that would be a
/// guess, and one that ends up in every chart: this need not be the node, and a node has several.
fn node(spec: &mut Spec<'_, '_>) -> Result<String> {
    let help = "write the address of the installer's node, as the clusters reach it: \
                `bootstrapNode: 10.5.14.40`";
    let Some(setting) = spec.get("bootstrapNode") else {
        return Err(spec.lacks("bootstrapNode").hint(help));
    };
    let node = setting.text()?.trim();
    if node == "auto" {
        return Err(setting
            .wrong("is `auto`, which only the installer can find out")
            .hint(help));
    }
    if node.contains([':', '/']) || Base::parse(&format!("{node}:443")).is_err() {
        let why = format!("is `{node}`, which is neither an address nor a name");
        return Err(setting.wrong(why).hint(help));
    }
    Ok(node.to_owned())
}

/// The registry as images name it: without the port that goes without saying, unless it is no
/// registry to them without one.
fn named(node: &str, port: u16) -> String {
    if port == REGISTRY_PORT && Base::parse(node).is_ok() {
        node.to_owned()
    } else {
        format!("{node}:{port}")
    }
}
