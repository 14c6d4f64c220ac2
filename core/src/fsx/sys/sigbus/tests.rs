//! Each scene runs in a process of its own, as most of them end it.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use memmap2::{MmapOptions, MmapRaw};

use super::*;
use crate::error::ErrorKind;
use crate::fsx::Mapped;
use crate::fsx::testing::{file_of, scene, stage};

/// What a scene that comes to its end exits with; tests that never ran exit with 0.
const DONE: i32 = 77;
const PLAIN: i32 = 42;
const WITH_ADDRESS: i32 = 43;
const LEN: usize = 1 << 20;

static STRANGE: AtomicUsize = AtomicUsize::new(0);

fn leave(code: i32) -> ! {
    // SAFETY: ends the process, from a handler as well.
    unsafe { libc::_exit(code) }
}

extern "C" fn plain(_: c_int) {
    leave(PLAIN)
}

extern "C" fn with_address(_: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: installed with SA_SIGINFO.
    let address = unsafe { (*info).si_addr() } as usize;
    if address == STRANGE.load(SeqCst) {
        leave(WITH_ADDRESS)
    }
    leave(1)
}

fn set_handler(handler: libc::sighandler_t, flags: c_int) {
    // SAFETY: zeros are a valid `sigaction`; the handlers above fit their flags.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        assert_eq!(
            libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()),
            0
        );
    }
}

/// Opens a map of ours, so that the handler is there.
fn ours(dir: &std::path::Path) -> Mapped {
    let (path, _) = file_of(dir, "ours", LEN);
    let mapped = Mapped::open(path).expect("a file");
    assert!(mapped.is_mapped());
    mapped
}

fn shrink(path: &std::path::Path, len: u64) {
    let file = File::options().write(true).open(path).expect("a file");
    file.set_len(len).expect("can be cut");
}

/// A fault in a map that is not ours.
fn strange_fault(dir: &std::path::Path) {
    let (path, _) = file_of(dir, "strange", LEN);
    let file = File::open(&path).expect("a file");
    let map: MmapRaw = MmapOptions::new().map_raw_read_only(&file).expect("mapped");
    shrink(&path, 0);
    STRANGE.store(map.as_ptr() as usize, SeqCst);
    // SAFETY: within the map; that the load faults is the point.
    let byte = unsafe { map.as_ptr().read_volatile() };
    unreachable!("read {byte} from a file that is empty");
}

fn act(name: &str, dir: &std::path::Path) {
    let info = libc::SA_SIGINFO;
    match name {
        "std-fault" => {
            let _ours = ours(dir);
            strange_fault(dir);
        }
        "default-fault" | "ignore-fault" | "plain-fault" | "info-fault" | "once-fault" => {
            match name {
                "default-fault" => set_handler(libc::SIG_DFL, 0),
                "ignore-fault" => set_handler(libc::SIG_IGN, 0),
                "plain-fault" => set_handler(plain as *const () as usize, 0),
                "once-fault" => set_handler(plain as *const () as usize, libc::SA_RESETHAND),
                _ => set_handler(with_address as *const () as usize, info),
            }
            let _ours = ours(dir);
            strange_fault(dir);
        }
        "default-kill" | "ignore-kill" | "plain-kill" => {
            match name {
                "default-kill" => set_handler(libc::SIG_DFL, 0),
                "ignore-kill" => set_handler(libc::SIG_IGN, 0),
                _ => set_handler(plain as *const () as usize, 0),
            }
            let _ours = ours(dir);
            // SAFETY: what `kill -BUS` would do.
            unsafe { libc::raise(libc::SIGBUS) };
        }
        "displaced" => {
            let before = ours(dir);
            set_handler(plain as *const () as usize, 0);
            let after = Mapped::open(before.path()).expect("a file");
            assert!(!after.is_mapped());
            shrink(after.path(), 0);
            let error = after.read_at(0, &mut vec![0; LEN]).expect_err("cut");
            assert_eq!(error.kind(), ErrorKind::InputChanged);
        }
        "blocked" => {
            let mapped = ours(dir);
            // SAFETY: sets are plain data, of this frame.
            unsafe {
                let mut set: libc::sigset_t = std::mem::zeroed();
                libc::sigaddset(&raw mut set, libc::SIGBUS);
                libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
            }
            shrink(mapped.path(), 0);
            let error = mapped.read_at(0, &mut vec![0; LEN]).expect_err("cut");
            assert_eq!(error.kind(), ErrorKind::InputChanged);
        }
        "many" => {
            let open = |path| Mapped::open(path).expect("a file");
            let (path, bytes) = file_of(dir, "many", 5000);
            for _ in 0..2 {
                let all: Vec<Mapped> = (0..2000).map(|_| open(&path)).collect();
                let mapped = all.iter().filter(|one| one.is_mapped()).count();
                assert_eq!(mapped, SLOTS, "as many as there is room for, every time");
                for one in &all {
                    let mut buffer = vec![0; bytes.len()];
                    one.read_at(0, &mut buffer).expect("whole");
                    assert_eq!(buffer, bytes);
                }
            }
        }
        "poison-one" => {
            let (path, bytes) = file_of(dir, "whole", LEN);
            let whole = Mapped::open(path).expect("a file");
            let cut = ours(dir);
            shrink(cut.path(), 0);
            let mut buffer = vec![0; LEN];
            let error = cut.read_at(0, &mut buffer).expect_err("cut");
            assert_eq!(error.kind(), ErrorKind::InputChanged);
            drop(cut);
            // The same slot and most likely the same addresses: no poison is inherited.
            for mapped in [&whole, &ours(dir)] {
                mapped.read_at(0, &mut buffer).expect("whole");
                assert_eq!(buffer, bytes);
            }
        }
        other => unreachable!("no scene {other}"),
    }
    leave(DONE);
}

#[test]
fn play() {
    if let Some(name) = scene() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        act(&name, dir.path());
    }
}

fn outcome(scene: &str) -> ExitStatus {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let play = stage("fsx::sys::sigbus::tests::play", scene, dir.path()).output();
    play.expect("this binary runs").status
}

#[test]
fn a_fault_elsewhere_kills_as_it_would_without_us() {
    for scene in ["default-fault", "ignore-fault", "std-fault"] {
        assert_eq!(outcome(scene).signal(), Some(libc::SIGBUS), "{scene}");
    }
}

#[test]
fn a_fault_elsewhere_reaches_the_handler_that_was_there() {
    assert_eq!(outcome("plain-fault").code(), Some(PLAIN));
    assert_eq!(outcome("once-fault").code(), Some(PLAIN));
    assert_eq!(outcome("info-fault").code(), Some(WITH_ADDRESS));
}

#[test]
fn a_signal_that_somebody_sent_is_not_taken_for_a_fault() {
    assert_eq!(outcome("default-kill").signal(), Some(libc::SIGBUS));
    assert_eq!(outcome("ignore-kill").code(), Some(DONE));
    assert_eq!(outcome("plain-kill").code(), Some(PLAIN));
}

#[test]
fn where_the_handler_cannot_help_files_are_read() {
    assert_eq!(outcome("displaced").code(), Some(DONE));
    assert_eq!(outcome("blocked").code(), Some(DONE));
}

#[test]
fn two_thousand_files_at_once_are_some_mapped_and_all_readable() {
    assert_eq!(outcome("many").code(), Some(DONE));
}

#[test]
fn poison_stays_with_the_map_that_lost_a_page() {
    assert_eq!(outcome("poison-one").code(), Some(DONE));
}
