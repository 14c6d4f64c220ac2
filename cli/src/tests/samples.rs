//! Documents with something in every key.

use fusion_core::oci::{Digest, MediaType};
use fusion_core::report::{
    Action, Blobs, Bytes, CarriedValues, ChangedValue, Chart, DamagedSource, Destination,
    ErrorReport, Finding, Image, InspectedImage, InspectedLayer, InspectedPlatform,
    InspectedSource, Inspection, KeptValue, Report, Severity, Status, Variant, Verification,
    Warning,
};

const MIB: u64 = 1 << 20;

const BLOBS: Blobs = Blobs {
    referenced: 24,
    unique: 13,
    written: 12,
    reused: 1,
    uploaded: 0,
    mounted: 0,
};

const BYTES: Bytes = Bytes {
    read: 300 * MIB,
    unique: 200 * MIB,
    deduplicated: 100 * MIB,
    written: 190 * MIB,
    uploaded: 0,
    peak_spool: 0,
};

pub(super) fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn warning() -> Warning {
    Warning {
        reference: Some("docker.io/library/b:2".into()),
        code: "missing-platform",
        message: "`docker.io/library/b:2` lacks linux/arm64".into(),
    }
}

fn error() -> ErrorReport {
    ErrorReport {
        kind: "digest-mismatch",
        message: "`a.tar`: content is not what it goes by".into(),
        path: Some("a.tar".into()),
        member: Some("blobs/sha256/00".into()),
        digest: Some(digest("c").to_string()),
        offset: Some(512),
        hint: Some("fetch the archive again".into()),
    }
}

fn variant(platform: &str, source: &str) -> Variant {
    Variant {
        platform: platform.into(),
        digest: Some(digest(platform)),
        source: source.into(),
        size: 40 * MIB,
    }
}

fn image(reference: &str, action: Action, platforms: Vec<Variant>) -> Image {
    Image {
        reference: reference.into(),
        names: vec!["a:1".into()],
        target: None,
        digest: Some(digest(reference)),
        previous_digest: Some(digest("before")),
        media_type: Some(MediaType::OCI_INDEX),
        action,
        platforms,
        error: None,
    }
}

/// A partial run: one image merged, one failed.
pub(super) fn report() -> Report {
    let both = vec![
        variant("linux/amd64", "a.tar"),
        variant("linux/arm64", "b.tar"),
    ];
    let mut failed = image("docker.io/library/b:2", Action::Failed, Vec::new());
    failed.digest = None;
    failed.error = Some(error());
    Report {
        status: Status::Partial,
        destination: Some(Destination {
            kind: "oci-archive",
            location: "out.tar".into(),
        }),
        images: vec![image("docker.io/library/a:1", Action::Merged, both), failed],
        blobs: BLOBS,
        bytes: BYTES,
        warnings: vec![warning()],
        elapsed_seconds: 1.25,
        ..Report::new("fuse")
    }
}

/// A plan of one image.
pub(super) fn plan() -> Report {
    let mut plan = report();
    plan.images.pop();
    plan.warnings.clear();
    plan.dry_run = true;
    plan.status = Status::Ok;
    plan
}

/// A push: an image to which a platform was added, and one that was there.
pub(super) fn pushed() -> Report {
    let both = vec![
        variant("linux/amd64", "docker://harbor.local/p/a:1"),
        variant("linux/arm64", "b.tar"),
    ];
    let one = vec![variant("linux/arm64", "b.tar")];
    let mut images = vec![
        image("docker.io/library/a:1", Action::Merged, both),
        image("docker.io/library/b:2", Action::Unchanged, one),
    ];
    images[0].target = Some("harbor.local/p/library/a:1".into());
    images[1].target = Some("harbor.local/p/library/b:2".into());
    Report {
        destination: Some(Destination {
            kind: "registry",
            location: "harbor.local/p".into(),
        }),
        images,
        blobs: Blobs {
            written: 0,
            reused: 3,
            uploaded: 9,
            mounted: 1,
            ..BLOBS
        },
        bytes: Bytes {
            written: 0,
            uploaded: 150 * MIB,
            ..BYTES
        },
        elapsed_seconds: 1.25,
        ..Report::new("push")
    }
}

