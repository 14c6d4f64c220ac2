//! The grammar: clap's own check, defaults, and every option's way into the engine's options.

mod cases;

use std::path::PathBuf;

use clap::{CommandFactory, Parser};
use fusion_core::deliver::{DeliverOptions, Names};
use fusion_core::fuse::OnExisting;
use fusion_core::oci::Platform;
use fusion_core::registry::Connect;

use super::*;
use cases::{CHARTS, Case, FUSE, INDEX, INSTALLER, JOBS, NAMES, REGISTRY, SHARED, SYNCER};

fn fuse(line: &str) -> Box<FuseArgs> {
    let args = ["fusion", "fuse", "a.tar", "-o", "b.tar"];
    let args = args.into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(args).expect(line).verb {
        Verb::Fuse(args) => args,
        other => panic!("{line}: {other:?}"),
    }
}

fn push(line: &str) -> Box<PushArgs> {
    let args = ["fusion", "push", "a.tar", "--to", "h.local/p"];
    let args = args.into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(args).expect(line).verb {
        Verb::Push(args) => args,
        other => panic!("{line}: {other:?}"),
    }
}

fn sync(line: &str) -> Box<SyncArgs> {
    let args = ["fusion", "sync", "-c", "load-image.yaml"];
    let args = args.into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(args).expect(line).verb {
        Verb::Sync(args) => args,
        other => panic!("{line}: {other:?}"),
    }
}

fn import(line: &str) -> Box<ImportAddonArgs> {
    let args = ["fusion", "import-addon", "--config=clusterConfig.yaml"];
    let args = args.into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(args).expect(line).verb {
        Verb::ImportAddon(args) => args,
        other => panic!("{line}: {other:?}"),
    }
}

fn index(line: &str) -> Box<IndexCreateArgs> {
    let args = ["fusion", "index", "create", "h.local/a:1"];
    let args = args.into_iter().chain(line.split_whitespace());
    match Cli::try_parse_from(args).expect(line).verb {
        Verb::Index(IndexVerb::Create(args)) => args,
        other => panic!("{line}: {other:?}"),
    }
}

/// With the access that the options say; the environment says nothing.
fn connect(args: &ConnectArgs) -> Connect {
    Connect {
        access: args.access(),
        ..Connect::default()
    }
}

fn of_fuse(line: &str) -> DeliverOptions {
    let args = fuse(line);
    args.options(connect(&args.connect))
}

fn of_push(line: &str) -> DeliverOptions {
    let args = push(line);
    args.options(connect(&args.connect))
}

fn of_sync(line: &str) -> DeliverOptions {
    sync(line).chosen()
}

fn of_import(line: &str) -> DeliverOptions {
    import(line).chosen()
}

fn of_index(line: &str) -> DeliverOptions {
    let args = index(line);
    args.options(connect(&args.connect))
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
    let shown = |options: &DeliverOptions| format!("{options:?}");
    let mut defaults = DeliverOptions::default();
    assert_eq!(shown(&of_index("")), shown(&defaults));
    defaults.names = Some(Names::Path);
    assert_eq!(shown(&of_fuse("")), shown(&defaults));
    defaults.fuse.on_existing = Some(OnExisting::Merge);
    assert_eq!(shown(&of_push("")), shown(&defaults));
    // What the configuration says stands.
    defaults.names = None;
    for options in [of_sync(""), of_import("")] {
        assert_eq!(shown(&options), shown(&defaults));
    }
}

#[test]
fn each_option_arrives_in_the_engine() {
    type Parse = fn(&str) -> DeliverOptions;
    let verbs: [(Parse, &[&[Case]]); 5] = [
        (of_fuse, &[SHARED, JOBS, REGISTRY, NAMES, FUSE]),
        (of_push, &[SHARED, JOBS, REGISTRY, NAMES]),
        (of_sync, &[SHARED, JOBS, REGISTRY, NAMES, CHARTS, SYNCER]),
        (of_import, &[SHARED, REGISTRY, NAMES, CHARTS, INSTALLER]),
        (of_index, &[REGISTRY, JOBS, INDEX]),
    ];
    for (options, tables) in verbs {
        for (line, set) in tables.iter().copied().flatten() {
            let mut expected = options("");
            set(&mut expected);
            assert_eq!(
                format!("{:?}", options(line)),
                format!("{expected:?}"),
                "{line}"
            );
        }
    }
}

