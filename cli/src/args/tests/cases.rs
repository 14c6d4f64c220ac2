//! Every option, and what it sets in the engine's choices.

use std::path::PathBuf;

use fusion_core::deliver::{DeliverOptions, Names, OnChart, Visibility};
use fusion_core::fuse::{
    Compress, Durability, Format, MediaTypes, OnConflict, OnExisting, OnFileConflict, Verify,
};

use super::platform;

/// What a command line must set.
pub(super) type Case = (&'static str, fn(&mut DeliverOptions));

/// What `fuse` and `push` share.
pub(super) const SHARED: &[Case] = &[
    (
        "--platform linux/amd64,linux/arm64/v8 --platform linux/arm",
        |o| {
            o.fuse.platforms = vec![
                platform("linux/amd64"),
                platform("linux/arm64"),
                platform("linux/arm/v7"),
            ];
        },
    ),
    ("--require-platform linux/amd64", |o| {
        o.fuse.require_platforms = vec![platform("linux/amd64")];
    }),
    ("--image a* --image b,c", |o| {
        o.fuse.images = vec!["a*".into(), "b,c".into()]
    }),
    ("--exclude *:dev", |o| o.fuse.exclude = vec!["*:dev".into()]),
    ("--on-conflict first", |o| {
        o.fuse.on_conflict = OnConflict::First
    }),
    ("--on-file-conflict last", |o| {
        o.fuse.on_file_conflict = OnFileConflict::Last
    }),
    ("--source-platform x=y.tar=linux/arm64", |o| {
        o.fuse.source_platforms = vec![(PathBuf::from("x=y.tar"), platform("linux/arm64"))];
    }),
    ("--name app:1", |o| o.fuse.name = Some("app:1".into())),
    ("--strip-arch-suffix", |o| o.fuse.strip_arch_suffix = true),
    ("--rename a/=b/ --rename c/=", |o| {
        o.fuse.rename = vec![("a/".into(), "b/".into()), ("c/".into(), String::new())];
    }),
    ("--compression zstd:19", |o| {
        o.fuse.compression = Compress::Zstd(19)
    }),
    ("--media-types docker", |o| {
        o.fuse.media_types = MediaTypes::Docker
    }),
    ("--docker-platform linux/arm64", |o| {
        o.fuse.docker_platform = Some(platform("linux/arm64"));
    }),
    ("--verify full", |o| o.fuse.verify = Verify::Full),
    ("--annotation b=2=3 --annotation a=", |o| {
        o.fuse.annotations.insert("a".into(), String::new());
        o.fuse.annotations.insert("b".into(), "2=3".into());
    }),
    ("--durability rename", |o| {
        o.fuse.durability = Durability::Rename
    }),
    ("--work-dir w", |o| {
        o.fuse.work_dir = Some(PathBuf::from("w"))
    }),
    ("--jobs=4", |o| o.fuse.jobs = Some(4)),
    ("--dry-run", |o| o.fuse.dry_run = true),
    ("--keep-going", |o| o.fuse.keep_going = true),
    ("--clean", |o| o.fuse.clean = true),
];

/// What every verb has whose `-j` is not another's.
pub(super) const JOBS: &[Case] = &[("-j 3", |o| o.fuse.jobs = Some(3))];

/// What every verb over registries has.
pub(super) const REGISTRY: &[Case] = &[
    ("--tls-ca ca.pem", |o| {
        o.fuse.connect.access.tls_ca = Some("ca.pem".into())
    }),
    ("--insecure", |o| o.fuse.connect.access.insecure = true),
    ("--tls-verify=false", |o| {
        o.fuse.connect.access.insecure = true
    }),
    ("--tls-verify=true", |_| {}),
    ("--tls-verify", |_| {}),
    ("--plain-http", |o| o.fuse.connect.access.plain_http = true),
    ("--retries 0", |o| o.fuse.connect.access.retries = 0),
    ("--username robot$ci --password-stdin", |o| {
        o.fuse.connect.access.username = Some("robot$ci".into())
    }),
    ("--create-projects", |o| {
        o.create_projects = Some(Visibility::Public)
    }),
    ("--create-projects=private", |o| {
        o.create_projects = Some(Visibility::Private)
    }),
    ("--claim-tags", |o| o.claim_tags = true),
    ("--clean-claims", |o| o.clean_claims = true),
    ("--media-types auto", |o| {
        o.fuse.media_types = MediaTypes::Auto
    }),
];

/// What pushing has.
pub(super) const NAMES: &[Case] = &[
    ("--names last", |o| o.names = Some(Names::Last)),
    ("--names origin", |o| o.names = Some(Names::Origin)),
    ("--on-existing skip", |o| {
        o.fuse.on_existing = Some(OnExisting::Skip)
    }),
    ("--on-existing error", |o| {
        o.fuse.on_existing = Some(OnExisting::Error)
    }),
];

pub(super) const FUSE: &[Case] = &[
    ("--format oci", |o| o.fuse.format = Some(Format::Oci)),
    ("--format oci-archive", |o| {
        o.fuse.format = Some(Format::OciArchive)
    }),
    ("--on-existing merge", |o| {
        o.fuse.on_existing = Some(OnExisting::Merge)
    }),
];

pub(super) const INDEX: &[Case] = &[
    ("--append", |o| o.append = true),
    (
        "--remove linux/amd64,linux/arm64 --remove linux/s390x",
        |o| {
            o.remove = vec![
                platform("linux/amd64"),
                platform("linux/arm64"),
                platform("linux/s390x"),
            ];
        },
    ),
    ("--annotation a=b", |o| {
        o.fuse.annotations.insert("a".into(), "b".into());
    }),
    ("--on-conflict last", |o| {
        o.fuse.on_conflict = OnConflict::Last
    }),
    ("--dry-run", |o| o.fuse.dry_run = true),
];

/// What is about charts.
pub(super) const CHARTS: &[Case] = &[
    ("--chart a* --chart b@1.*", |o| {
        o.charts.charts = vec!["a*".into(), "b@1.*".into()]
    }),
    ("--latest-version-only", |o| o.charts.latest_only = true),
    ("--skip-images", |o| o.charts.skip_images = true),
    ("--on-existing-chart replace", |o| {
        o.charts.on_existing = OnChart::Replace
    }),
    (
        "--values bak.yaml --values web=b=1.yaml --values ./a=b",
        |o| {
            o.charts.values = vec![
                (None, "bak.yaml".into()),
                (Some("web".into()), "b=1.yaml".into()),
                (None, "./a=b".into()),
            ];
        },
    ),
];

/// charts-syncer's own options.
pub(super) const SYNCER: &[Case] = &[
    ("--workdir w", |o| {
        o.fuse.work_dir = Some(PathBuf::from("w"))
    }),
    ("--auto-create-repository", |o| {
        o.create_projects = Some(Visibility::Public)
    }),
    ("--verify --insecure", |o| {
        o.fuse.verify = Verify::Full;
        o.fuse.connect.access.insecure = true;
    }),
    ("--skip-dependencies --print-images", |_| {}),
    ("--from-date 2024-01-01", |_| {}),
];

/// The installer's own options. Its `-j` chooses steps.
pub(super) const INSTALLER: &[Case] = &[("-m manifest.yaml -d -j13", |_| {}), ("-j 11,12", |_| {})];
