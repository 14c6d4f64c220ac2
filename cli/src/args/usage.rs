//! Mistakes in the command line, as errors like any other.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind as Clap};
use fusion_core::{Error, ErrorKind};

/// The error for what clap refused; `command` is the one whose help helps.
pub(crate) fn usage_error(refused: &clap::Error, command: &str) -> Error {
    let option = first(refused, ContextKind::InvalidArg).map(|text| name(&text));
    let option = option.as_deref().unwrap_or("an argument");
    let value = first(refused, ContextKind::InvalidValue).unwrap_or_default();
    let error = |message: String| Error::new(ErrorKind::Usage, message);
    let built = match refused.kind() {
        Clap::ValueValidation => match refused.source() {
            Some(cause) => {
                let built = error(format!("`{option}`: {cause}"));
                match cause.downcast_ref::<Error>().and_then(Error::get_hint) {
                    Some(hint) => built.hint(hint),
                    None => built,
                }
            }
            None => error(format!("`{value}` is no value for `{option}`")),
        },
        Clap::InvalidValue => {
            let message = if value.is_empty() {
                format!("`{option}` needs a value")
            } else {
                format!("`{value}` is no value for `{option}`")
            };
            match all(refused, ContextKind::ValidValue).as_slice() {
                [] => error(message),
                words => error(message).hint(format!("write one of {}", words.join(", "))),
            }
        }
        // The value is not shown: somebody may have written a password.
        Clap::TooManyValues => error(format!("`{option}` takes no value")),
        Clap::UnknownArgument => suggest(
            error(format!("there is no option `{option}` here")),
            refused,
            ContextKind::SuggestedArg,
        ),
        Clap::InvalidSubcommand => {
            let verb = first(refused, ContextKind::InvalidSubcommand).unwrap_or_default();
            suggest(
                error(format!("there is no command `{verb}`")),
                refused,
                ContextKind::SuggestedSubcommand,
            )
        }
        Clap::MissingRequiredArgument => {
            let missing = all(refused, ContextKind::InvalidArg);
            let mut missing: Vec<_> = missing.iter().map(|text| format!("`{text}`")).collect();
            // Sources first, as people write them.
            missing.sort_by_key(|text| text.starts_with("`-"));
            error(format!("missing {}", missing.join(" and ")))
        }
        Clap::ArgumentConflict => {
            match all(refused, ContextKind::PriorArg).first().map(|a| name(a)) {
                Some(prior) if prior == option => error(format!("`{option}` is there twice")),
                Some(prior) => error(format!("`{option}` and `{prior}` exclude each other")),
                None => error(format!("`{option}` excludes another argument")),
            }
        }
        _ => error(plain(refused)),
    };
    built.hint(format!("try `{command} --help`"))
}

fn suggest(error: Error, refused: &clap::Error, kind: ContextKind) -> Error {
    match all(refused, kind).first() {
        Some(suggested) => error.hint(format!("did you mean `{suggested}`?")),
        None => error,
    }
}

/// `--platform <PLATFORM>` → `--platform`, `--tls-verify[=<BOOL>]` → `--tls-verify`; positional arguments lose their dots only.
fn name(text: &str) -> String {
    match text.split_once([' ', '[']) {
        Some((option, _)) if option.starts_with('-') => option.to_owned(),
        _ => text.trim_end_matches('.').to_owned(),
    }
}

fn first(refused: &clap::Error, kind: ContextKind) -> Option<String> {
    all(refused, kind).into_iter().next()
}

fn all(refused: &clap::Error, kind: ContextKind) -> Vec<String> {
    match refused.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// Clap's first line in our manner.
fn plain(refused: &clap::Error) -> String {
    let text = refused.render().to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ")
        .unwrap_or(line)
        .replace('\'', "`")
}
