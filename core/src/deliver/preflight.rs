//! What can be found out before the first byte is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::DeliverOptions;
use super::target::Target;
use crate::error::Result;
use crate::registry::Client;
use crate::report::{Report, Warning};

/// What was found out about registries so far.
#[derive(Debug, Default)]
pub(super) struct Preflight {
    /// Whether a registry was reached.
    hosts: Mutex<BTreeMap<String, ()>>,
}

impl Preflight {
    /// Whether what `target` names can be written, as far as that can be told.
    pub(super) fn allows(
        &self,
        client: &Client,
        target: &Target,
        _options: &DeliverOptions,
    ) -> Result<bool> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if !hosts.contains_key(&target.host) {
            client.host(&target.host).check()?;
            hosts.insert(target.host.clone(), ());
        }
        Ok(true)
    }

    /// Checks everything that `targets` name; what cannot be written is all told at once.
    pub(super) fn check(
        &self,
        client: &Client,
        targets: &[Target],
        options: &DeliverOptions,
        report: &mut Report,
    ) -> Result<()> {
        for target in targets {
            self.allows(client, target, options)?;
        }
        question_localhost(targets, report);
        Ok(())
    }
}

/// podman puts `localhost/` before names without a registry; a project of that name is hardly
/// what anybody wants.
fn question_localhost(targets: &[Target], report: &mut Report) {
    let places: BTreeSet<&str> = (targets.iter())
        .map(|target| target.repository.as_str())
        .filter(|repository| repository.split('/').any(|part| part == "localhost"))
        .collect();
    for place in places {
        report.warnings.push(Warning {
            reference: None,
            code: "localhost",
            message: format!(
                "`{place}` has `localhost` in its path, which podman puts before names without a \
                 registry: `--rename localhost=library` takes it out"
            ),
        });
    }
}
