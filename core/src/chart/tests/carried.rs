//! Saved values, carried over to the relocated chart.

use super::*;
use crate::chart::values::carried_over;
use crate::chart::{Hints, Place};

const VALUES: &str = "global: {registry: docker.io}\nimage:\n  registry: docker.io\n  repository: acme/app\n  tag: v1\n\
                      whole: acme/tool:v1\n";
const HINTS: &str =
    "- \"{{ .image.registry }}/{{ .image.repository }}:{{ .image.tag }}\"\n- \"{{ .whole }}\"\n";

fn carried(values: &str, list: &str, saved: &str) -> (String, Vec<String>, Vec<String>) {
    let chart = of(&[("values.yaml", values)]);
    let hints = Hints::parse(list, "hints.yaml").expect(list);
    let mut to = |image: &crate::chart::Hinted| {
        Ok(Some(Place {
            registry: "reg.io".to_owned(),
            repository: format!("mirror/{}", image.normalised.last_component()),
            digest: None,
        }))
    };
    let moved = chart.relocated(&hints, &mut to).expect("relocated").chart;
    let (text, changes, kept) = carried_over(saved, &chart, &moved, &hints).expect(saved);
    let changes = changes.into_iter().map(|change| change.key).collect();
    let kept = kept
        .into_iter()
        .map(|kept| format!("{}: {}", kept.key, kept.why))
        .collect();
    (text, changes, kept)
}

#[test]
fn what_was_set_of_an_image_follows_it_and_tags_stay() {
    let saved = "# mine\nimage:\n  registry: old.io # here\n  tag: v9\nreplicas: 3\nwhole: old.io/acme/tool:v7\n";
    let (text, changes, kept) = carried(VALUES, HINTS, saved);
    assert_eq!(
        text,
        "# mine\nimage:\n  registry: reg.io # here\n  tag: v9\nreplicas: 3\nwhole: reg.io/mirror/tool:v7\n"
    );
    assert_eq!(changes, ["image.registry", "whole"]);
    assert!(kept.is_empty(), "{kept:?}");
}

#[test]
fn what_was_not_set_or_names_another_image_stays() {
    for saved in [
        "",
        "null\n",
        "replicas: 3\n",
        "image: {tag: v2}\n",
        "image: {registry: reg.io}\n",
    ] {
        let (text, changes, kept) = carried(VALUES, HINTS, saved);
        assert_eq!(text, saved);
        assert!(changes.is_empty() && kept.is_empty(), "{saved}");
    }
    let saved = "image:\n  repository: acme/fork\n";
    let (text, changes, kept) = carried(VALUES, HINTS, saved);
    assert_eq!((text.as_str(), changes.len()), (saved, 0));
    assert_eq!(
        kept,
        ["image.repository: it names another image, `docker.io/acme/fork:v1`"]
    );
}

#[test]
fn a_registry_that_another_image_shares_follows_the_others() {
    let values = "r: docker.io\na: acme/a\nb: acme/b\n";
    let list = "- \"{{ .r }}/{{ .a }}:1\"\n- \"{{ .r }}/{{ .b }}:1\"\n";
    let (text, changes, kept) = carried(values, list, "r: old.io\nb: acme/mine\na: acme/a\n");
    assert_eq!(text, "r: reg.io\nb: acme/mine\na: mirror/a\n");
    assert_eq!(changes, ["a", "r"]);
    assert_eq!(kept, ["b: it names another image, `old.io/acme/mine:1`"]);
}

#[test]
fn damaged_values_say_the_line() {
    let chart = of(&[("values.yaml", VALUES)]);
    let hints = Hints::parse(HINTS, "hints.yaml").expect("hints");
    let error = carried_over("a: 1\na: 2\n", &chart, &chart, &hints).expect_err("twice");
    assert!(error.to_string().contains("line 2"), "{error}");
}
