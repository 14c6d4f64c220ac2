//! A compressed package of ten gigabytes, made while it is read: what a run takes of memory does
//! not grow with what it reads, nor with what it writes.

#![expect(clippy::print_stdout, reason = "`--nocapture` shows the numbers")]

use std::fs;
use std::io::{BufWriter, Read, Write};
use std::process::{Child, Stdio};
use std::time::Instant;

use fusion_core::compress::Encoder;
use fusion_core::oci::Compression;
use fusion_core::tar::{self, EntryKind};
use fusion_fixtures::{Digest, Layer, Noise, Platform, Process, config};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::super::scene::Scene;
use super::frugal::{MEMORY, Peak, watch};

const MIB: u64 = 1 << 20;

/// Bytes of each of the two layers that every bundle has.
const LAYER: u64 = 128 * MIB;

/// What a layer ends in, which makes it another one.
const TAIL: usize = tar::BLOCK as usize;

/// How many bundles: ten gigabytes.
const BUNDLES: usize = 40;

/// A package of bundles, in pieces that are gzip members each. Nothing is really compressed: layers
/// are compressed already, and a gigabyte of a bomb would be refused.
struct Huge {
    layers: Vec<Base>,
    /// Whether each bundle has layers of its own. Where they are kept, that would take ten
    /// gigabytes of disk.
    distinct: bool,
}

/// A layer but for its end.
struct Base {
    size: u64,
    hashed: Sha256,
    stored: Vec<u8>,
}

impl Base {
    fn new(seed: u64) -> Self {
        let noise = Noise {
            seed,
            size: LAYER,
            label: None,
        };
        let layer = Layer::noise(noise).unwrap();
        let mut content = Vec::new();
        let mut reader = layer.content.open().unwrap();
        reader.read_to_end(&mut content).unwrap();
        let padding = tar::padding(content.len() as u64) as usize;
        content.resize(content.len() + padding, 0);
        Self {
            size: (content.len() + TAIL) as u64,
            hashed: Sha256::new_with_prefix(&content),
            stored: stored(&content),
        }
    }
}

impl Huge {
    fn new() -> Self {
        Self {
            layers: [1, 2].into_iter().map(Base::new).collect(),
            distinct: false,
        }
    }

    /// What the layers of a bundle end in.
    fn tail(&self, at: usize) -> [u8; TAIL] {
        [if self.distinct { at as u8 } else { 0 }; TAIL]
    }

    /// The layers of a bundle: their digests.
    fn digests(&self, at: usize) -> Vec<Digest> {
        let digest = |base: &Base| {
            let whole = base.hashed.clone().chain_update(self.tail(at)).finalize();
            let hex: String = whole.iter().map(|byte| format!("{byte:02x}")).collect();
            Digest::parse(&hex).unwrap()
        };
        self.layers.iter().map(digest).collect()
    }

    /// The listing members of a bundle's `images.tar`, all but the layers.
    fn listing(&self, at: usize) -> Vec<u8> {
        let digests = self.digests(at);
        let described: Vec<Layer> = (digests.iter())
            .map(|digest| {
                let mut layer = Layer::memory(Vec::new());
                layer.diff_id = *digest;
                layer
            })
            .collect();
        let command = format!("/bin/{at}");
        let config = config(&Platform::amd64(), &described, &Process::new(&[&command]));
        let name = blob(&Digest::of(&config));
        let manifest = json!([{
            "Config": name,
            "RepoTags": [format!("docker.io/acme/app-{at}:1")],
            "Layers": digests.iter().map(blob).collect::<Vec<_>>(),
        }]);
        let mut out = member(&name, &config);
        out.extend(member("manifest.json", manifest.to_string().as_bytes()));
        out
    }

    /// Writes the package; returns how many bytes that were.
    fn write(&self, out: &mut impl Write) -> std::io::Result<u64> {
        let layers: u64 = self.layers.iter().map(|base| tar::BLOCK + base.size).sum();
        let mut written = 0;
        let mut put = |bytes: &[u8]| {
            written += bytes.len() as u64;
            out.write_all(bytes)
        };
        for at in 0..BUNDLES {
            let listing = self.listing(at);
            let images = layers + listing.len() as u64 + tar::END.len() as u64;
            let chart = format!("apiVersion: v2\nname: app-{at}\nversion: 1.0.0\n");
            let hints = format!("- docker.io/acme/app-{at}:1\n");
            let mut begin = member("hints.yaml", hints.as_bytes());
            begin.extend(member("original-chart/Chart.yaml", chart.as_bytes()));
            begin.extend(header("images.tar", images));
            let padding = tar::padding(images) as usize;
            let size = begin.len() as u64 + images + padding as u64 + tar::END.len() as u64;
            let mut first = header(&format!("addon/app-{at}_1.0.0.bundle.tar"), size);
            first.extend(begin);
            put(&stored(&first))?;
            for (base, digest) in self.layers.iter().zip(self.digests(at)) {
                put(&stored(&header(&blob(&digest), base.size)))?;
                put(&base.stored)?;
                put(&stored(&self.tail(at)))?;
            }
            let mut last = listing;
            last.extend(tar::END);
            last.resize(last.len() + padding, 0);
            last.extend(tar::END);
            last.resize(last.len() + tar::padding(size) as usize, 0);
            put(&stored(&last))?;
        }
        put(&stored(&tar::END))?;
        Ok(written)
    }
}

fn blob(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn header(name: &str, size: u64) -> Vec<u8> {
    tar::header(name, &EntryKind::File, size, 0o644, 0)
}

fn member(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut member = header(name, bytes.len() as u64);
    member.extend_from_slice(bytes);
    member.resize(member.len() + tar::padding(bytes.len() as u64) as usize, 0);
    member
}

/// A gzip member of these bytes, as they are.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Compression::Gzip, 0, 1, Vec::new()).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn feed(huge: &Huge, child: &mut Child, scene: &Scene) -> (Peak, u64) {
    let mut pipe = BufWriter::with_capacity(1 << 20, child.stdin.take().unwrap());
    std::thread::scope(|scope| {
        let fed = scope.spawn(move || {
            let written = huge.write(&mut pipe).unwrap();
            pipe.flush().unwrap();
            written
        });
        let peak = watch(child, &scene.path("results"));
        (peak, fed.join().unwrap())
    })
}

#[test]
fn ten_gigabytes_take_no_more_memory_than_one() {
    let scene = Scene::new();
    fs::create_dir(scene.path("results")).unwrap();
    let mut huge = Huge::new();
    let layout = ["fuse", "-", "-o", "results/layout", "--format", "oci"];
    let package = ["fuse", "-", "-o", "-", "--format", "package"];
    let rename = ["--durability", "rename"];
    for (words, distinct) in [
        ([&layout[..], &rename].concat(), false),
        ([&package[..], &rename].concat(), false),
        // Nothing is kept, so that no layer needs to be like another.
        (vec!["verify", "-"], true),
    ] {
        huge.distinct = distinct;
        let begun = Instant::now();
        let mut child = scene.fusion(&words).stdin(Stdio::piped()).spawn().unwrap();
        let (peak, written) = feed(&huge, &mut child, &scene);
        println!("{:?} {peak:?}, {written} bytes, {words:?}", begun.elapsed());
        assert!(written > 10 << 30, "{written}");
        assert!(peak.memory < MEMORY, "{words:?}: {peak:?}");
    }
}
