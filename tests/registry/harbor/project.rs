//! A project: its quota, what it holds, its immutable tags.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::pattern::fits;

/// One immutable tag rule, of patterns with `*`, `**` and `{a,b}`.
#[derive(Clone, Debug)]
pub(crate) struct Immutable {
    pub(crate) repositories: String,
    pub(crate) repositories_excluded: bool,
    pub(crate) tags: String,
    pub(crate) tags_excluded: bool,
    pub(crate) disabled: bool,
}

impl Immutable {
    pub(crate) fn new(repositories: &str, tags: &str) -> Self {
        Self {
            repositories: repositories.to_owned(),
            repositories_excluded: false,
            tags: tags.to_owned(),
            tags_excluded: false,
            disabled: false,
        }
    }

    /// Whether that tag is immutable; the repository is without its project.
    fn holds(&self, repository: &str, tag: &str) -> bool {
        !self.disabled
            && fits(&self.repositories, repository) != self.repositories_excluded
            && fits(&self.tags, tag) != self.tags_excluded
    }

    /// `ImmutableRule` of the description.
    fn json(&self, id: usize) -> Value {
        let word = |excluded, matches: &str, excludes: &str| match excluded {
            true => excludes.to_owned(),
            false => matches.to_owned(),
        };
        json!({
            "id": id, "priority": 0, "disabled": self.disabled,
            "action": "immutable", "template": "immutable_template", "params": {},
            "tag_selectors": [{
                "kind": "doublestar", "pattern": self.tags,
                "decoration": word(self.tags_excluded, "matches", "excludes"),
            }],
            "scope_selectors": {"repository": [{
                "kind": "doublestar", "pattern": self.repositories,
                "decoration": word(self.repositories_excluded, "repoMatches", "repoExcludes"),
            }]},
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) id: usize,
    pub(crate) name: String,
    pub(crate) public: bool,
    /// Bytes it may hold; -1 in the description where there is no limit.
    pub(crate) hard: Option<u64>,
    pub(crate) used: u64,
    pub(crate) immutable: Vec<Immutable>,
    /// What is in `used` already, by digest.
    pub(crate) counted: BTreeSet<String>,
}

impl Project {
    /// Private, empty, without limits.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            id: 0,
            name: name.to_owned(),
            public: false,
            hard: None,
            used: 0,
            immutable: Vec::new(),
            counted: BTreeSet::new(),
        }
    }

    pub(crate) fn public(mut self) -> Self {
        self.public = true;
        self
    }

    pub(crate) fn quota(mut self, hard: u64, used: u64) -> Self {
        (self.hard, self.used) = (Some(hard), used);
        self
    }

    pub(crate) fn immutable(mut self, rule: Immutable) -> Self {
        self.immutable.push(rule);
        self
    }

    pub(crate) fn holds_still(&self, repository: &str, tag: &str) -> bool {
        let inside = repository.split_once('/').map_or("", |(_, inside)| inside);
        self.immutable.iter().any(|rule| rule.holds(inside, tag))
    }

    /// What Harbor says where `more` bytes are too many.
    pub(crate) fn refusal(&self, more: u64) -> Option<String> {
        let hard = self.hard.filter(|hard| self.used + more > *hard)?;
        Some(format!(
            "adding {} of storage resource, which when updated to current usage of {} will exceed \
             the configured upper limit of {}.",
            shown(more),
            shown(self.used),
            shown(hard)
        ))
    }

    /// `Project` of the description.
    pub(crate) fn json(&self) -> Value {
        json!({
            "project_id": self.id, "name": self.name, "owner_id": 1, "owner_name": "admin",
            "deleted": false, "repo_count": 0,
            "metadata": {"public": self.public.to_string()},
        })
    }

    /// `hard` and `used` of the description's quotas.
    pub(crate) fn quota_json(&self) -> Value {
        let hard = self.hard.map_or(json!(-1), |hard| json!(hard));
        json!({"hard": {"storage": hard}, "used": {"storage": self.used}})
    }

    pub(crate) fn rules_json(&self) -> Value {
        let rules = self.immutable.iter().enumerate();
        rules.map(|(at, rule)| rule.json(at + 1)).collect()
    }
}

/// Bytes as Harbor writes them: `8.3 MiB`.
fn shown(bytes: u64) -> String {
    let (mut unit, mut scale) = ("B", 1);
    for (name, power) in [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)] {
        if bytes >= 1 << power {
            (unit, scale) = (name, 1 << power);
        }
    }
    let tenths = (bytes * 10 + scale / 2) / scale;
    match scale {
        1 => format!("{bytes} B"),
        _ => format!("{}.{} {unit}", tenths / 10, tenths % 10),
    }
}
