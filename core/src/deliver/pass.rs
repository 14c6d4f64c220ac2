//! Packages that are read as a stream: the layers of each image archive are sent as soon as all of
//! it has come by, and let go of. The disk then holds one archive of a package at a time.
//!
//! Nothing that anybody sees is written on the way: what the tags will lead to shows once all of
//! the sources were read. What cannot be sent here stays, and is looked at again then.

use std::sync::Arc;

use rayon::ThreadPool;

use super::DeliverOptions;
use super::ledger::Ledger;
use super::preflight::Preflight;
use super::send::{Needs, Sender, Spot};
use super::spool::Spool;
use super::target::Naming;
use crate::archive::{self, Archive};
use crate::container::Members;
use crate::error::Result;
use crate::fuse::input::Input;
use crate::fuse::open::platform_of;
use crate::fuse::plan::{Selection, choose};
use crate::fuse::select::Selected;
use crate::fuse::{Compress, FuseOptions, OnExisting, Verify};
use crate::graph::ImageNode;
use crate::location::Location;
use crate::oci::Digest;
use crate::package::Pass;
use crate::progress::Progress;
use crate::registry::Client;

/// Sends what comes by.
pub(super) struct Passing {
    pub(super) sources: Vec<Location>,
    pub(super) naming: Naming,
    pub(super) options: DeliverOptions,
    pub(super) client: Client,
    pub(super) pool: Arc<ThreadPool>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) spool: Arc<Spool>,
    pub(super) preflight: Arc<Preflight>,
}

impl Passing {
    /// Whether what comes by can be sent as it is.
    pub(super) fn can(options: &DeliverOptions) -> bool {
        options.fuse.compression == Compress::Keep
    }

    pub(super) fn hook(self) -> Pass {
        Pass(Arc::new(move |members, progress| {
            self.container(members, progress)
        }))
    }

    fn container(&self, members: &Arc<Members>, progress: &Progress) -> Result<()> {
        // What is damaged or makes no sense is said when everything was read.
        let Ok(Some(found)) = archive::below(members, "") else {
            return Ok(());
        };
        let location = self.location(members);
        let Ok(archive) = Archive::of(location, Arc::clone(members), found, progress) else {
            return Ok(());
        };
        let fuse = &self.options.fuse;
        let stated = fuse
            .source_platforms
            .iter()
            .find(|(path, _)| platform_of(path, std::slice::from_ref(location)).is_some());
        let platform = stated.map(|(_, platform)| platform.clone());
        let mut inputs = [Input::of(archive, platform, false)];
        let choosing = FuseOptions {
            keep_going: true,
            require_platforms: Vec::new(),
            ..fuse.clone()
        };
        let Ok(Selection { images, .. }) = choose(&mut inputs, &|_| true, &choosing) else {
            return Ok(());
        };
        self.images(&images, &progress.aside())
    }

    /// The source that `members` come out of.
    fn location(&self, members: &Members) -> &Location {
        let named = |location: &&Location| location.path == members.path;
        let standard = || {
            let is_standard = |location: &&Location| location.path.as_os_str() == "-";
            self.sources.iter().find(is_standard)
        };
        (self.sources.iter().find(named))
            .or_else(standard)
            .unwrap_or(&self.sources[0])
    }

    fn images(&self, images: &[Selected], progress: &Progress) -> Result<()> {
        let sender = Sender {
            client: &self.client,
            pool: &self.pool,
            progress,
            ledger: &self.ledger,
            sessions: Some(self.spool.sessions()),
            preflight: &self.preflight,
            spool: Some(self.spool.blobs()),
            thorough: self.options.fuse.verify == Verify::Full,
            dry_run: false,
        };
        if let Naming::Found(finder) = &self.naming {
            let references = images.iter().map(|image| &image.reference);
            finder.sample(&self.client, references)?;
        }
        let mut ours: Vec<(Spot, &ImageNode)> = Vec::new();
        for image in images {
            let Ok(target) = self.naming.target(image) else {
                continue;
            };
            let spot = Spot::of(&target);
            if !self.preflight.allows(&self.client, &spot, &self.options)? {
                continue;
            }
            let is_skipped = self.options.existing() == OnExisting::Skip
                && target
                    .repository(&self.client)
                    .head(target.under.text())?
                    .is_some();
            if !is_skipped {
                let nodes = image.variants.iter().map(|v| &v.image);
                let attached = image.variants.iter().flat_map(|v| &v.attachments);
                let attached = attached.chain(&image.loose).map(|a| &a.image);
                ours.extend(nodes.chain(attached).map(|node| (spot.clone(), &**node)));
            }
        }
        sender.recognise(&ours)?;
        let blobs = &**self.spool.blobs();
        let mut needs = Needs::default();
        for (spot, node) in &ours {
            needs.add(spot, node, blobs, sender.thorough);
        }
        let disputed = needs.disputed();
        sender.look(&needs)?;
        // What is damaged stays, and is told of in the end, when it is known what needs it.
        let damaged = sender.blobs(&needs, blobs, true)?;
        let damaged: Vec<Digest> = (damaged.into_iter().map(|failed| failed.digest))
            .chain(disputed)
            .collect();
        // Documents are read again; layers of images are not.
        let layers = (ours.iter())
            .filter(|(_, node)| node.config.is_some())
            .flat_map(|(_, node)| &node.manifest.view.layers);
        for layer in layers {
            if !damaged.contains(&layer.digest) {
                blobs.release(&layer.digest, layer.size)?;
            }
        }
        Ok(())
    }
}
