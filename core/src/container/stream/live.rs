//! Members that cannot be told again, such as compressed ones that were taken apart: the sums of the
//! containers around them go on through them as they come by.

use super::super::checksum::Summer;
use super::super::frame::Live;
use super::Walk;
use crate::error::Result;

impl Walk<'_> {
    /// Sums what came by of all open containers that can be told again, so that it can be gone on with
    /// through the member that comes next; adds what that is to be summed with to `summers`.
    pub(super) fn begin_live(&mut self, summers: &mut Vec<Summer>) -> Result<Option<Live>> {
        let number = self.live;
        let Some(spool) = self.keep.spool().filter(|_| !self.told.is_empty()) else {
            return Ok(None);
        };
        self.live += 1;
        let (live, more) = Live::begin(number, &self.told, spool, self.progress)?;
        summers.extend(more);
        Ok(Some(live))
    }

    /// The member has gone by: those of its `summers` from `own` on are the ones that it was to be
    /// summed with, and are taken.
    pub(super) fn end_live(&mut self, live: Option<Live>, summers: &mut Vec<Summer>, own: usize) {
        let around = summers.split_off(own);
        self.summed = live.is_some();
        if let Some(live) = live {
            live.end(around);
        }
    }

    /// What came by since the member of that number stays whole, and can be told after all.
    pub(super) fn undo_live(&mut self, since: usize) {
        self.summed = false;
        for frame in &self.told {
            frame.unsum(since);
        }
    }
}
