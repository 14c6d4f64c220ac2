//! The committed archives of the real tools and what is in them (fixtures/archives/LISTING.md).

use std::path::{Path, PathBuf};

pub(crate) const HELLO: &str = "docker.io/library/hello:1.0";
pub(crate) const TOOL: &str = "ghcr.io/acme/tool:2.1";
pub(crate) const AMDONLY: &str = "docker.io/acme/amdonly:0.3";

// The configs are in every flavour the same.
pub(crate) const HELLO_AMD64: &str =
    "sha256:1b918aa78f3d4a725467502f62fdc99846de1ab7e00f4486dbaec97ae4e08b3e";
pub(crate) const HELLO_ARM64: &str =
    "sha256:f4b6ef84d5c410d3317f890e33dc6b2c823b585e4664e758693b101145423ac6";
pub(crate) const TOOL_AMD64: &str =
    "sha256:b244ac333066642b3f54a3ff9a38682adee2dffa588d8b00e575baff1f3eb044";
pub(crate) const TOOL_ARM64: &str =
    "sha256:c9b42a14c198d392bd2367d88a06f3728c29a3f3edbebe5bcb12ed755ec707b6";
pub(crate) const AMDONLY_AMD64: &str =
    "sha256:60a053df1763962379c0ff966c8634b7e84833394089f3de068793be7df6072e";
pub(crate) const BASE_DIFF_ID: &str =
    "sha256:3ee577099668dd1503a709ded930d4bfb379638dfdf68f5f237e4159a1c12252";
pub(crate) const HELLO_AMD64_DIFF_ID: &str =
    "sha256:4dd5e68ab77cf4200cdb481a623b256422095db2d8bf2c165aac0525770fdd54";

pub(crate) fn archive(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/archives")
        .join(name)
}
