//! The plan: from what the inputs list to what each reference leads to, and every blob of it. A
//! pure function of its inputs; nothing is read but documents that are in memory already.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::assemble::{Assembled, assemble};
use super::input::{Found, Input};
use super::naming::Naming;
use super::rewrite::{Layers, rewrite};
use super::select::{Candidates, Selected, select};
use super::variant::{Variant, flatten};
use super::{FuseOptions, OnExisting, Verify};
use crate::archive::Name;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{ImageNode, Node};
use crate::oci::{Descriptor, Digest, Platform, Reference};
use crate::store::{BlobSource, Expected, Memory};

/// Something that the destination has and this run leaves alone.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) name: Name,
    pub(super) root: Descriptor,
    pub(super) reference: Option<Reference>,
    pub(super) node: Node,
}

/// An image that was not planned, and why.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) reference: String,
    pub(super) names: BTreeSet<String>,
    /// `None`: a choice left nothing of it.
    pub(super) error: Option<Error>,
}

/// The variants that each reference keeps: the plan before anything is compressed.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) images: Vec<Selected>,
    pub(super) left: Vec<Left>,
    pub(super) carried: Vec<Carried>,
    /// What the destination's old roots lead to.
    pub(super) formerly: BTreeSet<Digest>,
}

/// The whole plan.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) images: Vec<Assembled>,
    pub(super) left: Vec<Left>,
    pub(super) carried: Vec<Carried>,
    pub(super) formerly: BTreeSet<Digest>,
    /// Documents that the plan made.
    pub(super) made: Memory,
}

/// Pairs what `inputs` list and chooses the variants of each reference.
pub(super) fn choose(inputs: &mut [Input], options: &FuseOptions) -> Result<Selection> {
    let naming = Naming::new(options)?;
    let mut selection = Selection::default();
    let mut paired: BTreeMap<Reference, Candidates> = BTreeMap::new();
    let mut broken: BTreeMap<Reference, Error> = BTreeMap::new();
    for (at, input) in inputs
        .iter_mut()
        .enumerate()
        .filter(|(_, input)| !input.is_destination)
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
            let flattened = flatten(&found.node, &found.root, at, input.platform.as_ref())
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
                .reference(&listed.name, &platforms)
                .map_err(|error| error.path(&input.archive.location.path));
            let spelled = listed.name.spelled();
            let reference = match named {
                Ok(reference) => reference,
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
                    candidates.incoming.extend(flattened);
                }
                Err(error) if options.keep_going => {
                    broken.insert(reference, error);
                }
                Err(error) => return Err(error),
            }
        }
    }
    add_existing(inputs, options, &mut paired, &mut selection)?;
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
        let left = match select(&reference, candidates, inputs, options) {
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
    if selection.images.is_empty() && selection.left.iter().all(|left| left.error.is_none()) {
        return Err(nothing(inputs));
    }
    Ok(selection)
}

fn nothing(inputs: &[Input]) -> Error {
    let listed: usize = inputs.iter().map(|input| input.listed.len()).sum();
    if listed == 0 {
        return Error::new(
            ErrorKind::NothingSelected,
            "the sources hold no image at all",
        );
    }
    Error::new(
        ErrorKind::NothingSelected,
        "the choices made leave no image",
    )
    .hint("`fusion inspect SOURCE` lists what there is; `--image` takes globs over references")
}

