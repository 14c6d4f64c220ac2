//! The header `WWW-Authenticate` (RFC 9110 §11.6.1).

use ureq::http::Uri;

use super::super::net::Answer;
use super::super::url;

/// What a registry wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A user and password.
    Basic,
    /// A token.
    Bearer {
        /// Where tokens are to be had.
        realm: Uri,
        /// Who the token is for.
        service: String,
        /// What the token must allow.
        scope: Vec<String>,
    },
}

impl Challenge {
    /// The challenge in an answer: tokens, if there is a choice.
    pub(super) fn of(answer: &Answer) -> Option<Self> {
        let headers = answer.headers.get_all("WWW-Authenticate");
        let values = headers.iter().filter_map(|value| value.to_str().ok());
        let mut found = None;
        for value in values {
            match parse(value, &answer.uri) {
                Some(Self::Basic) => found = found.or(Some(Self::Basic)),
                Some(bearer) => return Some(bearer),
                None => {}
            }
        }
        found
    }
}

/// One header, which may have several challenges: tokens, if there is a choice.
fn parse(value: &str, base: &Uri) -> Option<Challenge> {
    let after = |scheme: &str| {
        let mut starts = starts(value).filter_map(|at| value.get(at..));
        starts.find_map(|rest| {
            let (word, given) = rest.split_at_checked(scheme.len())?;
            let ends = given.is_empty() || given.starts_with([' ', '\t', ',']);
            (word.eq_ignore_ascii_case(scheme) && ends).then_some(given)
        })
    };
    let bearer = after("bearer").and_then(|given| {
        let given = parameters(given);
        let get = |name: &str| {
            let found = given.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        let realm = get("realm").filter(|realm| !realm.is_empty())?;
        let realm = url::join(base, realm)?;
        let scope = get("scope").unwrap_or_default();
        Some(Challenge::Bearer {
            realm,
            service: get("service").unwrap_or_default().to_owned(),
            scope: scope.split_whitespace().map(str::to_owned).collect(),
        })
    });
    bearer.or_else(|| after("basic").map(|_| Challenge::Basic))
}

/// Where a challenge may begin: at the start, and after each comma that is not quoted.
fn starts(value: &str) -> impl Iterator<Item = usize> {
    let (mut quoted, mut escaped, mut due) = (false, false, true);
    value.char_indices().filter_map(move |(at, letter)| {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => due = true,
            ' ' | '\t' => {}
            _ if due => {
                due = false;
                return Some(at);
            }
            _ => {}
        }
        None
    })
}

/// `name="value", name=value`, names in lower case.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',', '\t']).to_ascii_lowercase();
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => {
                let mut value = String::new();
                let mut letters = quoted.char_indices();
                let mut end = quoted.len();
                while let Some((at, letter)) = letters.next() {
                    match letter {
                        '"' => {
                            end = at + 1;
                            break;
                        }
                        '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
                        letter => value.push(letter),
                    }
                }
                (value, &quoted[end..])
            }
            None => {
                let end = after.find(',').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        found.push((name, value));
        rest = left;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Option<Challenge> {
        parse(value, &"https://h/v2/".parse().expect("valid"))
    }

    #[test]
    fn a_bearer_challenge_says_where_for_whom_and_what() {
        let value = r#"Bearer realm="https://a/t?x=1",service="harbor \"r\"",scope="repository:a/b:pull,push registry:catalog:*",error="x""#;
        let Some(Challenge::Bearer {
            realm,
            service,
            scope,
        }) = of(value)
        else {
            panic!("not understood");
        };
        assert_eq!(realm.to_string(), "https://a/t?x=1");
        assert_eq!(service, "harbor \"r\"");
        assert_eq!(scope, ["repository:a/b:pull,push", "registry:catalog:*"]);
    }

    #[test]
    fn odd_spellings_are_understood_and_nonsense_is_not() {
        assert!(matches!(
            of("bearer realm=/t , service=s"),
            Some(Challenge::Bearer { .. })
        ));
        assert_eq!(of(r#"Basic realm="Registry""#), Some(Challenge::Basic));
        let two = r#"Negotiate, Basic realm="x""#;
        assert_eq!(of(two), Some(Challenge::Basic));
        let quoted = r#"Basic realm="Token, Bearer service""#;
        assert_eq!(of(quoted), Some(Challenge::Basic));
        assert!(matches!(
            of(r#"Basic realm="x", Bearer realm="/t",service=s"#),
            Some(Challenge::Bearer { .. })
        ));
        for nonsense in [
            "",
            "Digest realm=x",
            "Bearer",
            "Bearer service=s",
            "Bearer realm=\"\\",
        ] {
            assert_eq!(of(nonsense), None, "{nonsense}");
        }
    }
}
