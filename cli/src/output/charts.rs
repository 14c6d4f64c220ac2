//! The charts of a run, and saved values that were brought along, for people.

use fusion_core::report::{CarriedValues, Chart, Report};

use super::report::verb;
use super::text::{clean, columns, count};
use crate::color::Paint;

/// One line a chart: what became of it, what all of its images run on, and where it is; then what
/// changed in saved values.
pub(super) fn human(report: &Report, paint: Paint) -> String {
    let mut shown = String::new();
    if !report.charts.is_empty() {
        let rows = match report.command {
            "sync" | "import-addon" => published(&report.charts, report.dry_run),
            _ => listed(&report.charts),
        };
        let title = paint.strong(&count(report.charts.len() as u64, "chart"));
        shown.push_str(&format!("{title}\n{rows}\n"));
    }
    for carried in &report.values {
        shown.push_str(&values(carried, report.dry_run, paint));
        shown.push('\n');
    }
    shown
}

/// Charts that went to a chart repository.
fn published(charts: &[Chart], dry_run: bool) -> String {
    let rows: Vec<_> = charts
        .iter()
        .map(|chart| {
            let [name, platforms, location] = cells(chart);
            let action = verb(chart.action, dry_run).to_owned();
            [action, name, platforms, location]
        })
        .collect();
    columns("  ", &rows)
}

/// Charts that went along with their images.
fn listed(charts: &[Chart]) -> String {
    let rows: Vec<_> = charts.iter().map(cells).collect();
    columns("  ", &rows)
}

fn cells(chart: &Chart) -> [String; 3] {
    let platforms: Vec<_> = chart.platforms.iter().map(|name| clean(name)).collect();
    [
        format!("{} {}", clean(&chart.name), clean(&chart.version)),
        platforms.join(", "),
        clean(&chart.location).into_owned(),
    ]
}

/// A line for each value that changed, and for each that names an image and stays.
fn values(carried: &CarriedValues, dry_run: bool, paint: Paint) -> String {
    let (path, chart) = (clean(&carried.path), clean(&carried.chart));
    let changed = count(carried.changes.len() as u64, "value");
    let done = match (carried.changes.is_empty(), dry_run) {
        (true, _) => "nothing to change".to_owned(),
        (false, false) => format!("{changed} changed"),
        (false, true) => format!("{changed} would change"),
    };
    let title = paint.strong(&format!("`{path}`, values of {chart}: {done}"));
    let old = |old: &Option<String>| match old {
        Some(old) => clean(old).into_owned(),
        None => "(not there)".to_owned(),
    };
    let rows: Vec<_> = carried
        .changes
        .iter()
        .map(|change| {
            [
                clean(&change.key).into_owned(),
                old(&change.old),
                format!("-> {}", clean(&change.new)),
            ]
        })
        .collect();
    let mut shown = format!("{title}\n{}", columns("  ", &rows));
    for kept in &carried.kept {
        let (key, value, why) = (clean(&kept.key), clean(&kept.value), clean(&kept.why));
        shown.push_str(&format!("  {key} stays `{value}`: {why}\n"));
    }
    shown
}
