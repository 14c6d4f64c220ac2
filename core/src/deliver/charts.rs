//! Charts with their images: the images go into a registry, then the charts, relocated, into their
//! repository. `sync` and `import-addon` are this, told in different ways.

mod beside;
mod bundles;
mod choice;
mod damage;
mod outcomes;
mod pins;
mod publish;
mod saved;
mod upgrade;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) use choice::ChartChoice;
use choice::Choice;

use self::bundles::Found;
use self::outcomes::{Known, key};
use self::publish::Publisher;
use self::saved::Saved;
use super::findings::Findings;
use super::push::{Push, first_damage};
use super::start::Start;
use super::target::{Base, Naming, renamed};
use super::{DeliverOptions, Visibility, space, tell};
use crate::chart::Place;
use crate::chart::repository::{Keys, Repository, RepositorySpec};
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::check_sources;
use crate::fuse::plan::Selection;
use crate::location::Location;
use crate::progress::Progress;
use crate::registry::Secret;
use crate::report::{Report, Warning};

/// What a run is told to do, by whatever configuration.
pub(super) struct Errand {
    /// Bundles, packages, folders of them.
    pub(super) sources: Vec<Location>,
    /// The registry that images go to.
    pub(super) base: Base,
    /// What they are called there.
    pub(super) naming: Naming,
    /// Who logs in there, unless the caller says otherwise.
    pub(super) login: Option<(String, Secret)>,
    /// Where the configuration says so.
    pub(super) login_key: &'static str,
    /// Whether the registry is named with `http://`.
    pub(super) plain_http: bool,
    /// Where charts go.
    pub(super) repository: RepositorySpec,
    /// What the configuration calls what may have to be mended in it.
    pub(super) keys: Keys,
    /// The charts that are asked for; all if empty.
    pub(super) charts: Vec<ChartChoice>,
    /// The names of charts that are not.
    pub(super) skip_charts: Vec<String>,
    /// What there is to tell of the configuration.
    pub(super) warnings: Vec<Warning>,
}

/// Does what `errand` says; what there is to tell goes into `report`, as far as the run comes.
pub(super) fn run(
    errand: &Errand,
    options: &DeliverOptions,
    progress: &Progress,
    report: &mut Report,
) -> Result<()> {
    report.destination = Some(tell::destination(&errand.base));
    report.warnings.extend(errand.warnings.iter().cloned());
    let asked = options;
    let options = &errand.applied(options);
    check_sources(&errand.sources, &options.fuse)?;
    let saved = Saved::read(&options.charts.values)?;
    let choice = Choice {
        charts: &errand.charts,
        skipped: &errand.skip_charts,
        options: &options.charts,
    };
    let may_pass = choice.is_all();
    let repository = errand.reach(options, asked, may_pass, progress, report)?;
    let start = Start {
        sources: &errand.sources,
        base: errand.base.clone(),
        naming: errand.naming.clone(),
        options,
        may_pass,
        reaches: !options.charts.skip_images,
        looked: true,
    };
    let work = Work {
        choice,
        repository,
        options,
        saved,
        progress,
    };
    start.with(progress, report, |push| work.run(push))
}

impl Errand {
    /// The choices, with what the configuration says where the caller says nothing.
    fn applied(&self, options: &DeliverOptions) -> DeliverOptions {
        let mut options = options.clone();
        let access = &mut options.fuse.connect.access;
        if let (None, Some((username, password))) = (&access.username, &self.login) {
            access.username = Some(username.clone());
            access.password = Some(password.clone());
        }
        // The chart repository may be at the same host, or at another.
        access
            .only_for
            .get_or_insert_with(|| self.base.host.clone());
        access.plain_http |= self.plain_http;
        options
    }

    /// `error` of the registry, with what to mend in the configuration.
    fn explained(&self, error: Error) -> Error {
        let key = self.login_key;
        match (error.kind(), &self.login) {
            (ErrorKind::Unauthorized, Some(_)) => {
                error.better_hint(format!("check user and password: `{key}`"))
            }
            (ErrorKind::Unauthorized, None) => error.better_hint(format!(
                "say who logs in: `{key}`, `--username` with `--password-stdin`, or `docker login {}`",
                self.base.host
            )),
            _ => error,
        }
    }