/// A sync that kept going: the images are there, one chart was published and one not, and saved
/// values were brought along.
pub(super) fn synced() -> Report {
    let chart = |name: &str, action, location: &str, error| Chart {
        name: name.into(),
        version: "1.0.0".into(),
        action,
        location: location.into(),
        platforms: vec!["linux/amd64".into(), "linux/arm64".into()],
        error,
    };
    let refused = ErrorReport {
        kind: "denied",
        message: "`https://harbor.local/chartrepo/p` takes no chart".into(),
        path: None,
        member: None,
        digest: None,
        offset: None,
        hint: Some("ask for the right to write".into()),
    };
    let change = |key: &str, old: Option<&str>| ChangedValue {
        key: key.into(),
        old: old.map(Into::into),
        new: "harbor.local".into(),
    };
    Report {
        status: Status::Partial,
        charts: vec![
            chart(
                "kairship",
                Action::Created,
                "https://harbor.local/chartrepo/p/kairship-1.0.0.tgz",
                None,
            ),
            chart("web", Action::Failed, "b.bundle.tar", Some(refused)),
        ],
        damaged: vec![DamagedSource {
            location: "in › arm64/web_1.0.0.bundle.tar".into(),
            error: ErrorReport {
                kind: "invalid-archive",
                message: "`in/arm64/web_1.0.0.bundle.tar`: truncated".into(),
                path: Some("in/arm64/web_1.0.0.bundle.tar".into()),
                member: None,
                digest: None,
                offset: Some(1024),
                hint: None,
            },
        }],
        values: vec![CarriedValues {
            path: "bak.yaml".into(),
            chart: "kairship".into(),
            changes: vec![
                change("global.imageRegistry", Some("10.0.0.1")),
                change("ui.image.registry", None),
            ],
            kept: vec![KeptValue {
                key: "sidecar.image".into(),
                value: "quay.io/acme/proxy".into(),
                why: "it names another image, `quay.io/acme/proxy:1`".into(),
            }],
        }],
        command: "sync",
        ..pushed()
    }
}

pub(super) fn inspection() -> Inspection {
    let layer = InspectedLayer {
        digest: digest("layer"),
        media_type: MediaType::new("application/vnd.oci.image.layer.v1.tar+gzip"),
        size: 39 * MIB,
        diff_id: Some(digest("tar")),
    };
    let platform = |platform: &str, attestations| InspectedPlatform {
        platform: platform.into(),
        digest: digest(platform),
        original: true,
        config: digest("config"),
        size: 40 * MIB,
        layers: vec![layer.clone()],
        attestations,
    };
    let platforms = vec![
        platform("linux/amd64", vec![digest("sbom")]),
        platform("linux/arm/v7", Vec::new()),
    ];
    let named = InspectedImage {
        reference: Some("docker.io/library/a:1".into()),
        names: vec!["a:1".into()],
        digest: Some(digest("a")),
        media_type: Some(MediaType::OCI_INDEX),
        platforms,
        absent: vec![digest("absent")],
    };
    let unnamed = InspectedImage {
        reference: None,
        names: Vec::new(),
        digest: None,
        media_type: None,
        platforms: vec![platform("linux/amd64", Vec::new())],
        absent: Vec::new(),
    };
    let source = InspectedSource {
        kind: "oci-archive",
        location: "a.tar.gz".into(),
        compression: "gzip",
        size: 90 * MIB,
    };
    let mut inspection = Inspection::new(source);
    inspection.images = vec![unnamed, named];
    inspection.blobs = BLOBS;
    inspection.bytes = BYTES;
    inspection.warnings = vec![warning()];
    inspection
}

pub(super) fn verification() -> Verification {
    let finding = |severity, member: Option<&str>| Finding {
        path: "a.tar".into(),
        member: member.map(Into::into),
        offset: member.map(|_| 512),
        digest: member.map(|_| "sha256:00".into()),
        code: "digest-mismatch".into(),
        severity,
        message: "content is not what it goes by".into(),
    };
    let mut verification = Verification::new(vec!["a.tar".into(), "b.tar".into()]);
    verification.status = "failed";
    verification.images = 2;
    verification.blobs = 13;
    verification.bytes = 200 * MIB;
    verification.findings = vec![
        finding(Severity::Error, Some("blobs/sha256/00")),
        finding(Severity::Warning, None),
    ];
    verification.elapsed_seconds = 0.5;
    verification
}
