//! The plan: from what the inputs list to what each reference leads to, and every blob of it. A
//! pure function of its inputs; nothing is read but documents that are in memory already.

use std::collections::{BTreeMap, BTreeSet};

use super::assemble::{Assembled, Form, assemble};
use super::input::{Found, Input};
use super::naming::Naming;
use super::rewrite::{Layers, rewrite};
use super::select::{Candidates, Selected, select};
use super::variant::{Flattened, Variant, flatten};
use super::{FuseOptions, OnExisting};
use crate::archive::Name;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::Node;
use crate::oci::{Descriptor, Digest, Platform, Reference};
use crate::store::Memory;

/// Something that the destination has and this run leaves alone.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    pub(crate) name: Name,
    pub(crate) root: Descriptor,
    pub(crate) reference: Option<Reference>,
    pub(crate) node: Node,
}

/// An image that was not planned, and why.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) reference: String,
    pub(crate) names: BTreeSet<String>,
    /// `None`: a choice left nothing of it.
    pub(crate) error: Option<Error>,
}

/// The variants that each reference keeps: the plan before anything is compressed.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    pub(crate) images: Vec<Selected>,
    pub(crate) left: Vec<Left>,
    pub(crate) carried: Vec<Carried>,
    /// What the destination's old roots lead to.
    pub(crate) formerly: BTreeSet<Digest>,
    /// What the destination's `index.json` says of the whole.
    pub(crate) annotations: BTreeMap<String, String>,
}

/// The whole plan.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) images: Vec<Assembled>,
    pub(crate) left: Vec<Left>,
    pub(crate) carried: Vec<Carried>,
    pub(crate) formerly: BTreeSet<Digest>,
    /// What `index.json` is to say of the whole.
    pub(crate) annotations: BTreeMap<String, String>,
    /// Documents that the plan made.
    pub(crate) made: Memory,
}

/// That a source has none of the platforms that are taken off: nobody can mean both.
fn brings_none(flattened: &Flattened, removed: &[Platform]) -> Result<()> {
    let platforms = flattened
        .variants
        .iter()
        .filter_map(|v| v.platform.as_ref());
    for platform in platforms {
        if removed.iter().any(|gone| gone.selects(platform)) {
            let message = format!("a source brings {platform}, which is to be removed");
            return Err(
                Error::new(ErrorKind::Usage, message).hint("leave out the source, or `--remove`")
            );
        }
    }
    Ok(())
}

/// Pairs what those of `inputs` list that are `chosen`, and chooses the variants of each reference.
/// Nothing may be left. What the others have of the same references fills in the platforms that
/// these lack: archives of one package that hold the same image lead to the same index.
pub(crate) fn choose(
    inputs: &mut [Input],
    chosen: &dyn Fn(usize) -> bool,
    options: &FuseOptions,
) -> Result<Selection> {
    let naming = Naming::new(options)?;
    let mut selection = Selection::default();
    let mut paired: BTreeMap<Reference, Candidates> = BTreeMap::new();
    let mut broken: BTreeMap<Reference, Error> = BTreeMap::new();
    for (_, input) in inputs
        .iter_mut()
        .enumerate()
        .filter(|(at, input)| chosen(*at) && !input.origin.is_destination)
    {
        for listed in &mut input.listed {
            let found = match &mut listed.found {
                Ok(found) => Ok(&*found),
                Err(error) => Err(error.take()),
            };
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    let error = error.unwrap_or_else(Error::cancelled);
                    let reference = naming.reference(&listed.name, &[]);
                    let chosen = reference
                        .as_ref()
                        .is_ok_and(|reference| naming.chooses(reference, listed.name.spelled()));
                    match reference {
                        Ok(reference) if chosen && options.keep_going => {
                            broken.insert(reference, error);
                        }
                        Ok(_) if !chosen => {}
                        _ => return Err(error),
                    }
                    continue;
                }
            };
            let flattened = flatten(&found.node, &found.root, &input.origin)
                .and_then(|mut flattened| {
                    match &options.only {
                        Some(only) if only.takes_off => flattened.remove(&only.remove),
                        Some(only) => brings_none(&flattened, &only.remove)?,
                        None => {}
                    }
                    Ok(flattened)
                })
                .map_err(|error| error.path(&input.archive.location.path));
            let platforms: BTreeSet<&Platform> = match &flattened {
                Ok(flat) => flat
                    .variants
                    .iter()
                    .filter_map(|v| v.platform.as_ref())
                    .collect(),
                Err(_) => BTreeSet::new(),
            };
            let platforms: Vec<&Platform> = platforms.into_iter().collect();
            let named = naming
                .place(&listed.name, &platforms)
                .map_err(|error| error.path(&input.archive.location.path));
            let spelled = listed.name.spelled();
            let (reference, stays) = match named {
                Ok(named) => named,
                Err(error) if options.keep_going => {
                    let reference = spelled.unwrap_or_default().to_owned();
                    let names = BTreeSet::from([reference.clone()]);
                    selection.left.push(Left {
                        reference,
                        names,
                        error: Some(error),
                    });
                    continue;
                }
                // An image that is not named cannot be chosen by a glob either.
                Err(_) if !options.images.is_empty() => continue,
                Err(error) => return Err(error),
            };
            if !naming.chooses(&reference, spelled) {
                continue;
            }
            match flattened {
                Ok(flattened) => {
                    let candidates = paired.entry(reference).or_default();
                    candidates.names.extend(spelled.map(str::to_owned));
                    candidates.stays |= stays;
                    candidates.incoming.extend(flattened);
                }
                Err(error) if options.keep_going => {
                    broken.insert(reference, error);
                }
                Err(error) => return Err(error),
            }
        }
    }
    fill_in(inputs, chosen, &naming, &mut paired);
    add_existing(inputs, chosen, options, &mut paired, &mut selection)?;
    for candidates in paired.values_mut() {
        candidates.incoming.bind();
        candidates.existing.bind();
    }
    for (reference, error) in broken {
        let candidates = paired.remove(&reference).unwrap_or_default();
        selection.carried.extend(candidates.before);
        let names = candidates.names;
        let reference = reference.to_string();
        selection.left.push(Left {
            reference,
            names,
            error: Some(error),
        });
    }
    for (reference, mut candidates) in paired {
        let names = candidates.names.clone();
        let before = std::mem::take(&mut candidates.before);
        let left = match select(&reference, candidates, options) {
            Ok(Some(selected)) => {
                selection.images.push(Selected { before, ..selected });
                continue;
            }
            Ok(None) => None,
            Err(error) if options.keep_going => Some(error),
            Err(error) => return Err(error),
        };
        selection.carried.extend(before);
        selection.left.push(Left {
            reference: reference.to_string(),
            names,
            error: left,
        });
    }
    Ok(selection)
}

