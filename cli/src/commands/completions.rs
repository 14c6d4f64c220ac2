//! `fusion completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::console::Console;

/// Prints the completions for `shell`.
pub(crate) fn run(shell: Shell, console: &mut Console<'_>) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "fusion", &mut script);
    super::print(&String::from_utf8_lossy(&script), console)
}
