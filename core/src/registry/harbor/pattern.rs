//! Patterns as Harbor reads them (its selectors of the kind `doublestar`).

/// How many patterns the braces of one may stand for: rules come from the registry, and no rule of
/// a person needs more.
const MOST: usize = 1000;

/// Whether `text` fits `pattern`: `*` and `?` stop at slashes, `**` between slashes stands for any
/// folders, `{a,b}` is one of these, and an empty pattern fits everything.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    if pattern.is_empty() {
        return true;
    }
    let text: Vec<char> = text.chars().collect();
    let mut open = vec![pattern.to_owned()];
    let mut seen = 0;
    while let Some(pattern) = open.pop() {
        seen += 1;
        if seen > MOST {
            return false;
        }
        match braces(&pattern) {
            Some((before, words, after)) => {
                let words = words.split(',').take(MOST);
                open.extend(words.map(|word| format!("{before}{word}{after}")));
            }
            None if one(&pattern, &text) => return true,
            None => {}
        }
    }
    false
}

fn braces(pattern: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = pattern.split_once('{')?;
    let (words, after) = rest.split_once('}')?;
    Some((before, words, after))
}

/// Compares column by column, so that stars in a row cost no more than others: `reached[n]` is
/// whether what was read of the pattern fits the first `n` letters.
fn one(pattern: &str, text: &[char]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    let mut rest = pattern;
    let mut first = true;
    while let Some(letter) = rest.chars().next() {
        let tail = &rest[letter.len_utf8()..];
        if first && rest == "**" {
            stars(&mut reached, text, true);
            break;
        }
        if first && rest.starts_with("**/") {
            folders(&mut reached, text);
            rest = &rest[3..];
            continue;
        }
        first = letter == '/';
        rest = tail;
        if letter == '*' {
            stars(&mut reached, text, false);
            continue;
        }
        let escaped = tail.chars().next().filter(|_| letter == '\\');
        rest = &rest[escaped.map_or(0, char::len_utf8)..];
        for at in (0..text.len()).rev() {
            let any = letter == '?' && text[at] != '/';
            let same = any || text[at] == escaped.unwrap_or(letter);
            reached[at + 1] = reached[at] && same;
        }
        reached[0] = false;
    }
    reached[text.len()]
}

/// Any letters; slashes only `across` folders.
fn stars(reached: &mut [bool], text: &[char], across: bool) {
    for at in 0..text.len() {
        reached[at + 1] |= reached[at] && (across || text[at] != '/');
    }
}

/// Any number of folders, none too, each with its slash.
fn folders(reached: &mut [bool], text: &[char]) {
    let mut within = false;
    for at in 0..text.len() {
        within |= reached[at];
        reached[at + 1] |= within && text[at] == '/';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_harbors_do() {
        for (pattern, fit, other) in [
            ("**", &["", "a", "a/b"][..], &[][..]),
            ("", &["", "a/b"], &[]),
            ("*", &["", "a"], &["a/b"]),
            ("v*", &["v", "v1.0"], &["1v", "v/1"]),
            ("web/**", &["web/", "web/a/b"], &["web", "webs/a"]),
            ("{app,web/*}", &["app", "web/a"], &["web/a/b", "web"]),
            ("{a,b}-{1,2}", &["a-1", "b-2"], &["a-3", "a"]),
            ("1.?", &["1.0"], &["1.10", "1./"]),
            ("a{b", &["a{b"], &["ab"]),
            ("**/x", &["x", "a/x", "a/b/x"], &["a/xy", "yx"]),
            ("a/**/x", &["a/x", "a/b/c/x"], &["ax", "a/bx"]),
            // Two stars among others are one.
            ("a**", &["a", "abc"], &["a/b"]),
            (r"1\*", &["1*"], &["11"]),
            ("release-*-é", &["release-1-é"], &["release-1-e"]),
        ] {
            for text in fit {
                assert!(fits(pattern, text), "{pattern:?} {text:?}");
            }
            for text in other {
                assert!(!fits(pattern, text), "{pattern:?} {text:?}");
            }
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let text = "a".repeat(250);
        assert!(!fits(
            &"*a".repeat(120).replace("aa", "a").repeat(20),
            &text
        ));
        assert!(!fits(&"{a,b}".repeat(40), "x"));
        assert!(!fits(&format!("{{{}}}", "a,".repeat(5000)), "x"));
    }
}
