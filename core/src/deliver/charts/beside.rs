//! A chart beside the one of that version that its repository has.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::chart::Chart;

/// How two charts of one version differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// Not at all.
    None,
    /// In digests that their values pin.
    Pins,
    /// In these files, too.
    Files(Vec<String>),
}

/// How `ours` differs from `theirs`. How they were packaged does not count: whoever saves a chart
/// writes its `Chart.yaml` anew. Where ours is not the `whole` chart, what it lacks does not count.
pub(super) fn compare(ours: &Chart, whole: bool, theirs: &Chart) -> Difference {
    let theirs_too = theirs.files().keys().filter(|_| whole);
    let names: BTreeSet<&String> = ours.files().keys().chain(theirs_too).collect();
    let mut pins = false;
    let mut differing = Vec::new();
    for name in names {
        let (mine, other) = (ours.files().get(name), theirs.files().get(name));
        let (Some(mine), Some(other)) = (mine, other) else {
            differing.push(name.clone());
            continue;
        };
        if mine == other || (name == "Chart.yaml" && ours.metadata_json() == theirs.metadata_json())
        {
            continue;
        }
        match without_pins(mine) == without_pins(other) {
            true => pins = true,
            false => differing.push(name.clone()),
        }
    }
    match (differing.is_empty(), pins) {
        (true, false) => Difference::None,
        (true, true) => Difference::Pins,
        (false, _) => Difference::Files(differing),
    }
}

/// `text` with every digest in it blanked.
fn without_pins(text: &[u8]) -> Cow<'_, [u8]> {
    const MARK: &[u8] = b"sha256:";
    const LENGTH: usize = 64;
    let mut blanked: Cow<'_, [u8]> = Cow::Borrowed(text);
    let mut at = 0;
    while let Some(next) = find(&text[at..], MARK) {
        let start = at + next + MARK.len();
        let hex = text[start..]
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit());
        if hex.take(LENGTH).count() == LENGTH {
            blanked.to_mut()[start..start + LENGTH].fill(b'0');
        }
        at = start;
    }
    blanked
}

fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    text.windows(mark.len()).position(|window| window == mark)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn chart(values: &str, metadata: &str) -> Chart {
        let files = [("Chart.yaml", metadata), ("values.yaml", values)];
        let files: BTreeMap<String, Vec<u8>> = files
            .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
            .into();
        Chart::from_files(files, "a test").expect("a chart")
    }

    #[test]
    fn digests_and_the_way_of_writing_do_not_count() {
        let pin = |digit: &str| format!("image: a@sha256:{}\n", digit.repeat(64));
        let one = chart(&pin("1"), "apiVersion: v2\nname: a\nversion: 1.0.0\n");
        let same = chart(&pin("1"), "version: 1.0.0\nname: a\napiVersion: v2\n");
        let other = chart(&pin("2"), "apiVersion: v2\nname: a\nversion: 1.0.0\n");
        let values = chart("image: b\n", "apiVersion: v2\nname: a\nversion: 1.0.0\n");
        assert_eq!(compare(&one, true, &same), Difference::None);
        assert_eq!(compare(&one, true, &other), Difference::Pins);
        let files = vec!["values.yaml".to_owned()];
        assert_eq!(compare(&one, true, &values), Difference::Files(files));
    }
}
