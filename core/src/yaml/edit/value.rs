//! A scalar becomes another.

use super::super::scalar::written;
use super::super::{Kind, Part, Scalar, Style};
use super::{Place, VALUE, Work};

impl Work<'_> {
    /// The scalar of `place` becomes the text `value`.
    pub(super) fn set(&mut self, place: Place<'_>, value: &str) {
        let part = self.document.part(place.at);
        let Kind::Scalar { text, style } = &part.kind else {
            return;
        };
        // Written as it is, it means the same already: a tag `1.10` that stays.
        let means = Scalar::of_plain(text) != Scalar::Null || *style != Style::Plain;
        if text == value && means {
            return;
        }
        self.put(place, &written(value, *style, place.flow));
    }

    /// Puts `spelled` in the place of a scalar, behind its anchor; a tag goes with what it told of.
    pub(super) fn put(&mut self, place: Place<'_>, spelled: &str) {
        let part = self.document.part(place.at);
        let text = &self.document.text;
        let anchor = part.anchor.and_then(|(start, end)| text.get(start..end));
        let (start, end) = match &part.kind {
            _ if is_absent(part) && part.outset == part.start => {
                let (at, colon) = self.behind_colon(place);
                let lead = if colon { " " } else { ": " };
                self.patch(at, at, VALUE, format!("{lead}{spelled}"));
                return;
            }
            Kind::Scalar {
                style: Style::Block,
                ..
            } => {
                let header = self.block_header(place);
                let written = text.get(header..part.end).unwrap_or_default();
                (header, header + written.trim_end().len())
            }
            _ => (part.start, part.end),
        };
        let spelled = match anchor {
            Some(anchor) => format!("{anchor} {spelled}"),
            None => spelled.to_owned(),
        };
        self.patch(part.outset.min(start), end, VALUE, spelled);
    }

    /// Takes the anchor away that `put` wrote, once nothing refers to it.
    pub(super) fn drop_anchor(&mut self, at: usize) {
        let part = self.document.part(at);
        let Some((start, end)) = part.anchor else {
            return;
        };
        let anchor = self.document.text.get(start..end).unwrap_or_default();
        let own = |patch: &&mut super::Patch| patch.start == part.outset && patch.rank == VALUE;
        if matches!(part.kind, Kind::Scalar { .. })
            && let Some(patch) = self.patches.iter_mut().find(own)
            && let Some(rest) = patch.text.strip_prefix(anchor)
        {
            patch.text = rest.trim_start().to_owned();
        }
    }

    /// Behind the colon of the key, or behind the key that has none.
    fn behind_colon(&self, place: Place<'_>) -> (usize, bool) {
        let key = place.key.map(|key| self.document.part(key).end);
        let Some(from) = key else {
            return (self.document.part(place.at).start, true);
        };
        let rest = self.document.text.get(from..).unwrap_or_default();
        let gap = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        match rest.get(gap..).is_some_and(|rest| rest.starts_with(':')) {
            true => (from + gap + 1, true),
            false => (from, false),
        }
    }

    /// Where the `|` or `>` of a block scalar stands: in front of the content, which is where the
    /// parser begins to count.
    fn block_header(&self, place: Place<'_>) -> usize {
        let part = self.document.part(place.at);
        let key = place.key.map_or(0, |key| self.document.part(key).end);
        let from = part.anchor.map_or(key, |(_, end)| end.max(key));
        let mut comment = false;
        for (at, letter) in self
            .document
            .text
            .get(from..)
            .unwrap_or_default()
            .char_indices()
        {
            match letter {
                '\n' | '\r' => comment = false,
                '#' => comment = true,
                '|' | '>' if !comment => return from + at,
                _ => {}
            }
        }
        part.start
    }
}

/// Whether a value is nothing because nothing is written there.
pub(super) fn is_absent(part: &Part) -> bool {
    let plain = |kind: &Kind| matches!(kind, Kind::Scalar { style, .. } if *style == Style::Plain);
    part.start == part.end && plain(&part.kind)
}
