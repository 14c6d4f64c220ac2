//! From arguments to a verb, and from what cannot be parsed to a message.

use std::ffi::OsString;

use clap::Parser;
use clap::error::ErrorKind as Clap;
use fusion_core::report::{Inspection, Report, Verification};

use crate::args::{Cli, IndexVerb, Peek, Verb, usage_error};
use crate::color::Paint;
use crate::commands;
use crate::console::Console;
use crate::errors;
use crate::output::{Document, blank_source};

/// The exit status of wrong usage.
const USAGE: u8 = 2;

/// Runs the command line `args`.
pub(crate) fn run(args: &[OsString], console: &mut Console<'_>) -> u8 {
    match Cli::try_parse_from(args) {
        Ok(cli) => match cli.verb {
            Verb::Fuse(args) => commands::fuse::run(&args, console),
            Verb::Push(args) => commands::push::run(&args, console),
            Verb::Sync(args) => commands::sync::run(&args, console),
            Verb::ImportAddon(args) => commands::addon::run(&args, console),
            Verb::Index(IndexVerb::Create(args)) => commands::index::run(&args, console),
            Verb::Inspect(args) => commands::inspect::run(&args, console),
            Verb::Verify(args) => commands::verify::run(&args, console),
            Verb::Completions { shell } => commands::completions::run(shell, console),
            Verb::Man => commands::man::run(console),
        },
        Err(refused) => refuse(&refused, &Peek::at(args), console),
    }
}

/// Shows help, or says what is wrong with the arguments.
fn refuse(refused: &clap::Error, seen: &Peek, console: &mut Console<'_>) -> u8 {
    let help = matches!(refused.kind(), Clap::DisplayHelp | Clap::DisplayVersion);
    let asked_nothing = refused.kind() == Clap::DisplayHelpOnMissingArgumentOrSubcommand;
    if help || asked_nothing {
        let terminal = if help {
            console.out_terminal
        } else {
            console.err_terminal
        };
        let shown = if Paint::new(seen.color, terminal).enabled() {
            refused.render().ansi().to_string()
        } else {
            refused.render().to_string()
        };
        if asked_nothing {
            console.tell(&shown);
            return USAGE;
        }
        return commands::print(&shown, console);
    }
    let error = usage_error(refused, &seen.command());
    if seen.json {
        let document = match seen.verb.as_deref() {
            Some("inspect") => failed(Inspection::new(blank_source("")), &error),
            Some("verify") => failed(Verification::new(Vec::new()), &error),
            Some("fuse") => failed(Report::new("fuse"), &error),
            Some("push") => failed(Report::new("push"), &error),
            Some("sync") => failed(Report::new("sync"), &error),
            Some("import-addon") => failed(Report::new("import-addon"), &error),
            Some("index" | "index create") => failed(Report::new("index create"), &error),
            _ => failed(Report::new("fusion"), &error),
        };
        // The exit status tells already that something is wrong.
        let _ = console.print(&document);
    }
    let paint = Paint::new(seen.color, console.err_terminal);
    console.tell(&errors::render(&error, paint));
    USAGE
}

fn failed(mut document: impl Document, error: &fusion_core::Error) -> String {
    document.fail(error);
    document.json()
}
