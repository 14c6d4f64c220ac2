//! What somebody probably meant.

/// The one of `known` that `word` is a slip of the fingers away from, if any is.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let typed: Vec<char> = word.to_lowercase().chars().take(LONGEST + 1).collect();
    if typed.len() > LONGEST {
        return None;
    }
    let far = |candidate: &str| {
        let candidate: Vec<char> = candidate.to_lowercase().chars().collect();
        (slips(&typed, &candidate), candidate.len())
    };
    known
        .into_iter()
        .map(|candidate| (far(candidate), candidate))
        .filter(|((slips, length), _)| *slips <= length.min(&typed.len()).div_ceil(4))
        .min_by_key(|((slips, _), _)| *slips)
        .map(|(_, candidate)| candidate)
}

/// What is longer is no slip of anything.
const LONGEST: usize = 64;

/// How many letters have to be put in, left out, changed, or swapped with the next, to get from
/// `a` to `b`.
fn slips(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = above[j] + usize::from(x != y);
            let mut best = changed.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *y && b[j - 1] == *x {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = [
            "kind",
            "url",
            "auth",
            "containerRegistry",
            "containerRepository",
        ];
        for (word, meant) in [
            ("kindd", Some("kind")),
            ("Kind", Some("kind")),
            ("knid", Some("kind")),
            ("ulr", Some("url")),
            ("containerRegsitry", Some("containerRegistry")),
            ("containerregistry", Some("containerRegistry")),
            ("containersRepository", Some("containerRepository")),
            ("password", None),
            ("u", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        assert_eq!(nearest(&"k".repeat(1 << 20), known), None);
    }
}