/// Adds to `paired` what inputs that are not `chosen` have of its references, for platforms that
/// are not there yet and on which they agree.
fn fill_in(
    inputs: &[Input],
    chosen: &dyn Fn(usize) -> bool,
    naming: &Naming,
    paired: &mut BTreeMap<Reference, Candidates>,
) {
    let mut elsewhere: BTreeMap<Reference, Vec<Variant>> = BTreeMap::new();
    let others = inputs.iter().enumerate();
    for (_, input) in others.filter(|(at, input)| !chosen(*at) && !input.origin.is_destination) {
        for listed in &input.listed {
            let Ok(found) = &listed.found else {
                continue;
            };
            let Ok(mut flat) = flatten(&found.node, &found.root, &input.origin) else {
                continue;
            };
            flat.bind();
            let platforms: BTreeSet<&Platform> = flat
                .variants
                .iter()
                .filter_map(|v| v.platform.as_ref())
                .collect();
            let platforms: Vec<&Platform> = platforms.into_iter().collect();
            if let Ok(reference) = naming.reference(&listed.name, &platforms)
                && paired.contains_key(&reference)
            {
                elsewhere
                    .entry(reference)
                    .or_default()
                    .extend(flat.variants);
            }
        }
    }
    for (reference, variants) in elsewhere {
        let Some(candidates) = paired.get_mut(&reference) else {
            continue;
        };
        let own: BTreeSet<Option<Platform>> = (candidates.incoming.variants.iter())
            .map(|v| v.platform.clone())
            .collect();
        let mut by_platform: BTreeMap<Option<Platform>, Vec<Variant>> = BTreeMap::new();
        for variant in variants {
            if variant.platform.is_some() && !own.contains(&variant.platform) {
                by_platform
                    .entry(variant.platform.clone())
                    .or_default()
                    .push(variant);
            }
        }
        for same in by_platform.into_values() {
            let agree = same
                .windows(2)
                .all(|two| two[0].identity() == two[1].identity());
            if agree {
                candidates.incoming.variants.extend(same);
            }
        }
    }
}

impl Selection {
    /// Whether there is no image, and none that failed.
    pub(crate) fn is_empty(&self) -> bool {
        self.images.is_empty() && self.left.iter().all(|left| left.error.is_none())
    }
}

/// The error of a run in which the choices leave no image of `inputs`.
pub(crate) fn nothing(inputs: &[Input]) -> Error {
    let listed: usize = inputs.iter().map(|input| input.listed.len()).sum();
    if listed == 0 {
        let message = "the sources hold no image at all";
        let error = Error::new(ErrorKind::NothingSelected, message);
        let mut sources = inputs.iter().filter(|input| !input.origin.is_destination);
        return match (sources.next(), sources.next()) {
            (Some(only), None) => error.path(&only.archive.location.path),
            _ => error,
        };
    }
    if let Some(input) = inputs.iter().find(|input| input.is_hollow()) {
        let message =
            "the images that it lists have no content here: of each the index alone is there";
        return Error::new(ErrorKind::NothingSelected, message)
            .path(&input.archive.location.path)
            .hint("save the images with the platforms that are needed: `fusion verify` lists what is absent");
    }
    Error::new(
        ErrorKind::NothingSelected,
        "the choices made leave no image",
    )
    .hint("`fusion inspect SOURCE` lists what there is; `--image` takes globs over references")
}