    /// Reaches the registry and the chart repository, and looks for room on this machine, before
    /// anything is read: that may take an hour. What stands in the way of any is told at once.
    /// `asked` is what the caller chose, without what the configuration adds.
    fn reach(
        &self,
        options: &DeliverOptions,
        asked: &DeliverOptions,
        may_pass: bool,
        progress: &Progress,
        report: &mut Report,
    ) -> Result<Repository> {
        let mut findings = Findings::default();
        let connect = &options.fuse.connect;
        if !options.charts.skip_images {
            let registry = connect
                .client([self.base.host.as_str()], progress.stop())
                .and_then(|client| client.host(&self.base.host).check());
            findings.note(registry.map_err(|error| self.explained(error)))?;
        }
        let mut connect = connect.clone();
        // `http://` before the registry is consent for that host, and for no other.
        connect.access.plain_http = asked.fuse.connect.access.plain_http
            || (self.plain_http && self.repository.is_at(&self.base.host));
        let opened = Repository::open(&self.repository, self.keys, &connect, progress.stop());
        let repository = findings.note(opened)?;
        if let Some(repository) = &repository {
            tracing::debug!("charts go to `{}`", repository.location());
            let create = options.create_projects;
            let create = create.map(|visibility| visibility == Visibility::Public);
            let checked = repository.check(create, options.fuse.dry_run);
            let told = findings.note(checked)?;
            report.warnings.extend(told.into_iter().flatten());
        }
        let room = space::look(&self.sources, &self.base, options, may_pass);
        report.warnings.extend(findings.note(room)?.flatten());
        findings.settle()?;
        repository.ok_or_else(|| Error::new(ErrorKind::Internal, "no chart repository"))
    }
}

/// The work of a run, once both ends are reached.
struct Work<'a> {
    choice: Choice<'a>,
    repository: Repository,
    options: &'a DeliverOptions,
    saved: Vec<Saved>,
    progress: &'a Progress,
}

impl Work<'_> {
    fn run(mut self, push: &mut Push<'_>) -> Result<()> {
        let mut opened = push.open()?;
        let mut findings = Findings::default();
        let strays = damage::strays(&opened.sources);
        let keep_going = self.options.fuse.keep_going;
        if keep_going {
            tell::damaged(push.report, &strays);
            opened.damaged.extend(strays);
        } else {
            for stray in strays {
                findings.note::<()>(Err(stray.error))?;
            }
        }
        let charts = bundles::read(&opened.sources, &self.choice, &self.options.fuse)?;
        if charts.is_empty() {
            findings.settle()?;
            if let Some(error) = first_damage(&mut opened) {
                return Err(error);
            }
            let message = "the sources hold no chart that was chosen";
            return Err(Error::new(ErrorKind::NothingSelected, message)
                .hint("`fusion inspect SOURCE` lists the charts of a bundle or package"));
        }
        let taken = self.taken(&charts, opened.inputs.len(), &opened.sources);
        pins::name(&charts, &mut opened.inputs)?;
        let selection = push.choose(&mut opened.inputs, &|at| taken.contains(&at))?;
        settle_naming(push, &selection)?;
        follow_tails(push, &charts)?;
        let targets = push.targets(&selection)?;
        let mut troubled = damage::troubled(&charts, &opened.damaged);
        findings.note(push.check(&targets))?;
        findings.note(self.match_saved(&charts))?;
        let known = known(&selection);
        for chart in charts.iter().filter(|chart| chart.with_images) {
            let complete = complete(chart, &known, push);
            match complete {
                Err(error) if keep_going => {
                    troubled.insert(chart.label(), error);
                }
                complete => {
                    findings.note(complete)?;
                }
            }
        }
        findings.settle()?;
        self.progress.check()?;
        match selection.is_empty() {
            true => push.report.bytes.read = opened.read,
            false => push.send_all(selection, targets, &opened)?,
        }
        // What happened to charts, only publishing them tells.
        let told = std::mem::take(&mut push.report.charts);
        upgrade::look(push)?;
        let mut publisher = Publisher {
            told,
            repository: &self.repository,
            options: self.options,
            saved: &self.saved,
            naming: push.naming.clone(),
            outcomes: Known::of(&push.report.images),
            progress: self.progress,
        };
        publisher.all(&charts, troubled, push.report)
    }

    /// The inputs whose images are pushed: those of the charts that were chosen and, if all are,
    /// those that belong to none.
    fn taken(
        &self,
        charts: &[Found<'_>],
        inputs: usize,
        sources: &[crate::fuse::input::Opened],
    ) -> BTreeSet<usize> {
        let of_charts = charts.iter().filter(|chart| chart.with_images);
        let mut taken: BTreeSet<usize> = of_charts
            .flat_map(|chart| chart.inputs.iter().copied())
            .collect();
        if self.choice.is_all() {
            let mut bundled = BTreeSet::new();
            for opened in sources {
                opened.source.root.visit_bundles(&mut |_, _, bundle| {
                    let images = bundle.images.as_ref();
                    let input = images.and_then(|images| images.level.only_images());
                    bundled.extend(input.map(|input| opened.first + input));
                });
            }
            taken.extend((0..inputs).filter(|input| !bundled.contains(input)));
        }
        taken
    }

    /// Which chart each file of saved values is of.
    fn match_saved(&mut self, charts: &[Found<'_>]) -> Result<()> {
        self.saved
            .iter_mut()
            .try_for_each(|saved| saved.belongs_to(charts))
    }
}

/// Finds out what the images are called in the registry, if nobody says.
fn settle_naming(push: &mut Push<'_>, selection: &Selection) -> Result<()> {
    let Naming::Found(finder) = &push.naming else {
        return Ok(());
    };
    let references = selection.images.iter().map(|image| &image.reference);
    finder.look(push.client, references)?;
    let message = finder.settle()?;
    push.report.warnings.push(Warning {
        reference: None,
        code: "names",
        message,
    });
    Ok(())
}

/// Names images as their charts can: some write the end of the path themselves.
fn follow_tails(push: &mut Push<'_>, charts: &[Found<'_>]) -> Result<()> {
    let mut tails = BTreeMap::new();
    for chart in charts {
        // What is wrong with hints is told when all of them are looked at.
        let Ok(hinted) = chart.images() else { continue };
        for hinted in hinted {
            if let Some(tail) = hinted.tail {
                let (reference, _) = renamed(&hinted.reference, &push.options.fuse)?;
                // One that only a digest names goes by a tag in the run.
                tails.insert(key(&reference).parse()?, tail.clone());
                tails.insert(reference, tail);
            }
        }
    }
    if !tails.is_empty() {
        push.naming = Naming::Tailed(Box::new(push.naming.clone()), Arc::new(tails));
    }
    Ok(())
}

