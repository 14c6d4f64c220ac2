//! `docs/cli.md` names every option, kind and status.

use clap::CommandFactory;
use fusion_core::ErrorKind;

use crate::args::{Cli, EXIT_STATUS};
use crate::commands::man::verbs;

const PAGE: &str = include_str!("../../../docs/cli.md");

#[test]
fn every_long_option_is_documented() {
    let mut command = Cli::command();
    command.build();
    for verb in std::iter::once(&command).chain(verbs(&command)) {
        for long in verb.get_arguments().filter_map(clap::Arg::get_long) {
            let option = format!("`--{long}");
            assert!(PAGE.contains(&option), "{option}` of `{}`", verb.get_name());
        }
    }
}

#[test]
fn every_verb_is_documented() {
    let mut command = Cli::command();
    command.build();
    for verb in verbs(&command) {
        let name = verb.get_bin_name().expect("built");
        let line = format!("    {name}");
        assert!(PAGE.contains(&line), "{line}");
    }
}

#[test]
fn every_kind_stands_beside_its_status() {
    for kind in ErrorKind::ALL {
        let status = kind.exit_status();
        let row = PAGE
            .lines()
            .find(|line| line.starts_with(&format!("| {status} |")))
            .unwrap_or_else(|| panic!("no row for {status}"));
        assert!(row.contains(&format!("`{kind}`")), "{kind} in {row}");
        let listed = EXIT_STATUS
            .lines()
            .any(|line| line.split_whitespace().next() == Some(&status.to_string()));
        assert!(listed, "{status} is missing in the help");
    }
}
