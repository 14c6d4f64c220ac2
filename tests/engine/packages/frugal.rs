//! What a compressed package of a gigabyte takes: little memory, and no disk beyond the layout.

#![expect(clippy::print_stdout, reason = "`--nocapture` shows the numbers")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use fusion_fixtures::package::{Kind, Offline, Wrap};
use fusion_fixtures::{Platform, Squeeze};

use super::super::memory::field;
use super::super::scene::Scene;
use super::super::support;
use super::{Pair, fused_images};

const MIB: u64 = 1 << 20;

/// What a run may take of memory that only swap could free.
pub(super) const MEMORY: u64 = 96 * MIB;

/// What it may take of the disk besides the layout: directories, and small files on their way.
const BESIDES: u64 = 4 * MIB;

/// The most that a run takes, in bytes.
#[derive(Debug, Default)]
pub(super) struct Peak {
    pub(super) memory: u64,
    disk: u64,
    looks: u32,
}

/// Waits for `child`, and looks at its memory, and at the disk below `folder`.
pub(super) fn watch(child: &mut Child, folder: &Path) -> Peak {
    let process = Path::new("/proc").join(child.id().to_string());
    let mut peak = Peak::default();
    while child.try_wait().unwrap().is_none() {
        let anonymous = field(&process.join("status"), "RssAnon:");
        // The kernel walks the whole map for this one.
        let dirty = match peak.looks % 10 {
            0 => field(&process.join("smaps_rollup"), "Private_Dirty:"),
            _ => None,
        };
        let memory = anonymous.into_iter().chain(dirty).max().unwrap_or(0);
        peak.memory = peak.memory.max(memory);
        peak.disk = peak.disk.max(taken(folder));
        peak.looks += 1;
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(child.wait().unwrap().success(), "{peak:?}");
    assert!(peak.looks > 20, "too short to be measured: {peak:?}");
    peak
}

/// The bytes of disk that everything below `folder` takes. Files come and go meanwhile.
pub(super) fn taken(folder: &Path) -> u64 {
    let (mut bytes, mut folders) = (0, vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else {
                continue;
            };
            match found.is_dir() {
                true => folders.push(entry.path()),
                false => bytes += found.blocks() * 512,
            }
        }
    }
    bytes
}

#[test]
fn a_gigabyte_takes_little_memory_and_no_disk_beyond_the_layout() {
    let scene = Scene::new();
    let offline = Offline {
        bytes: 1 << 30,
        bundles: 4,
        images: 3,
        gzip_level: 0,
        wrap: Some(Wrap::Squeezed(Squeeze::gzip().level(0))),
        ..Offline::new(Kind::Addon)
    };
    let written = offline
        .write(&Platform::amd64(), &scene.path("work"))
        .unwrap();
    assert!(written.path.metadata().unwrap().len() >= 1 << 30);
    let source = written.path.to_str().unwrap();

    let results = scene.path("results");
    fs::create_dir(&results).unwrap();
    let words = [
        "fuse",
        source,
        "-o",
        "results/layout/",
        "--durability",
        "rename",
    ];
    let peak = watch(&mut scene.fusion(&words).spawn().unwrap(), &results);
    let layout = taken(&results.join("layout"));
    println!("{peak:?}, the layout {} MiB", layout / MIB);
    assert!(peak.memory < MEMORY, "{peak:?}");
    // Bundles share layers: the layout is smaller than the package.
    assert!(layout < 1 << 30, "{layout}");
    assert!(
        peak.disk <= layout + BESIDES,
        "{peak:?}, the layout {layout}"
    );
    assert!(taken(&scene.temp()) == 0, "nothing in the temp folder");
}

/// What a file takes while it is made: the distinct blobs, and itself.
#[test]
fn archives_and_packages_take_the_distinct_blobs_and_themselves() {
    for (kind, bytes) in [(Kind::Addon, 256 << 20), (Kind::KubeanRelease, 128 << 20)] {
        let scene = Scene::new();
        let offline = Offline {
            bytes,
            bundles: 4,
            images: 3,
            gzip_level: 0,
            wrap: Some(Wrap::Squeezed(Squeeze::gzip().level(0))),
            ..Offline::new(kind)
        };
        let written = offline.write(&Platform::amd64(), &scene.path("work"));
        let source = written.unwrap().path;
        let source = source.to_str().unwrap();
        let results = scene.path("results");
        fs::create_dir(&results).unwrap();
        let fuse = |dest: &str, format: &str| {
            let dest = format!("results/{dest}");
            let rename = ["--durability", "rename"];
            let words = ["fuse", source, "-o", &dest, "--format", format];
            let words = [&words[..], &rename].concat();
            let mut child = scene.fusion(&words).spawn().unwrap();
            let peak = watch(&mut child, &results);
            let size = taken(&results);
            super::super::scene::remove(&scene.path(&dest));
            (peak, size)
        };
        let (_, blobs) = fuse("layout", "oci");
        for (dest, format) in [
            ("images.tar", "oci-archive"),
            ("package.tar", "package"),
            ("package.tar.gz", "package"),
        ] {
            let (peak, size) = fuse(dest, format);
            let (blobs, size) = (blobs.div_ceil(MIB), size.div_ceil(MIB));
            println!("{kind:?} {dest}: {peak:?}, blobs {blobs} MiB, itself {size} MiB");
            assert!(peak.memory < MEMORY, "{kind:?} {dest}: {peak:?}");
            assert!(
                peak.disk <= (blobs + size) * MIB + BESIDES,
                "{kind:?} {dest}: {peak:?}, blobs {blobs} MiB, itself {size} MiB"
            );
        }
        assert!(taken(&scene.temp()) == 0, "nothing in the temp folder");
    }
}

#[test]
fn compressed_packages_are_read_once() {
    for kind in Kind::ALL {
        let scene = support::Scene::new();
        let pair = Pair::usual(&scene, kind);
        let size: u64 = (pair.sources().iter())
            .map(|path| path.metadata().unwrap().len())
            .sum();
        for name in ["layout", "images.tar"] {
            let report = fused_images(&pair.sources(), &scene.out(name));
            let bytes = &report["bytes"];
            let unique = bytes["unique"].as_u64().unwrap();
            if kind == Kind::Module {
                // Uncompressed: nothing but the blobs is read, and nothing is spooled.
                assert_eq!(bytes["read"], unique, "{kind:?} {name}");
                assert_eq!(bytes["peak_spool"], 0, "{kind:?} {name}");
                continue;
            }
            let read = bytes["read"].as_u64().unwrap();
            assert_eq!(read, size, "{kind:?} {name}");
            let spool = bytes["peak_spool"].as_u64().unwrap();
            match name {
                "layout" => assert_eq!(spool, 0, "{kind:?}: all of it is the layout's"),
                // Charts and listings on top of the blobs.
                _ => assert!((1..unique + (1 << 20)).contains(&spool), "{kind:?} {bytes}"),
            }
        }
    }
}
