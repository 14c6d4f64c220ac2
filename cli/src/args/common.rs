//! The options of every verb that works on archives.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values;
use crate::color::When;

/// How progress is shown on standard error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    /// A bar on a terminal, plain lines elsewhere; nothing for a run of less than a second.
    #[default]
    Auto,
    /// A bar, or lines where that is no terminal.
    Bar,
    /// Lines.
    Plain,
    /// One JSON object a line.
    Json,
    /// Nothing.
    None,
}

/// The options of every verb that works on archives.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// Threads that work [default: one a core]
    #[arg(short, long, value_name = "N", value_parser = values::jobs)]
    pub(crate) jobs: Option<usize>,

    /// Print one JSON document on standard output, also on failure, and nothing else
    #[arg(long)]
    pub(crate) json: bool,

    /// Write the same JSON document into FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// How to show progress on standard error
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        default_value_t,
        hide_possible_values = true,
        help = "How to show progress on standard error: auto, bar, plain, json (one event a line) \
                or none"
    )]
    pub(crate) progress: ProgressMode,

    /// Append a log to FILE, with at least the detail of `-vv`
    #[arg(long, value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,

    /// Show neither progress nor warnings on standard error, only errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Show more; `-vv` and `-vvv` show even more
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// When to use colour: auto, always or never; `NO_COLOR` is respected
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    pub(crate) color: When,
}
