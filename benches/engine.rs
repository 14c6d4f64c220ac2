//! The engine's hot paths, each alone: `cargo bench --bench engine`.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench that cannot run has nothing to say"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fusion_core::fuse::{Durability, FuseOptions, OnExisting, fuse};
use fusion_core::location::Location;
use fusion_core::oci::{Document, MediaType};
use fusion_core::progress::{Progress, Stop};
use fusion_core::store::{Expected, Memory, Transfer};
use fusion_core::tar::{self, EntryKind};
use fusion_fixtures::{Flavour, LayerForm, Options, synthetic, write};
use serde_json::json;

/// The directory of an archive with many members.
fn scan(c: &mut Criterion) {
    const MEMBERS: u64 = 20_000;
    let mut archive = Vec::new();
    for at in 0..MEMBERS {
        let name = format!("blobs/sha256/{at:064x}");
        archive.extend(tar::header(&name, &EntryKind::File, 512, 0o644, 0));
        archive.extend([0; 512]);
    }
    archive.extend(tar::END);
    let mut group = c.benchmark_group("scan");
    group.throughput(Throughput::Elements(MEMBERS));
    group.bench_function("20000 members", |b| {
        b.iter(|| {
            let mut bytes = 0;
            tar::scan(&archive.as_slice(), &mut |entry| {
                bytes += entry.size;
                Ok(())
            })
            .unwrap();
            bytes
        });
    });
    group.finish();
}

/// A blob through the buffer in which it is hashed, written nowhere.
fn transfer(c: &mut Criterion) {
    const SIZE: usize = 32 << 20;
    let mut memory = Memory::default();
    let digest = memory.insert((0..SIZE).map(|at| (at ^ (at >> 8)) as u8).collect());
    let expected = Expected {
        digest,
        size: SIZE as u64,
        diff_id: None,
    };
    let progress = Progress::default();
    let mut mover = Transfer::new(&progress);
    let mut group = c.benchmark_group("transfer");
    group.throughput(Throughput::Bytes(SIZE as u64));
    group.bench_function("32 MiB", |b| {
        b.iter(|| {
            let sink = &mut |piece: &[u8]| {
                black_box(piece);
                Ok(())
            };
            mover.run(&memory, &expected, sink).unwrap();
        });
    });
    group.finish();
}

/// An index with many children.
fn parse(c: &mut Criterion) {
    const CHILDREN: u64 = 2_000;
    let children: Vec<_> = (0..CHILDREN)
        .map(|at| {
            json!({
                "mediaType": MediaType::OCI_MANIFEST.as_str(),
                "digest": format!("sha256:{at:064x}"),
                "size": 1000 + at,
                "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"},
                "annotations": {"org.opencontainers.image.ref.name": format!("registry/app:{at}")},
            })
        })
        .collect();
    let index = json!({"schemaVersion": 2, "manifests": children}).to_string();
    let mut group = c.benchmark_group("parse");
    group.throughput(Throughput::Elements(CHILDREN));
    group.bench_function("index of 2000", |b| {
        b.iter(|| Document::parse(index.as_bytes(), &MediaType::OCI_INDEX).unwrap());
    });
    group.finish();
}

/// Two small archives into one, from the first byte read to the rename.
fn end_to_end(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..10)
        .map(|at| format!("docker.io/example/app-{at}:1"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (amd64, arm64) = synthetic::pair(&names, 1, &[4 << 10, 16 << 10, 64 << 10], 1).unwrap();
    let sources = [("amd64.tar", amd64), ("arm64.tar", arm64)].map(|(name, images)| {
        let path = folder.path().join(name);
        let options = Options::default();
        write(Flavour::Skopeo, LayerForm::Raw, &images, &path, &options).unwrap();
        Location::parse(&path).unwrap()
    });
    let output = Location::parse(folder.path().join("fused.tar")).unwrap();
    let options = FuseOptions {
        on_existing: Some(OnExisting::Replace),
        durability: Durability::Rename,
        ..FuseOptions::default()
    };
    c.bench_function("fuse/10 images of 84 KiB", |b| {
        b.iter(|| fuse(&sources, Some(&output), &options, None, &Stop::new()).unwrap());
    });
}

criterion_group!(engine, scan, transfer, parse, end_to_end);
criterion_main!(engine);
