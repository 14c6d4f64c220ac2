//! What a run that pushes takes: a way into the registry, places to work, somebody who sends.

use std::sync::Arc;

use super::findings::Findings;
use super::ledger::Ledger;
use super::pass::Passing;
use super::preflight::Preflight;
use super::push::Push;
use super::send::Sender;
use super::spool::Spool;
use super::target::{Base, Naming};
use super::{DeliverOptions, space, tell};
use crate::error::Result;
use crate::fuse::{Verify, warn};
use crate::location::Location;
use crate::progress::Progress;
use crate::report::Report;
use crate::store::workers;

/// How many requests wait for a registry at once where nobody says.
const CONNECTIONS: usize = 6;

/// What a run starts with.
pub(super) struct Start<'a> {
    pub(super) sources: &'a [Location],
    /// The registry that is pushed to, with what names in it begin with.
    pub(super) base: Base,
    pub(super) naming: Naming,
    pub(super) options: &'a DeliverOptions,
    /// Whether layers may be sent before it is known what else there is.
    pub(super) may_pass: bool,
    /// Whether the registry is needed at all.
    pub(super) reaches: bool,
    /// Whether somebody looked already at what stands in the way.
    pub(super) looked: bool,
}

impl Start<'_> {
    /// Does `work` with all that pushing takes, once the registry is reached.
    pub(super) fn with(
        self,
        progress: &Progress,
        report: &mut Report,
        work: impl FnOnce(&mut Push<'_>) -> Result<()>,
    ) -> Result<()> {
        let Start {
            sources,
            base,
            naming,
            options,
            may_pass,
            reaches,
            looked,
        } = self;
        let pool = workers::pool(options.fuse.jobs)?;
        let connections = options
            .fuse
            .jobs
            .map_or(CONNECTIONS, |jobs| jobs.min(CONNECTIONS));
        let senders = Arc::new(workers::pool(Some(connections))?);
        let connect = &options.fuse.connect;
        // User and password are for the registry that is pushed to; sources may lie in others.
        let client = connect.client([base.host.as_str()], progress.stop())?;
        // Before anything is read: that may take an hour.
        let mut findings = Findings::default();
        if reaches {
            findings.note(client.host(&base.host).check())?;
        }
        if !looked {
            let told = findings.note(space::look(sources, &base, options, may_pass))?;
            report.warnings.extend(told.flatten());
        }
        findings.settle()?;
        let spool = Spool::take(sources, &base, options)?.map(Arc::new);
        let ledger = Arc::new(Ledger::default());
        let preflight = Arc::new(Preflight::default());
        let pass = match &spool {
            Some(spool) if may_pass && Passing::can(options) => Some(
                Passing {
                    sources: sources.to_vec(),
                    naming: naming.clone(),
                    options: options.clone(),
                    client: client.clone(),
                    pool: Arc::clone(&senders),
                    ledger: Arc::clone(&ledger),
                    spool: Arc::clone(spool),
                    preflight: Arc::clone(&preflight),
                }
                .hook(),
            ),
            _ => None,
        };
        let sender = Sender {
            client: &client,
            pool: &senders,
            progress,
            ledger: &ledger,
            sessions: spool.as_ref().map(|spool| spool.sessions()),
            preflight: &preflight,
            spool: spool.as_ref().map(|spool| &**spool.blobs()),
            thorough: options.fuse.verify == Verify::Full,
            dry_run: options.fuse.dry_run,
        };
        let mut push = Push {
            sources,
            naming,
            options,
            pool,
            client: &client,
            spool: spool.as_deref(),
            pass,
            preflight: &preflight,
            sender: &sender,
            progress,
            report,
        };
        let outcome = work(&mut push);
        push.report.warnings.extend(warn::notices(&client));
        push.report.warnings.sort();
        tell::traffic(push.report, &ledger, spool.as_deref());
        match (outcome, &spool) {
            (Err(error), Some(spool)) => Err(spool.keep(error)),
            (outcome, _) => outcome,
        }
    }
}
