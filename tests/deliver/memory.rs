//! Private memory stays below 96 MiB, however large a layer is, mapped or out of a compressed
//! archive.

use std::path::Path;
use std::process::Stdio;

use fusion_core::oci::Compression;
use serde_json::Value;

use super::{Yard, there};
use crate::engine::memory::{Bulk, watch};
use crate::registry::client::Client;
use crate::registry::docker::DockerRegistry;

/// What a push may take, in bytes.
const LIMIT: u64 = 96 << 20;

/// Pushes `source`, an archive of `bulk`, to a registry of its own.
fn assert_frugal(yard: &Yard, source: &Path, bulk: &Bulk) {
    let registry = DockerRegistry::open();
    let to = format!("{}/p", registry.host());
    let words = ["push", source.to_str().unwrap(), "--to", &to, "--quiet"];
    let mut fusion = yard.fusion(&words);
    let silent = fusion.stdout(Stdio::null());
    let taken = watch(&mut silent.spawn().unwrap(), &words);
    // Pages of files that are not on disk yet count as dirty where they are mapped, but are the
    // page cache's; pages of a private map that were written to are anonymous.
    let anonymous = taken.anonymous;
    assert!(anonymous < LIMIT, "{taken:?}: {}", source.display());

    let (_, manifest) = there(registry.host(), "p/acme/bulk", "1").expect("an image");
    let listed: Vec<&Value> = manifest["layers"].as_array().unwrap().iter().collect();
    for (size, digest) in bulk.zeros() {
        let digest = digest.to_string();
        let layer = listed.iter().find(|layer| layer["digest"] == digest);
        assert_eq!(layer.expect("the large layer")["size"], *size);
        assert_eq!(registry.uploads().times(&digest), 1);
        let path = format!("/v2/p/acme/bulk/blobs/{digest}");
        let reply = Client::new(registry.host()).ask("HEAD", &path);
        assert_eq!(reply.header("content-length"), size.to_string());
    }
}

/// One after the other, so that what registries keep of them is not on disk at once.
#[test]
fn a_layer_of_five_gigabytes_and_one_out_of_a_compressed_archive() {
    let yard = Yard::new();
    let mapped = Bulk::new(&[5]);
    assert!(mapped.zeros()[0].0 >= 5_000_000_000);
    mapped.sparse(&yard.path("bulk.tar"));
    assert_frugal(&yard, &yard.path("bulk.tar"), &mapped);

    let streamed = Bulk::new(&[2]);
    streamed.compressed(&yard.path("bulk.tar.zst"), Compression::Zstd);
    assert_frugal(&yard, &yard.path("bulk.tar.zst"), &streamed);
}
