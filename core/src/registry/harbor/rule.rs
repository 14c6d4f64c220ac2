//! Immutable tag rules.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::pattern::fits;

/// A rule that keeps tags from pointing at something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    repositories: Selector,
    tags: Selector,
}

/// What a pattern chooses, or leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Selector {
    pattern: String,
    excludes: bool,
}

/// `ImmutableRule` of the description.
#[derive(Deserialize)]
pub(super) struct Document {
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    tag_selectors: Vec<Choice>,
    #[serde(default)]
    scope_selectors: BTreeMap<String, Vec<Choice>>,
}

/// `ImmutableSelector`.
#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    decoration: String,
    #[serde(default)]
    pattern: String,
}

impl Rule {
    /// The rule of a document, if it is in force; Harbor reads the first selectors only.
    pub(super) fn in_force(document: Document) -> Option<Self> {
        let repositories = document.scope_selectors.get("repository")?.first()?;
        let tags = document.tag_selectors.first()?;
        (!document.disabled).then_some(())?;
        Some(Self {
            repositories: repositories.selector("repoMatches", "repoExcludes")?,
            tags: tags.selector("matches", "excludes")?,
        })
    }

    /// Whether it holds that tag, once it is there. The repository is its whole name, project
    /// included.
    #[must_use]
    pub fn matches(&self, repository: &str, tag: &str) -> bool {
        let inside = repository.split_once('/').map_or("", |(_, inside)| inside);
        self.repositories.chooses(inside) && self.tags.chooses(tag)
    }
}

impl Choice {
    /// A decoration of neither name is one that we do not know, and no reason to guess.
    fn selector(&self, matches: &str, excludes: &str) -> Option<Selector> {
        let known = self.decoration == matches || self.decoration == excludes;
        known.then(|| Selector {
            pattern: self.pattern.clone(),
            excludes: self.decoration == excludes,
        })
    }
}

impl Selector {
    fn chooses(&self, text: &str) -> bool {
        fits(&self.pattern, text) != self.excludes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(repositories: (&str, &str), tags: (&str, &str), disabled: bool) -> Option<Rule> {
        let document = format!(
            r#"{{"id": 1, "disabled": {disabled}, "params": {{}},
                "tag_selectors": [{{"kind": "doublestar", "decoration": "{}", "pattern": "{}"}}],
                "scope_selectors": {{"repository":
                    [{{"kind": "doublestar", "decoration": "{}", "pattern": "{}"}}]}}}}"#,
            tags.0, tags.1, repositories.0, repositories.1
        );
        Rule::in_force(serde_json::from_str(&document).expect("JSON"))
    }

    #[test]
    fn a_rule_holds_the_tags_of_the_repositories_that_it_chooses() {
        let held = rule(("repoMatches", "web/**"), ("excludes", "dev-*"), false).expect("in force");
        assert!(held.matches("addons/web/a/b", "1.0"));
        assert!(!held.matches("addons/web/a/b", "dev-1"));
        assert!(!held.matches("addons/app", "1.0"));
        assert!(
            !held.matches("web/app", "1.0"),
            "the project does not count"
        );
        let others =
            rule(("repoExcludes", "{app,web}"), ("matches", "**"), false).expect("in force");
        assert!(others.matches("p/other", "x") && !others.matches("p/web", "x"));
    }

    #[test]
    fn a_rule_that_is_off_or_not_understood_holds_nothing() {
        assert_eq!(rule(("repoMatches", "**"), ("matches", "**"), true), None);
        assert_eq!(rule(("nsMatches", "**"), ("matches", "**"), false), None);
        let empty: Document = serde_json::from_str("{}").expect("JSON");
        assert_eq!(Rule::in_force(empty), None);
    }
}
