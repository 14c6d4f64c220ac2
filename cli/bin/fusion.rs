//! The `fusion` command: hands its arguments to `fusion-cli` and exits with its status.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(fusion_cli::run(std::env::args_os()))
}
