//! What a verb tells afterwards: the documents behind `--json`, the same from every face.
//!
//! `docs/schemas/` holds their JSON Schemas. Keys are only ever added. Arrays are sorted by
//! reference, then platform.

mod fuse;
mod inspect;
mod verify;

pub use fuse::{
    Action, Blobs, Bytes, CarriedValues, ChangedValue, Chart, DamagedSource, Destination,
    ErrorReport, Image, KeptValue, Report, Status, Variant, Warning,
};
pub use inspect::{
    InspectedChart, InspectedImage, InspectedLayer, InspectedPlatform, InspectedSource, Inspection,
};
pub use verify::{Finding, Severity, Verification};

/// The version of fusion, as reports state it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Indented JSON with a final newline.
fn to_json(document: &impl serde::Serialize) -> String {
    // These documents have string keys and finite numbers: nothing that could fail.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}