/// All names that the images of the run go by, those that failed among them.
fn known(selection: &Selection) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for image in &selection.images {
        known.insert(key(&image.reference));
        known.extend(
            image
                .names
                .iter()
                .filter_map(|name| outcomes::spelled(name)),
        );
    }
    // What a choice left out is nowhere, unless the registry has it.
    let damaged = selection.left.iter().filter(|left| left.error.is_some());
    for left in damaged {
        known.extend(left.names.iter().filter_map(|name| outcomes::spelled(name)));
    }
    known
}

/// That the values of `chart` can name its images where they will be, and that each of them is in
/// the run, or at the registry already.
fn complete(chart: &Found<'_>, known: &BTreeSet<String>, push: &Push<'_>) -> Result<()> {
    let loaded = chart.load()?;
    let Some(hints) = &loaded.hints else {
        return Ok(());
    };
    // Whether its values can say where the images will be, before anything is sent.
    loaded.chart.relocated(hints, &mut |hinted| {
        let (registry, repository) = push.naming.values(&hinted.reference, &push.options.fuse)?;
        Ok(Some(Place {
            registry,
            repository,
            digest: None,
        }))
    })?;
    let mut missing = Vec::new();
    for hinted in hints.images(&loaded.chart)? {
        if known.contains(&key(&hinted.normalised)) {
            continue;
        }
        let target = push
            .naming
            .of_chart(&hinted.reference, &push.options.fuse)?;
        let repository = target.repository(push.client);
        if repository.head(target.under.text())?.is_some() {
            continue;
        }
        missing.push(format!("`{}` (hint `{}`)", hinted.reference, hinted.hint));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the chart {} needs images that are neither in its bundle nor in the registry: {}",
        chart.label(),
        missing.join(", ")
    );
    Err(Error::new(ErrorKind::InvalidArchive, message)
        .member(chart.place.clone())
        .hint(
            "get a bundle that has them, push them first, or leave the images out: `--skip-images`",
        ))
}
