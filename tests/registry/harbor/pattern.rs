//! Patterns of selectors, of the kind that the API calls `doublestar`.

/// Whether `text` fits: `*` and `?` stop at slashes, `**` does not, `{a,b}` is either.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    if pattern.is_empty() {
        return true;
    }
    alternatives(pattern).iter().any(|one| one_fits(one, text))
}

fn alternatives(pattern: &str) -> Vec<String> {
    let braces = pattern
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    match braces {
        None => vec![pattern.to_owned()],
        Some((before, (inside, after))) => {
            let one = |word| alternatives(&format!("{before}{word}{after}"));
            inside.split(',').flat_map(one).collect()
        }
    }
}

fn one_fits(pattern: &str, text: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix("**") {
        return (0..=text.len()).any(|at| one_fits(rest, &text[at..]));
    }
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    match (pattern.next(), text.clone().next()) {
        (None, None) => true,
        (Some('*'), next) => {
            one_fits(pattern.as_str(), text.as_str())
                || (next.is_some_and(|letter| letter != '/') && {
                    text.next();
                    one_fits(&format!("*{}", pattern.as_str()), text.as_str())
                })
        }
        (Some(wanted), Some(letter)) if wanted == letter || (wanted == '?' && letter != '/') => {
            text.next();
            one_fits(pattern.as_str(), text.as_str())
        }
        _ => false,
    }
}
