//! The guard of mapped files: a load from a page that its file lost reads zeros and poisons the
//! map, where it would have killed the process.
//!
//! One handler for SIGBUS serves all maps. It finds the faulting address in a table of fixed size
//! that is read without locks, raises the map's poison flag, and puts an anonymous zero page over
//! the faulting one; the load is then repeated and succeeds. Everything else that raises SIGBUS
//! goes to whatever handled it before.

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::SeqCst};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

/// How many maps are guarded at once; files past that are read instead.
const SLOTS: usize = 1024;

static TABLE: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];

/// The size of a page of the running kernel; set before the handler is installed.
static PAGE: AtomicUsize = AtomicUsize::new(0);

/// What handled SIGBUS before: `sa_sigaction` and `sa_flags`.
static PREVIOUS: AtomicUsize = AtomicUsize::new(libc::SIG_DFL);
static PREVIOUS_FLAGS: AtomicI32 = AtomicI32::new(0);

/// The range of one map. `generation` is odd while `start` and `end` stand for a live map, and
/// changes before and after they do, so that a handler on another thread never believes a mixture
/// of two maps.
#[derive(Debug)]
struct Slot {
    taken: AtomicBool,
    generation: AtomicUsize,
    start: AtomicUsize,
    end: AtomicUsize,
    poisoned: AtomicBool,
}

impl Slot {
    const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            generation: AtomicUsize::new(0),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            poisoned: AtomicBool::new(false),
        }
    }

    /// Whether `address` lies in the live map of this slot.
    ///
    /// The slot of the map that faults cannot change meanwhile, as the faulting thread is reading
    /// through it; a slot that does change is some other map's and is rightly passed over.
    fn covers(&self, address: usize) -> bool {
        let generation = self.generation.load(SeqCst);
        let within = self.start.load(SeqCst) <= address && address < self.end.load(SeqCst);
        generation % 2 == 1 && within && self.generation.load(SeqCst) == generation
    }
}

/// A map's place in the table.
///
/// It must be given up *before* the map is removed. After that the kernel may give the addresses
/// to anybody's map: a slot that still claimed them would swallow the faults of a stranger, or
/// take the poison that is due to our next map there. Given up first, nothing can go wrong in
/// between: the map's owner is dropping it, so nobody reads through it any more.
#[derive(Debug)]
pub(super) struct Guard(&'static Slot);

impl Guard {
    /// Guards a map, before anything is read from it. `None`: the table is full.
    pub(super) fn over(start: usize, len: usize) -> Option<Self> {
        let free = |slot: &&Slot| {
            slot.taken
                .compare_exchange(false, true, SeqCst, SeqCst)
                .is_ok()
        };
        let slot = TABLE.iter().find(free)?;
        slot.start.store(start, SeqCst);
        slot.end.store(start.saturating_add(len), SeqCst);
        slot.poisoned.store(false, SeqCst);
        slot.generation.fetch_add(1, SeqCst);
        Some(Self(slot))
    }

    /// Whether a page of the map was lost.
    pub(super) fn poisoned(&self) -> bool {
        self.0.poisoned.load(SeqCst)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.generation.fetch_add(1, SeqCst);
        self.0.taken.store(false, SeqCst);
    }
}

/// Whether faults reach the handler, which the first call installs. It is `false` when somebody
/// has put a handler over ours since: to put ours over theirs could make the two call each other
/// for ever, and reading a file without mapping it is as fast.
pub(super) fn ready() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| install().is_some())
        && current().is_some_and(|action| action.sa_sigaction == address_of_handler())
}

/// Whether this thread blocks SIGBUS: the kernel then kills the process at a fault, handler or not.
pub(super) fn blocked() -> bool {
    // SAFETY: a signal set is plain data, for which zeros are valid; with a null new set the call
    // only writes to the old one, which is ours.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), &raw mut set) != 0
            || libc::sigismember(&raw const set, libc::SIGBUS) != 0
    }
}

fn address_of_handler() -> libc::sighandler_t {
    on_sigbus as *const () as libc::sighandler_t
}

