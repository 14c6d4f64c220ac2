//! How errors look: one line, and what to do next on a line of its own.

use fusion_core::Error;
use fusion_core::report::ErrorReport;

use crate::color::Paint;
use crate::output::text::clean;

/// `error: …`, a blank line, `hint: …`.
pub(crate) fn render(error: &Error, paint: Paint) -> String {
    lines(&error.to_string(), error.get_hint(), paint)
}

/// The same for the failure of one image, `subject`.
pub(crate) fn render_part(subject: &str, error: &ErrorReport, paint: Paint) -> String {
    let message = format!("{subject}: {}", error.message);
    lines(&message, error.hint.as_deref(), paint)
}

fn lines(message: &str, hint: Option<&str>, paint: Paint) -> String {
    let mut text = format!("{} {}\n", paint.error("error:"), clean(message));
    if let Some(hint) = hint {
        text.push_str(&format!("\n{} {}\n", paint.hint("hint:"), clean(hint)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use fusion_core::ErrorKind;

    #[test]
    fn the_hint_stands_on_a_line_of_its_own() {
        let error = Error::new(ErrorKind::Conflict, "two images").hint("choose `--on-conflict`");
        assert_eq!(
            render(&error, Paint::PLAIN),
            "error: two images\n\nhint: choose `--on-conflict`\n"
        );
    }

    #[test]
    fn names_from_archives_cannot_drive_the_terminal() {
        let error = Error::new(ErrorKind::InvalidArchive, "bad").member("a\x1b[2Jb\nerror: c");
        assert_eq!(
            render(&error, Paint::PLAIN),
            "error: member `a\\u{1b}[2Jb\\nerror: c`: bad\n"
        );
    }
}
