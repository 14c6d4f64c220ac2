//! What an archive is, told from its content.

use super::{Flavour, docker};
use crate::container::{Member, Members};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::location::{Location, Transport};
use crate::oci::Index;
use crate::tar;

/// What was found: the flavour, and below which prefix (empty or `folder/`) it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) flavour: Flavour,
    pub(crate) prefix: String,
}

/// Looks at the root of the archive, then below its only top folder, if it has just one.
pub(crate) fn detect(members: &Members, location: &Location) -> Result<Found> {
    let is_directory = members.is_directory();
    for prefix in std::iter::once(String::new()).chain(only_folder(members)) {
        let wants = |transport| {
            location.transport == transport
                || matches!(location.transport, Transport::Auto | Transport::Standard)
        };
        let layout = if is_directory {
            Transport::OciLayout
        } else {
            Transport::OciArchive
        };
        if wants(layout) && is_layout(members, &prefix)? {
            let flavour = if is_directory {
                Flavour::OciLayout
            } else {
                Flavour::OciArchive
            };
            return Ok(Found { flavour, prefix });
        }
        if wants(Transport::DockerArchive) && docker::listing(members, &prefix)?.is_some() {
            return Ok(Found {
                flavour: Flavour::DockerArchive,
                prefix,
            });
        }
        refuse_known(members, &prefix)?;
    }
    let message = match location.transport {
        Transport::DockerArchive => "no docker archive: it has no `manifest.json`".to_owned(),
        Transport::OciArchive | Transport::OciLayout => {
            "no OCI layout: it has no `index.json`".to_owned()
        }
        _ if is_directory => "no OCI layout: it has no `index.json`".to_owned(),
        _ => {
            let mut names: Vec<&str> = members.names().collect();
            names.sort_unstable();
            names.truncate(5);
            format!(
                "neither an OCI layout nor a docker archive: no `index.json`, no `manifest.json` \
                 among its members ({})",
                if names.is_empty() {
                    "none at all".to_owned()
                } else {
                    names.join(", ")
                }
            )
        }
    };
    Err(Error::new(ErrorKind::InvalidArchive, message)
        .path(&members.path)
        .hint("name an archive of docker save, podman, skopeo, ctr or crane, or an OCI layout"))
}

/// What lies below `prefix`, if that is an image archive.
pub(crate) fn below(members: &Members, prefix: &str) -> Result<Option<Found>> {
    let flavour = if is_layout(members, prefix)? {
        match members.is_directory() {
            true => Flavour::OciLayout,
            false => Flavour::OciArchive,
        }
    } else {
        // Other things than Docker's listings are called `manifest.json` too.
        match docker::listing(members, prefix).ok().flatten() {
            Some(entries) if docker::is_there(members, prefix, &entries) => Flavour::DockerArchive,
            _ => return Ok(None),
        }
    };
    let prefix = prefix.to_owned();
    Ok(Some(Found { flavour, prefix }))
}

/// Whether `member` is an archive of Docker's that lists no image at all, as charts-syncer writes for
/// charts without any, or an archive of nothing. What came by in a stream may be there only as its
/// bytes.
pub(crate) fn lists_nothing(members: &Members, member: &Member) -> Result<bool> {
    let empty = |members: &Members| {
        let listing = docker::listing(members, "").ok().flatten();
        listing.is_some_and(|entries| entries.is_empty())
    };
    if let Some(nested) = members.taken_apart(member) {
        return Ok(empty(&nested.members));
    }
    if let Some(nested) = members.nested(member)? {
        return Ok(empty(&nested));
    }
    if member.size > limits::MAX_NO_IMAGES || !members.is_at_hand(member) {
        return Ok(false);
    }
    let bytes = members.document(member, limits::MAX_NO_IMAGES)?;
    if tar::is_header(&bytes) {
        return Ok(docker::lists_nothing(&bytes));
    }
    // Without a single member it is its end and nothing else; a file that was cut short is less.
    Ok(bytes.len() >= tar::END.len() && bytes.iter().all(|byte| *byte == 0))
}

fn is_layout(members: &Members, prefix: &str) -> Result<bool> {
    if members.find(&format!("{prefix}oci-layout"))?.is_some() {
        return Ok(true);
    }
    // Without that marker, an `index.json` still counts if it is an index.
    match members.find(&format!("{prefix}index.json"))? {
        Some(member) => {
            let bytes = members.document(&member, limits::MAX_LISTING)?;
            Ok(Index::parse(&bytes).is_ok())
        }
        None => Ok(false),
    }
}

/// Kinds that are known by name and not read.
fn refuse_known(members: &Members, prefix: &str) -> Result<()> {
    let has = |name: &str| {
        members
            .find(&format!("{prefix}{name}"))
            .map(|m| m.is_some())
    };
    let unsupported = |message: &str, hint: &str| {
        Err(Error::new(ErrorKind::Unsupported, message)
            .path(&members.path)
            .hint(hint))
    };
    if has("repositories")? && !has("manifest.json")? {
        return unsupported(
            "an archive of a Docker before 1.10, which has no `manifest.json`",
            "load it into a newer Docker and save it again",
        );
    }
    Ok(())
}

/// The folder that every member lies in, with its slash, if there is just one.
fn only_folder(members: &Members) -> Option<String> {
    let mut names = members.names();
    let (folder, _) = names.next()?.split_once('/')?;
    let folder = format!("{folder}/");
    names
        .all(|name| name.starts_with(&folder))
        .then_some(folder)
}