fn install() -> Option<()> {
    PAGE.store(rustix::param::page_size(), SeqCst);
    // Known before ours is in place, so that no fault finds it missing …
    remember(&current()?);
    // SAFETY: `sigaction` is plain data, for which zeros are valid. The handler has the signature
    // that SA_SIGINFO asks for and does only what a handler may. SA_ONSTACK: a host's threads may
    // have stacks too small for a signal frame, and an alternate one for that.
    let before = unsafe {
        let mut ours: libc::sigaction = std::mem::zeroed();
        ours.sa_sigaction = address_of_handler();
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        libc::sigemptyset(&raw mut ours.sa_mask);
        let mut before: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(libc::SIGBUS, &raw const ours, &raw mut before) != 0 {
            return None;
        }
        before
    };
    // … and again, in case another thread changed it in between.
    remember(&before);
    Some(())
}

fn remember(action: &libc::sigaction) {
    PREVIOUS_FLAGS.store(action.sa_flags, SeqCst);
    PREVIOUS.store(action.sa_sigaction, SeqCst);
}

fn current() -> Option<libc::sigaction> {
    // SAFETY: zeros are a valid `sigaction`; with a null new action the call only writes to ours.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let status = libc::sigaction(libc::SIGBUS, std::ptr::null(), &raw mut action);
        (status == 0).then_some(action)
    }
}

/// The handler. It may interrupt any code, so it uses atomics and system calls, and nothing else.
extern "C" fn on_sigbus(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: installed with SA_SIGINFO, the kernel passes a valid `siginfo_t`.
    let code = unsafe { (*info).si_code };
    // Positive codes are the kernel's, for faults; others come from `kill`, without an address.
    let fault = code > 0;
    // SAFETY: as above, and a fault carries an address.
    if fault && cover(unsafe { (*info).si_addr() } as usize) {
        return;
    }
    pass_on(signal, info, context, fault);
}

/// Poisons the map that `address` lies in and puts a zero page there; `false` if it is not ours.
fn cover(address: usize) -> bool {
    let Some(slot) = TABLE.iter().find(|slot| slot.covers(address)) else {
        return false;
    };
    // First the flag: a thread that sees the zero page then sees the flag as well.
    slot.poisoned.store(true, SeqCst);
    let size = PAGE.load(SeqCst);
    let page = address & !(size - 1);
    // SAFETY: the page belongs to a live map of ours (`covers`), to which no reference exists and
    // which is removed as a whole, this page included. The call is a plain system call: no lock,
    // no allocation. The anonymous page is readable, so the load that faulted now succeeds.
    let mapped = unsafe {
        mmap_anonymous(
            page as *mut c_void,
            size,
            ProtFlags::READ,
            MapFlags::PRIVATE | MapFlags::FIXED,
        )
    };
    mapped.is_ok()
}

/// Does what would have been done without us.
fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void, fault: bool) {
    let previous = PREVIOUS.load(SeqCst);
    let flags = PREVIOUS_FLAGS.load(SeqCst);
    match previous {
        libc::SIG_IGN if !fault => {}
        // A fault cannot be ignored: the kernel would kill.
        libc::SIG_DFL | libc::SIG_IGN => {
            restore_default();
            if !fault {
                // Delivered on return, as the signal is blocked until then. A fault repeats itself.
                // SAFETY: may be called in a handler.
                unsafe { libc::raise(signal) };
            }
        }
        function => {
            if flags & libc::SA_RESETHAND != 0 {
                restore_default();
            }
            let function = function as *const ();
            // SAFETY: the address was given to `sigaction` as a handler of the kind that its flag
            // SA_SIGINFO tells, and is called as the kernel would have called it.
            unsafe {
                if flags & libc::SA_SIGINFO != 0 {
                    type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
                    std::mem::transmute::<*const (), Handler>(function)(signal, info, context);
                } else {
                    std::mem::transmute::<*const (), extern "C" fn(c_int)>(function)(signal);
                }
            }
        }
    }
}

fn restore_default() {
    // SAFETY: zeros are a valid `sigaction` (SIG_DFL, no flags), and the call may be made in a
    // handler.
    unsafe {
        let action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests;
