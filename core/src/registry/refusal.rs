//! What a registry says when it refuses (distribution specification, "Error Codes").

use serde_json::Value;

use super::net::Answer;
use crate::error::{Error, ErrorKind};
use crate::limits;

/// How much of a registry's own words is passed on.
const WORDS: usize = 300;

/// What a registry said: its codes and words.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    /// Its name for the failure, of the first one it lists.
    pub(super) code: Option<String>,
    /// Its words, cleaned and cut.
    words: String,
}

impl Refusal {
    /// Reads a body that came with a bad status.
    pub(super) fn of(body: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            let text = String::from_utf8_lossy(body);
            // A page for people tells no more than its status.
            let page = text.trim_start().starts_with('<');
            return Self {
                code: None,
                words: if page { String::new() } else { clean(&text) },
            };
        };
        let text =
            |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let listed = value.get("errors").and_then(Value::as_array);
        let mut words = Vec::new();
        for error in listed.into_iter().flatten().take(4) {
            let mut said = text(error, "message").unwrap_or_default();
            match error.get("detail") {
                None | Some(Value::Null) => {}
                Some(Value::String(detail)) => said = format!("{said} ({detail})"),
                // Which manifest or scope: the registry's own structure, cut below.
                Some(detail) => said = format!("{said} ({detail})"),
            }
            words.push(said);
        }
        let first = listed.and_then(|errors| errors.first());
        // Token servers answer otherwise: `{"details": …}`, OAuth2's `error_description`.
        for key in ["details", "error_description", "message", "error"] {
            if words.is_empty() {
                words.extend(text(&value, key));
            }
        }
        Self {
            code: first
                .and_then(|error| text(error, "code"))
                .map(|code| clean(&code)),
            words: clean(&words.join("; ")),
        }
    }
}

/// Text fit for one line of a terminal.
pub(super) fn clean(text: &str) -> String {
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let joined: String = printable.collect::<String>();
    let joined = joined.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut cut: String = joined.chars().take(WORDS).collect();
    if cut.len() < joined.len() {
        cut.push('…');
    }
    cut
}

/// The error of an answer that is no success: `doing` says what was asked, as `cannot put …`.
pub(super) fn refused(mut answer: Answer, doing: &str) -> Error {
    let body = answer.bytes(limits::MAX_REFUSAL).unwrap_or_default();
    let server = answer.server.clone();
    error(answer.status, &Refusal::of(&body), doing, &server)
}

/// The error of a refusal that has been read already.
pub(super) fn told(status: u16, body: &[u8], doing: &str, server: &str) -> Error {
    error(status, &Refusal::of(body), doing, server)
}

fn error(status: u16, refusal: &Refusal, doing: &str, server: &str) -> Error {
    let code = refusal.code.as_deref();
    let kind = match (status, code) {
        (401, _) | (_, Some("UNAUTHORIZED")) => ErrorKind::Unauthorized,
        (403 | 412, _) | (_, Some("DENIED")) => ErrorKind::Denied,
        _ => ErrorKind::Registry,
    };
    let named = code.map(|code| format!(" {code}")).unwrap_or_default();
    let words = match refusal.words.as_str() {
        "" => phrase(status).to_owned(),
        words => words.to_owned(),
    };
    let mut error = Error::new(kind, format!("{doing}: {words} ({status}{named})")).status(status);
    if let Some(code) = code {
        error = error.code(code);
    }
    match status {
        401 => error.hint(format!(
            "check user and password (`--username`, `--password-stdin`), or `docker login {server}`"
        )),
        413 => error.hint("a proxy before the registry allows no more at a time: raise its limit"),
        429 => error.hint("the registry is asked too often: try later, or with fewer `--jobs`"),
        _ => error,
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        400 => "bad request",
        401 => "unauthorized",
        403 => "denied",
        404 => "not found",
        405 => "not allowed",
        412 => "a condition of the registry is not met",
        413 => "too large",
        429 => "too many requests",
        500..=599 => "the registry failed",
        300..=399 => "redirected elsewhere",
        _ => "the registry refuses",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrys_own_words_are_passed_on_clean_and_short() {
        let long = "x".repeat(1000);
        let body = format!(
            r#"{{"errors":[{{"code":"DENIED","message":"no\u001b[31m way\n","detail":"{long}"}}]}}"#
        );
        let refusal = Refusal::of(body.as_bytes());
        let error = error(403, &refusal, "cannot put", "h");
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert_eq!(
            (error.get_status(), error.get_code()),
            (Some(403), Some("DENIED"))
        );
        let message = error.message();
        assert!(
            message.starts_with("cannot put: no [31m way (xxx"),
            "{message}"
        );
        assert!(message.ends_with("… (403 DENIED)") && message.chars().count() < 350);
    }

    #[test]
    fn what_is_no_json_is_told_if_it_is_no_page() {
        for (body, words) in [
            (&b"quota\r\nexceeded"[..], "quota exceeded"),
            (b"<html>413</html>", ""),
            (
                br#"{"details":"incorrect username or password"}"#,
                "incorrect username or password",
            ),
            (b"", ""),
            (b"\xff\x00", "\u{fffd}"),
        ] {
            assert_eq!(Refusal::of(body).words, words);
        }
    }

    #[test]
    fn kinds_follow_the_status_and_the_code() {
        let kind = |status, code: Option<&str>| {
            let refusal = Refusal {
                code: code.map(str::to_owned),
                words: String::new(),
            };
            error(status, &refusal, "x", "h").kind()
        };
        assert_eq!(kind(401, None), ErrorKind::Unauthorized);
        assert_eq!(kind(403, Some("UNAUTHORIZED")), ErrorKind::Unauthorized);
        assert_eq!(kind(412, None), ErrorKind::Denied);
        assert_eq!(kind(400, Some("MANIFEST_INVALID")), ErrorKind::Registry);
        assert_eq!(kind(503, None), ErrorKind::Registry);
    }
}
