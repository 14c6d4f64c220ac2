//! The settings of a section, by their names.

use super::{Setting, nearest};
use crate::error::{Error, Result};

/// The settings of one section.
pub(in crate::deliver) struct Fields<'a> {
    pub(super) of: Setting<'a>,
    pub(super) entries: Vec<Setting<'a>>,
}

impl<'a> Fields<'a> {
    /// The same, if all of them are known, or among `besides`.
    pub(in crate::deliver) fn known(self, besides: &[&str]) -> Result<Self> {
        let known = self.of.sheet.below(&self.of.listed());
        let is_known = |field: &&Setting<'_>| {
            let key: &str = &field.key;
            known.contains(&key) || besides.contains(&key)
        };
        match self.entries.iter().find(|field| !is_known(field)) {
            Some(field) => Err(field.unknown(&known)),
            None => Ok(self),
        }
    }

    /// Settings that are not known, and look like one that is, which is not there; with that one.
    pub(in crate::deliver) fn misspelt(&self) -> Vec<(&Setting<'a>, &'static str)> {
        let known = self.of.sheet.below(&self.of.listed());
        let absent = |name: &&str| self.entry(name).is_none();
        let unknown = self.entries.iter().filter(|f| !known.contains(&&*f.key));
        let near = |field: &'_ Setting<'a>| {
            let known = known.iter().copied().filter(|name| absent(name));
            nearest::nearest(&field.key, known)
        };
        unknown.filter_map(|f| Some((f, near(f)?))).collect()
    }

    /// The section itself.
    pub(in crate::deliver) fn itself(&self) -> &Setting<'a> {
        &self.of
    }

    /// What is there by that name, be it empty.
    pub(in crate::deliver) fn entry(&self, key: &str) -> Option<&Setting<'a>> {
        self.entries.iter().find(|field| field.key == key)
    }

    /// What is there by that name and not empty.
    pub(in crate::deliver) fn get(&self, key: &str) -> Option<&Setting<'a>> {
        self.entry(key).filter(|field| !field.node.is_null())
    }

    /// The section by that name, with nothing in it that is not known.
    pub(in crate::deliver) fn section(&self, key: &str) -> Result<Option<Self>> {
        let fields = self.fields(key)?;
        fields.map(|fields| fields.known(&[])).transpose()
    }

    /// The section by that name.
    pub(in crate::deliver) fn fields(&self, key: &str) -> Result<Option<Self>> {
        self.get(key).map(Setting::fields).transpose()
    }

    /// The setting by that name, if it is a text that is not empty.
    pub(in crate::deliver) fn filled(&self, key: &str) -> Result<Option<(&Setting<'a>, &'a str)>> {
        let Some(field) = self.get(key) else {
            return Ok(None);
        };
        let text = field.text()?;
        Ok((!text.is_empty()).then_some((field, text)))
    }

    /// The text by that name, if it is not empty.
    pub(in crate::deliver) fn text(&self, key: &str) -> Result<Option<&'a str>> {
        Ok(self.filled(key)?.map(|(_, text)| text))
    }

    /// Whether that one is switched on.
    pub(in crate::deliver) fn flag(&self, key: &str) -> Result<bool> {
        self.get(key).map_or(Ok(false), Setting::flag)
    }

    /// The items of that list.
    pub(in crate::deliver) fn items(&self, key: &str) -> Result<Vec<Setting<'a>>> {
        self.get(key).map_or(Ok(Vec::new()), Setting::items)
    }

    /// The error that `key` is not there.
    pub(in crate::deliver) fn lacks(&self, key: &str) -> Error {
        let error = match self.of.name.as_str() {
            "" => self.of.sheet.wrong(format!("there is no `{key}`")),
            _ => self.of.wrong(format!("has no `{key}`")),
        };
        match self.misspelt().into_iter().find(|(_, meant)| *meant == key) {
            Some((field, _)) => {
                let hint = format!("line {} has `{}`, which is none", field.line, field.name);
                error.hint(hint)
            }
            None => error,
        }
    }
}
