//! skopeo, which has no state. Sources and destinations are in its own words, as
//! `oci-archive:FILE:NAME`.

use std::process::Command;

use serde_json::Value;

use super::layout::text;
use super::process::{Failure, Result, command, run, sha256};

/// `skopeo`, for what has no function here.
pub(crate) fn skopeo() -> Command {
    let mut skopeo = command("skopeo");
    // By default it unpacks archives below /var/tmp.
    skopeo
        .arg("--tmpdir")
        .arg(std::env::temp_dir())
        .arg("--insecure-policy");
    skopeo
}

/// `skopeo copy --all`: every platform of an index. Raw layers are compressed on the way, which
/// changes every digest above them.
pub(crate) fn copy_all(source: &str, destination: &str) -> Result<()> {
    run(skopeo().args(["copy", "--quiet", "--all", source, destination])).map(drop)
}

/// `skopeo copy --all` that changes no byte of any manifest, or fails.
pub(crate) fn copy_exact(source: &str, destination: &str) -> Result<()> {
    run(skopeo().args([
        "copy",
        "--quiet",
        "--all",
        "--preserve-digests",
        source,
        destination,
    ]))
    .map(drop)
}

/// `skopeo copy` of the image for one platform.
pub(crate) fn copy_platform(source: &str, destination: &str, platform: &str) -> Result<()> {
    run(choosing(platform).args(["copy", "--quiet", source, destination])).map(drop)
}

/// `skopeo copy FLAGS`, for one platform.
pub(crate) fn copy_with(
    source: &str,
    destination: &str,
    platform: &str,
    flags: &[&str],
) -> Result<()> {
    run(choosing(platform)
        .args(["copy", "--quiet"])
        .args(flags)
        .args([source, destination]))
    .map(drop)
}

/// The exact bytes of the manifest or index.
pub(crate) fn inspect_raw(source: &str) -> Result<Vec<u8>> {
    run(skopeo().args(["inspect", "--raw", source]))
}

/// The digest of the manifest or index.
pub(crate) fn digest(source: &str) -> Result<String> {
    inspect_raw(source).map(|bytes| format!("sha256:{}", sha256(&bytes)))
}

/// The config of the image for that platform, and its digest.
pub(crate) fn inspect_config(source: &str, platform: &str) -> Result<(String, Value)> {
    let bytes = run(choosing(platform).args(["inspect", "--config", "--raw", source]))?;
    let json = serde_json::from_slice(&bytes)
        .map_err(|e| Failure::found(format!("skopeo inspect --config {source}"), e.to_string()))?;
    Ok((format!("sha256:{}", sha256(&bytes)), json))
}

/// The names in a `docker-archive:FILE`; skopeo 1.9 lists those of no other local transport.
pub(crate) fn list_tags(source: &str) -> Result<Vec<String>> {
    let said = run(skopeo().args(["list-tags", source]))?;
    let json: Value = serde_json::from_slice(&said)
        .map_err(|e| Failure::found(format!("skopeo list-tags {source}"), e.to_string()))?;
    Ok(super::layout::array(&json, "/Tags")
        .map(|tag| text(tag, ""))
        .filter(|tag| !tag.is_empty())
        .collect())
}

/// An index picks its child by these.
fn choosing(platform: &str) -> Command {
    let mut skopeo = skopeo();
    for (flag, part) in ["--override-os", "--override-arch", "--override-variant"]
        .into_iter()
        .zip(platform.split('/'))
    {
        skopeo.args([flag, part]);
    }
    skopeo
}
