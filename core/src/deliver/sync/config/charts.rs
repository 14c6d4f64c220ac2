//! Which charts: `charts` and `skipCharts`.

use super::exclusive;
use crate::deliver::charts::ChartChoice;
use crate::deliver::setting::{Fields, Setting};
use crate::error::Result;

/// The charts that are wanted, and the names of those that are not.
pub(super) fn read(root: &Fields<'_>) -> Result<(Vec<ChartChoice>, Vec<String>)> {
    let wanted = root.items("charts")?;
    let skipped = root.items("skipCharts")?;
    if let (Some(charts), Some(skip)) = (root.get("charts"), root.get("skipCharts"))
        && !wanted.is_empty()
        && !skipped.is_empty()
    {
        return Err(exclusive(charts, skip));
    }
    let wanted = wanted.iter().map(choice).collect::<Result<_>>()?;
    let skipped = skipped.iter().map(name).collect::<Result<_>>()?;
    Ok((wanted, skipped))
}

/// Bitnami's charts-syncer has names here, DaoCloud's has blocks.
fn choice(item: &Setting<'_>) -> Result<ChartChoice> {
    if item.is_text() {
        return Ok(ChartChoice {
            name: name(item)?,
            versions: Vec::new(),
            skip_images: false,
        });
    }
    let fields = item.fields()?.known(&[])?;
    let Some((setting, _)) = fields.filled("name")? else {
        return Err(fields.lacks("name").hint("write `- name: CHART`"));
    };
    let versions = fields.items("versions")?;
    Ok(ChartChoice {
        name: name(setting)?,
        versions: versions.iter().map(version).collect::<Result<_>>()?,
        skip_images: fields.flag("skipImages")?,
    })
}

fn name(setting: &Setting<'_>) -> Result<String> {
    word(setting, "name of a chart")
}

fn version(setting: &Setting<'_>) -> Result<String> {
    word(setting, "version of a chart")
}

fn word(setting: &Setting<'_>, what: &str) -> Result<String> {
    let text = setting.text()?;
    let part = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(part) {
        return Ok(text.to_owned());
    }
    Err(setting.wrong(format!("is `{text}`, which is no {what}")))
}