#[test]
fn names_of_places_are_read() {
    assert_eq!(push("").to, "h.local/p");
    let args = index("h.local/b:1=linux/arm64 oci:dir:c:1");
    assert_eq!(args.target, "h.local/a:1");
    assert_eq!(args.sources, ["h.local/b:1=linux/arm64", "oci:dir:c:1"]);
}

#[test]
fn configurations_and_packages_are_named() {
    let args = sync("--source a.tar --source b/ --values v.yaml");
    assert_eq!(args.config, PathBuf::from("load-image.yaml"));
    assert_eq!(args.named(), ["a.tar", "b/", "v.yaml", "load-image.yaml"]);
    let options = args.options().expect("no standard input");
    let spelled: Vec<_> = (options.charts.sources.iter())
        .map(|source| source.spelled.as_str())
        .collect();
    assert_eq!(spelled, ["a.tar", "b/"]);
    for line in [
        "--addon-path=a.tar --addon-path b.tar",
        "--source a.tar --addon-path=b.tar",
    ] {
        let args = import(line);
        assert_eq!(args.packages, ["a.tar", "b.tar"], "{line}");
        assert!(args.options().expect("options").charts.sources.is_empty());
    }
}

#[test]
fn what_is_without_effect_is_said() {
    assert!(
        sync("--print-images --skip-dependencies")
            .without_effect()
            .is_empty()
    );
    let told = sync("--from-date 2024-01-01").without_effect();
    assert!(
        told.len() == 1 && told[0].starts_with("`--from-date` "),
        "{told:?}"
    );
    assert!(import("--jobs 3").without_effect().is_empty());
    let told = import("-m manifest.yaml -d -j13").without_effect();
    let starts = ["`-m` ", "`-d` ", "`-j` "];
    assert_eq!(told.len(), starts.len());
    for (line, start) in told.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
}

#[test]
fn what_other_commands_call_it_is_taken_and_not_shown() {
    let mut command = Cli::command();
    command.build();
    for verb in ["sync", "import-addon"] {
        let verb = command.find_subcommand_mut(verb).expect("a verb");
        let help = verb.render_long_help().to_string();
        assert!(help.contains("--on-existing-chart"), "{help}");
        for hidden in ["--workdir", "--from-date", "--manifest", "--durability"] {
            assert!(!help.contains(hidden), "{help}");
        }
    }
}

#[test]
fn push_takes_what_only_files_have_and_does_not_show_it() {
    let mut command = Cli::command();
    command.build();
    let push = command.find_subcommand_mut("push").expect("a verb");
    let help = push.render_long_help().to_string();
    assert!(help.contains("--create-projects"), "{help}");
    for hidden in ["--durability", "--docker-platform", "--on-file-conflict"] {
        assert!(!help.contains(hidden), "{help}");
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
            "fusion push a",
            "missing `--to <HOST[:PORT][/PREFIX]>` [try `fusion fuse --help`]",
        ),
        (
            "fusion push a --to h --retries x",
            "`--retries`: `x` is not a number from 0 on [try `fusion fuse --help`]",
        ),
        (
            "fusion push a --to h --create-projects=maybe",
            "`maybe` is no value for `--create-projects` [write one of public, private]",
        ),
        (
            "fusion push a --to h --username me",
            "missing `--password-stdin` [try `fusion fuse --help`]",
        ),
        (
            "fusion push a --to h --password-stdin=hunter2",
            "`--password-stdin` takes no value [try `fusion fuse --help`]",
        ),
        (
            "fusion push a --to h --password x",
            "there is no option `--password` here [did you mean `--password-stdin`?]",
        ),
        (
            "fusion sync",
            "missing `--config <FILE>` [try `fusion fuse --help`]",
        ),
        (
            "fusion sync a.yaml",
            "there is no option `a.yaml` here [try `fusion fuse --help`]",
        ),
        (
            "fusion import-addon -c a --values web=",
            "`--values`: no file is named [write `FILE` or `CHART=FILE`]",
        ),
        (
            "fusion import-addons -c a",
            "there is no command `import-addons` [did you mean `import-addon`?]",
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
    let seen = Peek::at(&args("fusion index create --appendd"));
    assert_eq!(seen.command(), "fusion index create");
    assert_eq!(Peek::at(&args("fusion index")).command(), "fusion index");
    for verb in ["fusion push", "fusion sync", "fusion import-addon"] {
        assert_eq!(Peek::at(&args(&format!("{verb} -x"))).command(), verb);
    }
}
