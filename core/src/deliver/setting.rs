//! A configuration in YAML: its settings by their full names, and errors that name line and
//! setting.

mod address;
mod fields;
mod nearest;
mod sheet;

use std::borrow::Cow;

pub(super) use address::{Address, Scheme, registry, repository_address};
pub(super) use fields::Fields;
pub(super) use sheet::Sheet;

use crate::error::{Error, Result};
use crate::report::Warning;
use crate::yaml::{Node, Scalar};

/// A setting and its value.
#[derive(Clone)]
pub(super) struct Setting<'a> {
    sheet: &'a Sheet,
    name: String,
    key: Cow<'a, str>,
    line: usize,
    node: Node<'a>,
}

impl<'a> Setting<'a> {
    /// The whole of a sheet, which has no name.
    fn top(sheet: &'a Sheet, node: Node<'a>) -> Self {
        Self {
            sheet,
            name: String::new(),
            key: Cow::Borrowed(""),
            line: node.line(),
            node,
        }
    }

    /// The full name: `target.repo.kind`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where it stands.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// An error about it: `why` is what follows its name.
    pub(super) fn wrong(&self, why: impl std::fmt::Display) -> Error {
        let Self { line, name, .. } = self;
        self.sheet.wrong(format!("line {line}: `{name}` {why}"))
    }

    /// A warning about it: `what` is what follows its name.
    pub(super) fn warning(&self, code: &'static str, what: impl std::fmt::Display) -> Warning {
        Warning {
            reference: None,
            code,
            message: format!("{}: `{}` {what}", self.place(), self.name),
        }
    }

    /// File and line, for messages that stand by themselves.
    pub(super) fn place(&self) -> String {
        format!("`{}`: line {}", self.sheet.path.display(), self.line)
    }

    fn wrong_kind(&self, wanted: &str) -> Error {
        let is = self.node.kind_name();
        self.wrong(format!("is {is}, where {wanted} is wanted"))
    }

    /// Its text; numbers as they are written, so that a version `1.10` stays that.
    pub(super) fn text(&self) -> Result<&'a str> {
        self.node.as_str().ok_or_else(|| {
            let error = self.wrong_kind("a text");
            match self.node.items() {
                Some(_) => error.hint("write it without brackets, or dashes"),
                None => error,
            }
        })
    }

    /// Whether it is switched on.
    pub(super) fn flag(&self) -> Result<bool> {
        match self.node.scalar() {
            Some(Scalar::Bool(value)) => Ok(value),
            _ => Err(self.wrong_kind("`true` or `false`")),
        }
    }

    /// The port that it is.
    pub(super) fn port(&self) -> Result<u16> {
        let port = self.text()?.parse().ok().filter(|port| *port != 0);
        port.ok_or_else(|| self.wrong("is no port: those are numbers from 1 to 65535"))
    }

    /// Whether it is a list.
    pub(super) fn is_list(&self) -> bool {
        self.node.items().is_some()
    }

    /// Whether it is a single value.
    pub(super) fn is_text(&self) -> bool {
        self.node.as_str().is_some()
    }

    /// The items of the list that it is.
    pub(super) fn items(&self) -> Result<Vec<Self>> {
        let items = self.node.items();
        let items = items.ok_or_else(|| self.wrong_kind("a list"))?;
        let item = |(number, node): (usize, Node<'a>)| Setting {
            sheet: self.sheet,
            name: format!("{}[{number}]", self.name),
            key: self.key.clone(),
            line: node.line(),
            node,
        };
        Ok(items.enumerate().map(item).collect())
    }

    /// The settings below it.
    pub(super) fn fields(&self) -> Result<Fields<'a>> {
        let entries = self.node.entries();
        let entries = entries.ok_or_else(|| self.wrong_kind("a block of settings"))?;
        let mut fields = Fields {
            of: self.clone(),
            entries: Vec::new(),
        };
        for (key, value) in entries {
            let Some(written) = key.as_str() else {
                let message = format!(
                    "line {}: the name of a setting is wanted, and there is {}",
                    key.line(),
                    key.kind_name()
                );
                return Err(self.sheet.wrong(message));
            };
            let name = match self.name.as_str() {
                "" => written.to_owned(),
                section => format!("{section}.{written}"),
            };
            let field = Setting {
                sheet: self.sheet,
                name,
                key: camel(written),
                line: key.line(),
                node: value,
            };
            if let Some(other) = fields.entry(&field.key) {
                let why = format!(
                    "is there already, in line {}, as `{}`",
                    other.line, other.name
                );
                return Err(field.wrong(why));
            }
            fields.entries.push(field);
        }
        Ok(fields)
    }

    /// The same setting by a name that the list of settings has.
    fn listed(&self) -> String {
        let mut listed = String::new();
        let mut inside = false;
        for letter in self.name.chars() {
            inside = match letter {
                '[' => true,
                ']' => false,
                _ => inside,
            };
            if !inside || letter == '[' {
                listed.push(letter);
            }
        }
        listed
    }

    /// The setting that was probably meant, and whether it belongs elsewhere.
    fn meant(&self, known: &[&'static str]) -> Option<(String, bool)> {
        let elsewhere = self.sheet.elsewhere(&self.name, &self.key);
        if let [first, rest @ ..] = elsewhere.as_slice() {
            let more = rest.iter().map(|name| format!(" or `{name}`"));
            return Some((format!("`{first}`{}", more.collect::<String>()), true));
        }
        let near = nearest::nearest(&self.key, known.iter().copied())?;
        Some((format!("`{near}`"), false))
    }

    fn unknown(&self, known: &[&'static str]) -> Error {
        match self.meant(known) {
            Some((meant, false)) => self.wrong(format!("is no setting: did you mean {meant}?")),
            Some((meant, true)) => self
                .wrong(format!("is no setting: did you mean {meant}?"))
                .hint("mind how far the line is indented"),
            None => {
                let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                let hint = format!("there are {}", names.join(", "));
                self.wrong("is no setting").hint(hint)
            }
        }
    }
}

/// The one of `words` that `word` is; the error, about `setting`, names the nearest.
pub(super) fn one_of<'w>(
    setting: &Setting<'_>,
    word: &str,
    words: &[&'w str],
    what: &str,
) -> Result<&'w str> {
    if let Some(found) = words.iter().find(|known| **known == word) {
        return Ok(found);
    }
    let near = nearest::nearest(word, words.iter().copied());
    let meant = near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
    let list: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    Err(setting
        .wrong(format!("is `{word}`, which is no {what}{meant}"))
        .hint(format!("there are {}", list.join(", "))))
}

/// `container_registry` as `containerRegistry`: both spellings are read, as protobuf has it.
fn camel(key: &str) -> Cow<'_, str> {
    if !key.contains('_') {
        return Cow::Borrowed(key);
    }
    let mut parts = key.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    Cow::Owned(camel)
}

#[cfg(test)]
mod tests;
