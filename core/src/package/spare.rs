//! Files that are damaged, left out of a walk that goes on with the others.

use std::collections::BTreeSet;
use std::io::Read;

use super::walk::Walk;
use super::{Damaged, bundle};
use crate::container::{self, Member, Members, Sums};
use crate::error::{Error, Result};
use crate::store::BlobReader;

/// The bytes of a member.
struct Bytes<'a>(Box<dyn BlobReader + 'a>);

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer).map_err(std::io::Error::other)
    }
}

impl Walk<'_> {
    /// Does `work` on a member; `None` if that is damaged and is left out.
    pub(super) fn spared<T>(
        &mut self,
        members: &Members,
        member: &Member,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<Option<T>> {
        if !self.spares {
            return work(self).map(Some);
        }
        let archives = self.archives.len();
        let damaged = self.damaged.len();
        let sums = std::mem::take(&mut self.sums);
        let outcome = work(self);
        let found = std::mem::replace(&mut self.sums, sums);
        match outcome {
            Ok(done) => {
                self.sums.append(found);
                Ok(Some(done))
            }
            Err(error) if Damaged::is_told_by(&error) => {
                // What was found in it so far goes with it.
                self.archives.truncate(archives);
                self.damaged.truncate(damaged);
                self.leave_out(members, member, error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Leaves out those of `files` of which a checksum list among them says that they are damaged, and
    /// tells which.
    pub(super) fn leave_out_wrong<'m>(
        &mut self,
        members: &Members,
        files: &[(&'m str, &'m Member)],
    ) -> Result<BTreeSet<&'m str>> {
        let mut sums = Sums::default();
        for (_, list) in files {
            let in_place = self.reads_in_place();
            container::check_sums(members, list, in_place, &mut sums, self.progress)?;
        }
        let mut left_out = BTreeSet::new();
        for error in std::mem::take(&mut sums.wrong) {
            let is_it = |member: &Member| {
                let place = members.place(member);
                place.path.as_deref() == error.get_path()
                    && place.member.as_deref() == error.get_member()
            };
            match files.iter().find(|(_, member)| is_it(member)) {
                // Several lists may say so.
                Some((name, _)) if left_out.contains(name) => {}
                Some((name, member)) => {
                    left_out.insert(*name);
                    self.leave_out(members, member, error);
                }
                None => sums.wrong.push(error),
            }
        }
        self.sums.append(sums);
        Ok(left_out)
    }

    fn leave_out(&mut self, members: &Members, member: &Member, error: Error) {
        let chart = members.open(member).ok();
        self.damaged.push(Damaged {
            place: members.label(self.location, &member.name),
            chart: chart.and_then(|bytes| bundle::chart_in(Bytes(bytes))),
            error,
        });
    }
}
