//! The grammar: clap's own check, defaults, and every option's way into the engine's options.

use std::path::PathBuf;

use clap::{CommandFactory, Parser};
use fusion_core::fuse::{
    Compress, Durability, Format, FuseOptions, MediaTypes, OnConflict, OnExisting, OnFileConflict,
    Verify,
};
use fusion_core::oci::Platform;

use super::*;

fn fuse(line: &str) -> Box<FuseArgs> {
    let args = ["fusion", "fuse", "a.tar", "-o", "b.tar"];
    let args = args.into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(args).expect(line).verb {
        Verb::Fuse(args) => args,
        other => panic!("{line}: {other:?}"),
    }
}

fn complaint(line: &str) -> String {
    let refused = Cli::try_parse_from(line.split_whitespace()).expect_err(line);
    let error = usage_error(&refused, "fusion fuse");
    format!("{error} [{}]", error.get_hint().unwrap_or_default())
}

fn platform(text: &str) -> Platform {
    text.parse().expect(text)
}

#[test]
fn clap_finds_nothing_wrong() {
    Cli::command().debug_assert();
}

#[test]
fn without_options_the_engine_gets_its_defaults() {
    let options = fuse("").options();
    assert_eq!(
        format!("{options:?}"),
        format!("{:?}", FuseOptions::default())
    );
}

/// What a command line must set.
type Case = (&'static str, fn(&mut FuseOptions));

const CASES: &[Case] = &[
    ("--format oci", |o| o.format = Some(Format::Oci)),
    ("--format oci-archive", |o| {
        o.format = Some(Format::OciArchive)
    }),
    (
        "--platform linux/amd64,linux/arm64/v8 --platform linux/arm",
        |o| {
            o.platforms = vec![
                platform("linux/amd64"),
                platform("linux/arm64"),
                platform("linux/arm/v7"),
            ];
        },
    ),
    ("--require-platform linux/amd64", |o| {
        o.require_platforms = vec![platform("linux/amd64")];
    }),
    ("--image a* --image b,c", |o| {
        o.images = vec!["a*".into(), "b,c".into()]
    }),
    ("--exclude *:dev", |o| o.exclude = vec!["*:dev".into()]),
    ("--on-conflict first", |o| o.on_conflict = OnConflict::First),
    ("--on-file-conflict last", |o| {
        o.on_file_conflict = OnFileConflict::Last
    }),
    ("--on-existing merge", |o| o.on_existing = OnExisting::Merge),
    ("--source-platform x=y.tar=linux/arm64", |o| {
        o.source_platforms = vec![(PathBuf::from("x=y.tar"), platform("linux/arm64"))];
    }),
    ("--name app:1", |o| o.name = Some("app:1".into())),
    ("--strip-arch-suffix", |o| o.strip_arch_suffix = true),
    ("--rename a/=b/ --rename c/=", |o| {
        o.rename = vec![("a/".into(), "b/".into()), ("c/".into(), String::new())];
    }),
    ("--compression zstd:19", |o| {
        o.compression = Compress::Zstd(19)
    }),
    ("--media-types docker", |o| {
        o.media_types = MediaTypes::Docker
    }),
    ("--docker-platform linux/arm64", |o| {
        o.docker_platform = Some(platform("linux/arm64"));
    }),
    ("--verify full", |o| o.verify = Verify::Full),
    ("--annotation b=2=3 --annotation a=", |o| {
        o.annotations.insert("a".into(), String::new());
        o.annotations.insert("b".into(), "2=3".into());
    }),
    ("--durability rename", |o| o.durability = Durability::Rename),
    ("--work-dir w", |o| o.work_dir = Some(PathBuf::from("w"))),
    ("-j 3", |o| o.jobs = Some(3)),
    ("--jobs=4", |o| o.jobs = Some(4)),
    ("--dry-run", |o| o.dry_run = true),
    ("--keep-going", |o| o.keep_going = true),
    ("--clean", |o| o.clean = true),
];

#[test]
fn each_option_arrives_in_the_engine() {
    for (line, set) in CASES {
        let mut expected = FuseOptions::default();
        set(&mut expected);
        assert_eq!(
            format!("{:?}", fuse(line).options()),
            format!("{expected:?}"),
            "{line}"
        );
    }
}

#[test]
fn common_options_are_read() {
    let common = fuse("--json --report r --progress json --log-file l -vv --color never").common;
    assert!(common.json && !common.quiet);
    assert_eq!(
        (common.report, common.log_file),
        (Some("r".into()), Some("l".into()))
    );
    assert_eq!((common.progress, common.verbose), (ProgressMode::Json, 2));
    assert_eq!(common.color, crate::color::When::Never);
}

#[test]
fn a_plan_needs_no_destination() {
    assert!(Cli::try_parse_from(["fusion", "fuse", "a", "--dry-run"]).is_ok());
}

#[test]
fn mistakes_are_said_in_our_words() {
    for (line, said) in [
        (
            "fusion fuse",
            "missing `<SOURCE>...` and `--output <DEST>` [try `fusion fuse --help`]",
        ),
        (
            "fusion fuse a -o b --jobs 0",
            "`--jobs`: nothing gets done with 0 jobs [leave `--jobs` out for one thread a core]",
        ),
        (
            "fusion fuse a -o b --jobs x",
            "`--jobs`: `x` is not a number of threads [try `fusion fuse --help`]",
        ),
        (
            "fusion fuse a -o b --platfrom x",
            "there is no option `--platfrom` here [did you mean `--platform`?]",
        ),
        (
            "fusion fuse a -o b --on-conflict x",
            "`x` is no value for `--on-conflict` [write one of error, first, last]",
        ),
        (
            "fusion fuse a -o b --annotation x",
            "`--annotation`: `x` is not of the form KEY=VALUE [try `fusion fuse --help`]",
        ),
        (
            "fusion fuse a -o b --rename =x",
            "`--rename`: `=x` is not of the form FROM=TO [try `fusion fuse --help`]",
        ),
        (
            "fusion fuse a -o b -o c",
            "`--output` is there twice [try `fusion fuse --help`]",
        ),
        (
            "fusion fuse a -o b -q -v",
            "`--quiet` and `--verbose` exclude each other [try `fusion fuse --help`]",
        ),
        (
            "fusion fuse a -o",
            "`--output` needs a value [try `fusion fuse --help`]",
        ),
        (
            "fusion fuze",
            "there is no command `fuze` [did you mean `fuse`?]",
        ),
    ] {
        assert_eq!(complaint(line), said, "{line}");
    }
}

#[test]
fn what_cannot_be_parsed_still_tells_how_to_answer() {
    let args = |line: &str| {
        line.split_whitespace()
            .map(OsString::from)
            .collect::<Vec<_>>()
    };
    let seen = Peek::at(&args("fusion fuse --json --color=never --nonsense"));
    assert_eq!((seen.command().as_str(), seen.json), ("fusion fuse", true));
    assert_eq!(seen.color, crate::color::When::Never);
    assert!(!Peek::at(&args("fusion fuse -- --json")).json);
}
