//! A file in memory that can only be copied from, so that poison is checked after every copy.

use std::fs::File;
use std::ops::Range;
use std::sync::atomic::{Ordering, compiler_fence, fence};

use memmap2::{Advice, MmapOptions, MmapRaw, UncheckedAdvice};

use super::sigbus::{self, Guard};

/// A guarded, read-only, shared map of the first `len` bytes of a file.
#[derive(Debug)]
pub(in crate::fsx) struct Region {
    // Fields drop in this order, and it matters: see `Guard`.
    guard: Guard,
    map: MmapRaw,
    len: usize,
}

/// How a copy out of a [`Region`] went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fsx) enum Copied {
    /// The buffer holds what the file held.
    Whole,
    /// The map lost a page, now or before: nothing read from it can be believed.
    Poisoned,
    /// This thread blocks SIGBUS, so a fault would kill the process: nothing was touched.
    Unguarded,
}

impl Region {
    /// Maps `len` bytes of `file`, or `None` where that cannot be done or cannot be guarded.
    pub(in crate::fsx) fn of(file: &File, len: u64) -> Option<Self> {
        let len = usize::try_from(len).ok().filter(|len| *len > 0)?;
        if !sigbus::ready() {
            return None;
        }
        let map = MmapOptions::new().len(len).map_raw_read_only(file).ok()?;
        let guard = Guard::over(map.as_ptr() as usize, len)?;
        Some(Self { guard, map, len })
    }

    /// Fills `buffer` from `offset`; the caller has checked that both lie within the map.
    pub(in crate::fsx) fn copy_to(&self, offset: usize, buffer: &mut [u8]) -> Copied {
        assert!(
            offset <= self.len && buffer.len() <= self.len - offset,
            "a copy within the map"
        );
        if sigbus::blocked() {
            return Copied::Unguarded;
        }
        if self.guard.poisoned() {
            return Copied::Poisoned;
        }
        // SAFETY: source: `offset + buffer.len() <= len` was just asserted, the map lives as long
        // as `self`, and a page that its file no longer backs is replaced by the handler before
        // the load is repeated. No reference to the mapped bytes is ever made, so that others may
        // change the file meanwhile; what was copied then is garbage, which hashing finds.
        // Target: a `&mut [u8]` of that length, which cannot overlap a read-only map.
        unsafe {
            std::ptr::copy_nonoverlapping(
                self.map.as_ptr().add(offset),
                buffer.as_mut_ptr(),
                buffer.len(),
            );
        }
        // The poison flag must be read after the copy, by the compiler (the handler runs on this
        // thread) and by the processor (or on another thread, which raises the flag before it
        // puts the zero page there that this one may have seen).
        compiler_fence(Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if self.guard.poisoned() {
            Copied::Poisoned
        } else {
            Copied::Whole
        }
    }

    /// Asks for `range` to be read ahead; best effort.
    pub(in crate::fsx) fn prefetch(&self, range: Range<usize>) {
        let _ = self
            .map
            .advise_range(Advice::WillNeed, range.start, range.len());
    }

    /// Drops `range` from this process's resident memory; best effort.
    pub(in crate::fsx) fn release(&self, range: Range<usize>) {
        // SAFETY: the map is shared and read-only, so a dropped page comes back from the file
        // with the same bytes; a zero page put there by the handler stays a zero page.
        let _ = unsafe {
            self.map
                .unchecked_advise_range(UncheckedAdvice::DontNeed, range.start, range.len())
        };
    }
}
