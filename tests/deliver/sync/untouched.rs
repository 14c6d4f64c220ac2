//! A run that comes to nothing leaves the folder of its charts as it was.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::super::amd64;
use super::{Ran, Site, config};
use crate::registry::docker::DockerRegistry;

/// Where nobody listens.
const NOBODY: &str = "127.0.0.1:1";

/// What is in a folder of the site.
fn listed(site: &Site, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(site.path(folder)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn no_folder_is_made_and_none_is_touched_where_something_stands_in_the_way() {
    let registry = DockerRegistry::open();
    let site = Site::new();
    site.bundles("in", [&super::shape("three-part")], &[amd64()]);
    fs::create_dir(site.path("there")).unwrap();
    fs::write(site.path("there/notes"), "mine").unwrap();
    let before = listed(&site, ".");
    let registry = registry.host();
    for (what, registry, more, status) in [
        ("no registry", NOBODY, &["--retries", "0"][..], 6),
        ("no such chart", registry, &["--chart", "absent"], 2),
        (
            "a platform that nobody has",
            registry,
            &["--require-platform", "linux/s390x"],
            3,
        ),
        ("a dry run", registry, &["--dry-run"], 0),
    ] {
        for path in ["new/charts", "there", "there/charts"] {
            let text = config(registry, "a/b", &format!("kind: LOCAL, path: {path}"));
            let ran = site.sync(&text, more);
            assert_eq!(ran.status, Some(status), "{what}: {ran}");
            fs::remove_file(site.path("load-image.yaml")).unwrap();
            assert_eq!(listed(&site, "."), before, "{what}, {path}");
            assert_eq!(listed(&site, "there"), ["notes"], "{what}, {path}");
        }
    }
}

#[test]
fn a_folder_in_which_nothing_may_be_made_is_told_with_what_else_there_is() {
    let site = Site::new();
    site.bundles("in", [&super::shape("three-part")], &[amd64()]);
    fs::create_dir(site.path("closed")).unwrap();
    fs::set_permissions(site.path("closed"), Permissions::from_mode(0o555)).unwrap();
    for path in ["closed", "closed/new/charts"] {
        let text = config(NOBODY, "a/b", &format!("kind: LOCAL, path: {path}"));
        fs::write(site.path("load-image.yaml"), text).unwrap();
        let words = ["sync", "-c", "load-image.yaml", "--json", "--retries", "0"];
        for more in [&[][..], &["--dry-run"]] {
            let mut fusion = site.yard.fusion_as_nobody(&[&words[..], more].concat());
            let ran = Ran::of(&fusion.output().unwrap()).ends(6);
            let message = ran.message();
            for part in [
                "2 things stand in the way: (1) cannot connect to `127.0.0.1:1`",
                "(2) cannot create anything in `closed`",
            ] {
                assert!(message.contains(part), "lacks {part:?}: {message}");
            }
        }
    }
    assert!(listed(&site, "closed").is_empty());
}
