//! What a scalar means, and how a text is written so that it means itself.

use super::Style;

/// A scalar's meaning. Numbers stay as they are written: a version `1.10` is not 1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(&'a str),
    Float(&'a str),
    Str(&'a str),
}

impl<'a> Scalar<'a> {
    /// What a plain scalar means.
    pub(super) fn of_plain(text: &'a str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
                return Self::Bool(true);
            }
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
                return Self::Bool(false);
            }
            _ => {}
        }
        if is_int(text) {
            Self::Int(text)
        } else if is_float(text) {
            Self::Float(text)
        } else {
            Self::Str(text)
        }
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

/// Digits, with the underscores that YAML 1.1 allows between them.
fn is_digits(text: &str, radix: u32) -> bool {
    text.starts_with(|c: char| c.is_digit(radix))
        && text.chars().all(|c| c.is_digit(radix) || c == '_')
}

fn is_int(text: &str) -> bool {
    let text = unsigned(text);
    let prefixed = |prefix: &str, radix| {
        let digits = text.strip_prefix(prefix);
        digits.is_some_and(|digits| is_digits(digits, radix))
    };
    is_digits(text, 10) || prefixed("0x", 16) || prefixed("0o", 8) || prefixed("0b", 2)
}

fn is_float(text: &str) -> bool {
    let text = unsigned(text);
    if matches!(text, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(unsigned(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.is_empty() || is_digits(text, 10);
    let some = !whole.is_empty() || !fraction.is_empty();
    some && digits(whole) && digits(fraction) && exponent.is_none_or(|e| is_digits(e, 10))
}

/// Whether some parser of YAML 1.1 or 1.2 takes the plain word for something other than a text.
fn is_ambiguous(text: &str) -> bool {
    let sexagesimal = || {
        let text = unsigned(text);
        let allowed = |c: char| c.is_ascii_digit() || matches!(c, ':' | '_' | '.');
        text.contains(':') && text.chars().all(allowed) && text.matches('.').count() < 2
    };
    let year = || {
        let (year, rest) = text.split_at_checked(4).unwrap_or_default();
        is_digits(year, 10) && rest.starts_with('-')
    };
    let letter = matches!(text, "y" | "Y" | "n" | "N" | "=" | "<<");
    letter || sexagesimal() || year() || !matches!(Scalar::of_plain(text), Scalar::Str(_))
}

/// `text` as a scalar that means just it: in `style` if that can write it, else in double quotes.
pub(super) fn written(text: &str, style: Style, flow: bool) -> String {
    let printable = !text.chars().any(|c| c.is_control() || c == '\u{feff}');
    match style {
        Style::Plain if is_plain(text, flow) => text.to_owned(),
        Style::Single if printable => format!("'{}'", text.replace('\'', "''")),
        _ => quoted(text),
    }
}

/// Whether `text` needs no quotes anywhere, or outside of brackets. Rather too strict: quotes harm
/// nobody.
fn is_plain(text: &str, flow: bool) -> bool {
    let first = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '.');
    let rest = |c: char| first(c) || matches!(c, '-' | '+' | '@') || (c == ':' && !flow);
    text.starts_with(first) && text.chars().all(rest) && !text.ends_with(':') && !is_ambiguous(text)
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
