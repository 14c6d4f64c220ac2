//! Patterns of selectors, of the kind that the API calls `doublestar`.

/// Whether `text` fits: `*` and `?` stop at slashes, `**` is any folders, `{a,b}` is either.
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

/// Folder by folder, as the library does that Harbor uses.
fn one_fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let text: Vec<&str> = text.split('/').collect();
    folders_fit(&pattern, &text)
}

fn folders_fit(pattern: &[&str], text: &[&str]) -> bool {
    match (pattern, text) {
        (["**"], names) => !names.is_empty(),
        (["**", rest @ ..], _) => (0..=text.len()).any(|at| folders_fit(rest, &text[at..])),
        ([one, rest @ ..], [name, names @ ..]) => name_fits(one, name) && folders_fit(rest, names),
        ([], []) => true,
        _ => false,
    }
}

fn name_fits(pattern: &str, name: &str) -> bool {
    let Some(letter) = pattern.chars().next() else {
        return name.is_empty();
    };
    let rest = &pattern[letter.len_utf8()..];
    let next = name.chars().next();
    let tail = next.map_or("", |next| &name[next.len_utf8()..]);
    match letter {
        '*' => name_fits(rest, name) || (next.is_some() && name_fits(pattern, tail)),
        '?' => next.is_some() && name_fits(rest, tail),
        _ => next == Some(letter) && name_fits(rest, tail),
    }
}
