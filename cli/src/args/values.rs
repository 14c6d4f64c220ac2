//! How values of options are read. Errors are the engine's, hints included.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use fusion_core::location::{Location, Transport};
use fusion_core::oci::Platform;
use fusion_core::{Error, ErrorKind, Result};

/// One of `words`, which help and completions list.
pub(super) fn word<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = Error> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|word| word.parse::<T>())
}

/// A number of threads.
pub(super) fn jobs(text: &str) -> Result<usize> {
    match text.parse() {
        Ok(0) => {
            Err(usage("nothing gets done with 0 jobs")
                .hint("leave `--jobs` out for one thread a core"))
        }
        Ok(jobs) => Ok(jobs),
        Err(_) => Err(usage(format!("`{text}` is not a number of threads"))),
    }
}

/// How often something is repeated.
pub(super) fn retries(text: &str) -> Result<u32> {
    text.parse()
        .map_err(|_| usage(format!("`{text}` is not a number from 0 on")))
}

/// `KEY=VALUE`.
pub(super) fn annotation(text: &str) -> Result<(String, String)> {
    pair(text, "KEY=VALUE")
}

/// `FROM=TO`.
pub(super) fn rename(text: &str) -> Result<(String, String)> {
    pair(text, "FROM=TO")
}

fn pair(text: &str, form: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((left, right)) if !left.is_empty() => Ok((left.to_owned(), right.to_owned())),
        _ => Err(usage(format!("`{text}` is not of the form {form}"))),
    }
}

/// `PATH=PLATFORM`; the path may have `=` in it.
pub(super) fn source_platform() -> impl TypedValueParser<Value = (PathBuf, Platform)> {
    OsStringValueParser::new().try_map(|text| split_source_platform(&text))
}

fn split_source_platform(text: &OsStr) -> Result<(PathBuf, Platform)> {
    let bytes = text.as_bytes();
    let Some(at) = bytes
        .iter()
        .rposition(|byte| *byte == b'=')
        .filter(|at| *at > 0)
    else {
        let shown = text.to_string_lossy();
        return Err(usage(format!("`{shown}` is not of the form PATH=PLATFORM"))
            .hint("write for example `images-arm64.tar=linux/arm64`"));
    };
    let path = PathBuf::from(OsStr::from_bytes(&bytes[..at]));
    let platform = String::from_utf8_lossy(&bytes[at + 1..]).parse()?;
    Ok((path, platform))
}

/// `[CHART=]FILE`. A path may hold an equals sign; the name of a chart holds no slash.
pub(super) fn saved_values() -> impl TypedValueParser<Value = (Option<String>, PathBuf)> {
    OsStringValueParser::new().try_map(|text| {
        let bytes = text.as_bytes();
        let at = bytes.iter().position(|byte| *byte == b'=');
        let chart = at.and_then(|at| std::str::from_utf8(&bytes[..at]).ok());
        let (chart, file) = match (chart, at) {
            (Some(chart), Some(at)) if !chart.is_empty() && !chart.contains('/') => {
                (Some(chart.to_owned()), &bytes[at + 1..])
            }
            _ => (None, bytes),
        };
        match file {
            [] => Err(usage("no file is named").hint("write `FILE` or `CHART=FILE`")),
            file => Ok((chart, PathBuf::from(OsStr::from_bytes(file)))),
        }
    })
}

/// The location that `text` names.
pub(crate) fn locate(text: &OsString) -> Result<Location> {
    Location::parse(text)
}

/// The locations that `texts` name; standard input at most once.
pub(crate) fn locate_all(texts: &[OsString]) -> Result<Vec<Location>> {
    let locations: Vec<_> = texts.iter().map(locate).collect::<Result<_>>()?;
    let standard = locations
        .iter()
        .filter(|location| location.transport == Transport::Standard);
    if standard.count() > 1 {
        return Err(usage("standard input can be read once only"));
    }
    Ok(locations)
}

fn usage(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Usage, message)
}
