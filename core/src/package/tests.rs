use std::io::Write;
use std::sync::Arc;

use super::*;
use crate::compress::Encoder;
use crate::store::BlobDirectory;
use crate::tar::{END, EntryKind, header, padding};

/// A tar with these members.
fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, bytes) in members {
        let size = bytes.len() as u64;
        tar.extend(header(name, &EntryKind::File, size, 0o644, 0));
        tar.extend_from_slice(bytes);
        tar.resize(tar.len() + padding(size) as usize, 0);
    }
    tar.extend(END);
    tar
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Compression::Gzip, 1, 1, Vec::new()).expect("set up");
    encoder.write_all(bytes).expect("written");
    encoder.finish().expect("written")
}

/// Bytes that do not shrink.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    (0..count).map(next).collect()
}

#[test]
fn a_compressed_member_that_shows_late_what_it_holds_is_inflated_once() {
    let chart = b"name: web\nversion: 1.0.0\n";
    let bundle = tar(&[("original-chart/Chart.yaml", chart)]);
    let noise = noise(3 << 20);
    for (last, name, holds) in [
        (&bundle[..], "web.bundle.tar", true),
        (b"a hint of nothing", "web.bundle.tar", false),
        (b"a file", "web.txt", false),
    ] {
        let inner = gzip(&tar(&[("data.bin", &noise), (name, last)]));
        let outer = gzip(&tar(&[("inner.tar.gz", &inner), ("x.bundle.tar", &bundle)]));
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("package");
        std::fs::write(&path, &outer).expect("written");
        let blobs = BlobDirectory::create(dir.path().join("spool"), false).expect("a spool");
        let blobs = Arc::new(blobs);
        let keep = Keep::Spool {
            blobs: Arc::clone(&blobs),
            files: true,
            pass: None,
        };
        let progress = Progress::default();
        let location = Location::parse(&path).expect("a path");
        let source = Source::open(&location, &keep, None, &progress).expect("a package");
        assert_eq!(progress.snapshot().bytes, outer.len() as u64, "{name}");
        let charts = source.bundles().len();
        assert_eq!(charts, if holds { 2 } else { 1 }, "{name}");
        let is_file =
            |item: &Item| matches!(&item.kind, Kind::File(member) if member.name == "inner.tar.gz");
        let plain = source.root.items.iter().find(|item| is_file(item));
        assert_eq!(plain.is_none(), holds, "{name}");
        if let Some(Item {
            kind: Kind::File(member),
            ..
        }) = plain
        {
            let bytes = source.root.members.document(member, 1 << 30).expect("kept");
            assert!(bytes == inner, "{name}");
        }
    }
}