/// `error`, which reading the destination gave, with what to do about it.
pub(crate) fn damaged_destination(error: Error) -> Error {
    if error.kind().exit_status() != ErrorKind::InvalidArchive.exit_status() {
        return error;
    }
    error.better_hint("the destination is damaged: `--on-existing replace` replaces it")
}

/// Puts what the destination has to the references of this run; the rest is carried along.
fn add_existing(
    inputs: &mut [Input],
    chosen: &dyn Fn(usize) -> bool,
    options: &FuseOptions,
    paired: &mut BTreeMap<Reference, Candidates>,
    selection: &mut Selection,
) -> Result<()> {
    for (_, input) in inputs
        .iter_mut()
        .enumerate()
        .filter(|(at, input)| chosen(*at) && input.origin.is_destination)
    {
        let replace = options.existing() == OnExisting::Replace;
        if !replace {
            selection.annotations.append(&mut input.archive.annotations);
        }
        for listed in std::mem::take(&mut input.listed) {
            let Found { root, node } = match listed.found {
                Ok(found) => found,
                // What is damaged cannot say what it leads to; its blobs stay behind.
                Err(_) if replace => continue,
                Err(error) => {
                    return Err(damaged_destination(error.unwrap_or_else(Error::cancelled)));
                }
            };
            reach(&node, &mut |descriptor| {
                selection.formerly.insert(descriptor.digest);
            });
            let spelled = listed.name.spelled();
            let reference: Option<Reference> = match &listed.name {
                Name::Full(_) => spelled.and_then(|name| name.parse().ok()),
                _ => None,
            };
            let name = listed.name.clone();
            match reference
                .as_ref()
                .and_then(|reference| paired.get_mut(reference))
            {
                Some(candidates) => {
                    let several = !candidates.existing.variants.is_empty();
                    // One image that is made anew keeps nothing, whatever becomes of the others.
                    let anew = options.only.as_ref().is_some_and(|only| !only.append);
                    if !replace && !anew {
                        let mut held = flatten(&node, &root, &input.origin)?;
                        if let Some(only) = &options.only {
                            held.remove(&only.remove);
                        }
                        candidates.existing.extend(held);
                    }
                    candidates.previous = (!several).then(|| root.clone());
                    if !replace {
                        candidates.before.push(Carried {
                            name,
                            root,
                            reference,
                            node,
                        });
                    }
                }
                None if replace => {}
                None => selection.carried.push(Carried {
                    name,
                    root,
                    reference,
                    node,
                }),
            }
        }
    }
    Ok(())
}

/// Calls `visit` for everything that `node` leads to and that is there, itself included.
pub(crate) fn reach(node: &Node, visit: &mut dyn FnMut(&Descriptor)) {
    match node {
        Node::Image(image) => {
            visit(&image.manifest.descriptor);
            visit(&image.manifest.view.config);
            image.manifest.view.layers.iter().for_each(visit);
        }
        Node::Index(index) => {
            visit(&index.index.descriptor);
            for child in &index.children {
                if let Some(node) = &child.node {
                    reach(node, visit);
                }
            }
        }
    }
}

impl Plan {
    /// Makes the roots. `layers`: those that were compressed anew.
    pub(crate) fn make(
        selection: Selection,
        layers: &Layers,
        options: &FuseOptions,
    ) -> Result<Self> {
        let Selection {
            images,
            left,
            carried,
            formerly,
            annotations,
        } = selection;
        let mut plan = Self {
            images: Vec::new(),
            left,
            carried,
            formerly,
            annotations,
            made: Memory::default(),
        };
        for mut selected in images {
            let reference = selected.reference.to_string();
            let names = selected.names.clone();
            let before = std::mem::take(&mut selected.before);
            let outcome = rewrite(&mut selected, layers, options, &mut plan.made)
                .and_then(|()| assemble(selected, Form::Loadable, options, &mut plan.made));
            match outcome {
                Ok(mut image) => {
                    image.selected.before = before;
                    plan.images.push(image);
                }
                Err(error) if options.keep_going => {
                    plan.carried.extend(before);
                    plan.left.push(Left {
                        reference,
                        names,
                        error: Some(error),
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(plan)
    }

    /// Everything that is carried along leads to.
    pub(crate) fn carried_blobs(&self) -> BTreeSet<Digest> {
        let mut digests = BTreeSet::new();
        for carried in &self.carried {
            reach(&carried.node, &mut |descriptor| {
                digests.insert(descriptor.digest);
            });
        }
        digests
    }
}
