//! The verbs.

pub(crate) mod completions;
pub(crate) mod fuse;
pub(crate) mod index;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod push;
pub(crate) mod verify;

use crate::color::{Paint, When};
use crate::console::Console;
use crate::errors;

/// Prints a text that is the whole result, and returns the exit status.
pub(crate) fn print(text: &str, console: &mut Console<'_>) -> u8 {
    match console.print(text) {
        Ok(()) => 0,
        Err(error) => {
            let paint = Paint::new(When::Auto, console.err_terminal);
            console.tell(&errors::render(&error, paint));
            error.kind().exit_status()
        }
    }
}
