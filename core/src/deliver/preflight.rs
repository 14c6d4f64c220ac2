//! What can be found out before the first byte is sent.

use std::collections::BTreeSet;

use super::DeliverOptions;
use super::target::Target;
use crate::error::Result;
use crate::registry::Client;
use crate::report::{Report, Warning};

/// Checks that everything `targets` names can be written.
pub(super) fn check(
    client: &Client,
    targets: &[Target],
    _options: &DeliverOptions,
    report: &mut Report,
) -> Result<()> {
    let hosts: BTreeSet<&str> = targets.iter().map(|target| target.host.as_str()).collect();
    for host in hosts {
        client.host(host).check()?;
    }
    question_localhost(targets, report);
    Ok(())
}

/// podman puts `localhost/` before names without a registry; a project of that name is hardly
/// what anybody wants.
fn question_localhost(targets: &[Target], report: &mut Report) {
    for target in targets {
        if target.repository.split('/').any(|part| part == "localhost") {
            report.warnings.push(Warning {
                reference: None,
                code: "localhost",
                message: format!(
                    "{target} has `localhost` in its path, which podman puts before names without \
                     a registry: `--rename localhost=library` takes it out"
                ),
            });
        }
    }
}
