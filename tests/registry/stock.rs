//! Fills registries by hand, without any part of fusion.

use serde_json::json;

use super::client::Client;
use crate::clients::process::sha256;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", sha256(bytes))
}

/// Bytes that no two names share, and that do not compress away.
pub(crate) fn bytes(name: &str, length: usize) -> Vec<u8> {
    let mut state = name.bytes().fold(0x9e37_79b9_7f4a_7c15u64, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Where the upload session that begins now goes on; a path with a query that has no end yet.
pub(crate) fn session(client: &mut Client, repository: &str) -> String {
    let reply = client.ask("POST", &format!("/v2/{repository}/blobs/uploads/"));
    assert_eq!(reply.status(), 202, "{reply:?}");
    place(reply.header("location"))
}

/// A Location without its host.
pub(crate) fn place(location: &str) -> String {
    let path = location.find("/v2/").expect("a place in the registry");
    location[path..].to_owned()
}

/// Uploads a blob in one piece; its digest.
pub(crate) fn blob(client: &mut Client, repository: &str, bytes: &[u8]) -> String {
    let digest = digest(bytes);
    let place = session(client, repository);
    let end = if place.contains('?') { '&' } else { '?' };
    let target = format!("{place}{end}digest={digest}");
    let reply = client.give("PUT", &target, "application/octet-stream", bytes);
    assert_eq!(reply.status(), 201, "{reply:?}");
    digest
}

/// Pushes an image of one layer; the digest of its manifest, and its bytes.
pub(crate) fn image(
    client: &mut Client,
    repository: &str,
    tag: &str,
    layer: &[u8],
) -> (String, Vec<u8>) {
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": blob(client, repository, &config), "size": config.len(),
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": blob(client, repository, layer), "size": layer.len(),
        }],
    });
    let manifest = manifest.to_string().into_bytes();
    let target = format!("/v2/{repository}/manifests/{tag}");
    let reply = client.give("PUT", &target, MANIFEST, &manifest);
    assert_eq!(reply.status(), 201, "{reply:?}");
    (digest(&manifest), manifest)
}
