//! Images that charts pin by digest. Archives give them no name (`RepoTags: null`): the hints of
//! their bundle do.

use super::bundles::Found;
use super::outcomes::key;
use crate::archive::Name;
use crate::error::Result;
use crate::fuse::input::Input;
use crate::oci::Reference;

/// Names those of `inputs` that nothing names by the hints of their charts.
pub(super) fn name(charts: &[Found<'_>], inputs: &mut [Input]) -> Result<()> {
    for chart in charts {
        let unnamed = |input: &Input| {
            let listed = input.listed.iter();
            listed.filter(|listed| listed.name == Name::None).count()
        };
        if chart.inputs.iter().all(|at| unnamed(&inputs[*at]) == 0) {
            continue;
        }
        // What is wrong with the hints is told when they are needed.
        let Ok(hinted) = chart.images() else { continue };
        let pinned: Vec<Reference> = (hinted.into_iter())
            .filter(|hinted| hinted.pins)
            .map(|hinted| hinted.normalised)
            .collect();
        for at in &chart.inputs {
            let input = &mut inputs[*at];
            let count = unnamed(input);
            for listed in &mut input.listed {
                if listed.name != Name::None {
                    continue;
                }
                let root = listed.found.as_ref().ok().map(|found| found.root.digest);
                let stated = |reference: &&Reference| reference.digest() == root.as_ref();
                let by_digest = pinned.iter().find(stated).filter(|_| root.is_some());
                // The only one that it can be.
                let only = match (&pinned[..], count) {
                    ([only], 1) => Some(only),
                    _ => None,
                };
                if let Some(reference) = by_digest.or(only) {
                    listed.name = Name::Full(key(reference));
                }
            }
        }
    }
    Ok(())
}
