//! Colour: on terminals, unless `NO_COLOR` or `--color` says otherwise. It never carries meaning
//! of its own.

use clap::ValueEnum;

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, if `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Paints words, or leaves them alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint(bool);

impl Paint {
    /// Leaves everything alone.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self(false);

    /// Paints everything.
    #[cfg(test)]
    pub(crate) const ALWAYS: Self = Self(true);

    /// The paint for a stream: `terminal` says whether it is one.
    pub(crate) fn new(when: When, terminal: bool) -> Self {
        Self(match when {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                let unset = |name| std::env::var_os(name).is_none_or(|value| value.is_empty());
                terminal
                    && unset("NO_COLOR")
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        })
    }

    /// Whether words are painted.
    pub(crate) const fn enabled(self) -> bool {
        self.0
    }

    /// For errors.
    pub(crate) fn error(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    /// For warnings.
    pub(crate) fn warning(self, text: &str) -> String {
        self.wrap("1;33", text)
    }

    /// For hints.
    pub(crate) fn hint(self, text: &str) -> String {
        self.wrap("1;36", text)
    }

    /// For what matters most.
    pub(crate) fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// For what matters least.
    pub(crate) fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