/// Puts what the destination has to the references of this run; the rest is carried along.
fn add_existing(
    inputs: &mut [Input],
    options: &FuseOptions,
    paired: &mut BTreeMap<Reference, Candidates>,
    selection: &mut Selection,
) -> Result<()> {
    for (at, input) in inputs
        .iter_mut()
        .enumerate()
        .filter(|(_, input)| input.is_destination)
    {
        let replace = options.on_existing == OnExisting::Replace;
        for listed in std::mem::take(&mut input.listed) {
            let Found { root, node } = match listed.found {
                Ok(found) => found,
                // What is damaged cannot say what it leads to; its blobs stay behind.
                Err(_) if replace => continue,
                Err(error) => {
                    return Err(error
                        .unwrap_or_else(Error::cancelled)
                        .hint("the destination is damaged: `--on-existing replace` replaces it"));
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
                    if !replace {
                        candidates.existing.extend(flatten(&node, &root, at, None)?);
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
pub(super) fn reach(node: &Node, visit: &mut dyn FnMut(&Descriptor)) {
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
    pub(super) fn make(
        selection: Selection,
        layers: &Layers,
        options: &FuseOptions,
    ) -> Result<Self> {
        let Selection {
            images,
            left,
            carried,
            formerly,
        } = selection;
        let mut plan = Self {
            images: Vec::new(),
            left,
            carried,
            formerly,
            made: Memory::default(),
        };
        for mut selected in images {
            let reference = selected.reference.to_string();
            let names = selected.names.clone();
            let before = std::mem::take(&mut selected.before);
            let outcome = selected
                .variants
                .iter_mut()
                .try_for_each(|v| rewrite(v, layers, options, &mut plan.made).map(drop))
                .and_then(|()| assemble(selected, options, &mut plan.made));
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
    pub(super) fn carried_blobs(&self) -> BTreeSet<Digest> {
        let mut digests = BTreeSet::new();
        for carried in &self.carried {
            reach(&carried.node, &mut |descriptor| {
                digests.insert(descriptor.digest);
            });
        }
        digests
    }

    /// Every blob that the images of the run lead to, and with `carried` those that are carried
    /// along. Documents come first, in the order of references; then layers, as they are first
    /// used.
    pub(super) fn blobs(
        &self,
        source: &dyn BlobSource,
        options: &FuseOptions,
        carried: bool,
    ) -> BlobSet {
        let mut set = BlobSet::default();
        for image in &self.images {
            set.add(Expected::of(&image.root));
            for variant in &image.selected.variants {
                set.add_documents(&variant.image, source);
            }
            for attachment in image.attachments() {
                set.add_documents(&attachment.image, source);
            }
        }
        if carried {
            for carried in &self.carried {
                reach(&carried.node, &mut |descriptor| {
                    if source.size(&descriptor.digest).is_some() {
                        set.carry(Expected::of(descriptor));
                    }
                });
            }
        }
        for image in &self.images {
            for variant in &image.selected.variants {
                set.add_layers(variant, source, options.verify == Verify::Full);
            }
            for attachment in image.attachments() {
                for layer in &attachment.image.manifest.view.layers {
                    set.add_if_there(Expected::of(layer), source);
                }
            }
        }
        set
    }
}

/// Distinct blobs, in a fixed order.
#[derive(Debug, Default)]
pub(super) struct BlobSet {
    pub(super) blobs: Vec<Expected>,
    places: HashMap<Digest, usize>,
    /// How often a blob is referred to, and the bytes that makes.
    pub(super) referenced: u64,
    pub(super) referenced_bytes: u64,
    /// Distinct blobs of the run's own images, and their bytes.
    pub(super) unique: u64,
    pub(super) unique_bytes: u64,
}

impl BlobSet {
    fn add(&mut self, expected: Expected) {
        self.referenced += 1;
        self.referenced_bytes += expected.size;
        let before = self.blobs.len();
        self.carry(expected);
        if self.blobs.len() > before {
            self.unique += 1;
            self.unique_bytes += expected.size;
        }
    }

    fn carry(&mut self, expected: Expected) {
        match self.places.get(&expected.digest) {
            Some(place) => {
                let known = &mut self.blobs[*place];
                known.diff_id = known.diff_id.or(expected.diff_id);
            }
            None => {
                self.places.insert(expected.digest, self.blobs.len());
                self.blobs.push(expected);
            }
        }
    }

    fn add_documents(&mut self, image: &ImageNode, source: &dyn BlobSource) {
        self.add(Expected::of(&image.manifest.descriptor));
        self.add_if_there(Expected::of(&image.manifest.view.config), source);
    }

    fn add_layers(&mut self, variant: &Variant, source: &dyn BlobSource, full: bool) {
        let diff_ids = variant
            .image
            .config
            .as_ref()
            .map(|config| &config.view.diff_ids);
        for (at, layer) in variant.image.manifest.view.layers.iter().enumerate() {
            let diff_id = diff_ids.and_then(|diff_ids| diff_ids.get(at));
            let mut expected = Expected::of(layer);
            if full
                && let (Some(diff_id), Some(compression)) =
                    (diff_id, layer.media_type.layer_compression())
            {
                expected.diff_id = Some((compression, *diff_id));
            }
            self.add_if_there(expected, source);
        }
    }

    /// Foreign layers, and content that its descriptor carries, may be absent.
    fn add_if_there(&mut self, expected: Expected, source: &dyn BlobSource) {
        if source.size(&expected.digest).is_some() {
            self.add(expected);
        }
    }

    pub(super) fn contains(&self, digest: &Digest) -> bool {
        self.places.contains_key(digest)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.size).sum()
    }
}
