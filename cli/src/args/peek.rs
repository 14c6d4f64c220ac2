//! What a command line that cannot be parsed still tells: how to complain about it.

use std::ffi::OsString;

use crate::color::When;

/// What can be seen without parsing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Peek {
    /// The verb, if the first argument looks like one: `fuse`, `index create`.
    pub(crate) verb: Option<String>,
    /// Whether `--json` is there.
    pub(crate) json: bool,
    /// What `--color` says.
    pub(crate) color: When,
}

impl Peek {
    /// Looks at `args`, the program name first.
    pub(crate) fn at(args: &[OsString]) -> Self {
        let mut seen = Self::default();
        let words: Vec<_> = args
            .iter()
            .skip(1)
            .map(|arg| arg.to_string_lossy())
            .take_while(|word| word != "--")
            .collect();
        for (at, word) in words.iter().enumerate() {
            let next = words.get(at + 1).map_or("", |next| next);
            let color = match word.split_once('=') {
                Some(("--color", value)) => value,
                _ if word == "--color" => next,
                _ => "",
            };
            match color {
                "always" => seen.color = When::Always,
                "never" => seen.color = When::Never,
                _ => {}
            }
            seen.json |= word == "--json";
            match seen.verb.as_deref() {
                None if !word.starts_with('-') => seen.verb = Some(word.clone().into_owned()),
                // The one verb of two words.
                Some("index") if word == "create" => seen.verb = Some("index create".to_owned()),
                _ => {}
            }
        }
        seen
    }

    /// The command whose help helps.
    pub(crate) fn command(&self) -> String {
        match self.verb.as_deref() {
            Some(
                verb @ ("fuse" | "push" | "sync" | "import-addon" | "index" | "index create"
                | "inspect" | "verify" | "completions" | "man"),
            ) => format!("fusion {verb}"),
            _ => "fusion".to_owned(),
        }
    }
}
