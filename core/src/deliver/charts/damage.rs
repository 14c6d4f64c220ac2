//! Bundles that are damaged: those that cannot even be told to be some, and the charts that lack
//! them.

use std::collections::BTreeMap;

use super::bundles::Found;
use crate::container::NESTED;
use crate::error::{Error, ErrorKind};
use crate::fuse::input::Opened;
use crate::package::{Damaged, Kind, Level};

/// What the names of bundles end in.
const BUNDLE: &str = ".bundle.tar";

/// Files that are called as bundles are and hold none: to pass them over would be to lose a chart.
pub(super) fn strays(sources: &[Opened]) -> Vec<Damaged> {
    let mut strays = Vec::new();
    for opened in sources {
        look(opened, &opened.source.root, &mut strays);
    }
    strays
}

fn look(opened: &Opened, level: &Level, strays: &mut Vec<Damaged>) {
    for item in &level.items {
        match &item.kind {
            Kind::File(member) if item.name.ends_with(BUNDLE) => {
                let message = "no chart bundle, though it is called as one";
                let error = Error::new(ErrorKind::InvalidArchive, message)
                    .hint("the file is damaged: fetch it again; rename it if it is something else");
                strays.push(Damaged {
                    place: level.members.label(&opened.source.location, &item.name),
                    chart: None,
                    error: level.members.place(member).blame(error),
                });
            }
            Kind::Nested { level, .. } => look(opened, level, strays),
            _ => {}
        }
    }
}

/// Those of `charts` of which a damaged file was a bundle too, by their labels, with an error: they
/// would lack an architecture.
pub(super) fn troubled(charts: &[Found<'_>], damaged: &[Damaged]) -> BTreeMap<String, Error> {
    let mut troubled = BTreeMap::new();
    for chart in charts.iter().filter(|chart| chart.with_images) {
        if let Some(damaged) = damaged.iter().find(|damaged| is_of(damaged, chart)) {
            let message = format!(
                "another bundle of the chart is damaged, `{}`: the images of an architecture are \
                 missing",
                damaged.place
            );
            let error = Error::new(damaged.error.kind(), message)
                .hint("fetch or make that bundle again, or take it out of the sources");
            troubled.insert(chart.label(), error);
        }
    }
    troubled
}

/// Whether a damaged file was a bundle of `chart`: it still says so, or is called as its bundles are.
fn is_of(damaged: &Damaged, chart: &Found<'_>) -> bool {
    if let Some(of) = &damaged.chart {
        return of.name == chart.name && of.version == chart.version;
    }
    let name = last(&damaged.place);
    chart.places.iter().any(|place| last(place) == name)
        || ["_", "-"].iter().any(|between| {
            let start = format!("{}{between}{}", chart.name, chart.version);
            let rest = name.strip_prefix(&start);
            rest.is_some_and(|rest| !continues(rest))
        })
}

/// Whether a version goes on with `rest`: `.1` of `1.5.1` behind `1.5`.
fn continues(rest: &str) -> bool {
    let mut rest = rest.chars();
    match rest.next() {
        Some('.') => rest.next().is_some_and(|next| next.is_ascii_digit()),
        Some(next) => next.is_ascii_alphanumeric() || next == '+',
        None => false,
    }
}

/// The file name at the end of a place.
fn last(place: &str) -> &str {
    let file = place.rsplit(NESTED).next().unwrap_or(place);
    file.rsplit('/').next().unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_go_on_are_others() {
        for (rest, goes_on) in [
            (".bundle.tar", false),
            ("-arm64.bundle.tar", false),
            ("", false),
            (".1.bundle.tar", true),
            ("0.bundle.tar", true),
            ("rc1.tar", true),
        ] {
            assert_eq!(continues(rest), goes_on, "{rest}");
        }
    }

    #[test]
    fn the_name_of_a_file_is_the_end_of_its_place() {
        assert_eq!(last("in › arm64/app_1.bundle.tar"), "app_1.bundle.tar");
        assert_eq!(last("packages/app.tar"), "app.tar");
    }
}
