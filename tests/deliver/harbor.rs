//! Harbor: what it would refuse is found before the first byte, and said so that it can be mended.

use fusion_core::ErrorKind;

use super::{Yard, image};
use crate::registry::docker::DockerRegistry;
use crate::registry::harbor::{Account, Harbor, Immutable, Project, Setup};

const ADMIN: [(&str, &str); 2] = [("username", "admin"), ("password", "Harbor12345")];
const NAMES: [&str; 3] = [
    "docker.io/team-a/app:1",
    "docker.io/team-b/app:1",
    "docker.io/library/base:1",
];

fn with(extra: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    ADMIN.iter().chain(extra).copied().collect()
}

#[test]
fn every_missing_project_is_named_at_once_and_created_on_request() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let harbor = Harbor::start(registry.host(), Setup::default());
    let [amd, arm] = yard.pair(&NAMES, 2000);
    let to = harbor.host();
    let failure = yard.try_push(&[&amd, &arm], &to, &ADMIN).unwrap_err();
    assert_eq!(
        failure.error.kind(),
        ErrorKind::ProjectMissing,
        "{:?}",
        failure.error
    );
    let told = failure.error.to_string();
    assert!(told.contains("team-a") && told.contains("team-b"), "{told}");
    assert!(!told.contains("library"), "{told}");
    let hint = failure.error.get_hint().unwrap();
    assert!(hint.contains("--create-projects"), "{hint}");
    assert_eq!(registry.uploads().sessions, 0);

    let plan = yard.push(
        &[&amd, &arm],
        &to,
        &with(&[("create-projects", "private"), ("dry-run", "true")]),
    );
    assert!(
        plan["warnings"].to_string().contains("would be created"),
        "{plan}"
    );
    assert!(harbor.project("team-a").is_none());

    let done = yard.push(&[&amd, &arm], &to, &with(&[("create-projects", "private")]));
    image(&done, "team-a/app:1");
    assert!(!harbor.project("team-a").unwrap().public);
    // They are there now.
    yard.push(&[&amd, &arm], &to, &with(&[("create-projects", "private")]));
}

#[test]
fn a_full_quota_and_tags_that_may_not_change() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let setup = Setup {
        projects: vec![
            Project::new("small").quota(1000, 900),
            Project::new("fixed").immutable(Immutable::new("**", "1*")),
        ],
        ..Setup::default()
    };
    let harbor = Harbor::start(registry.host(), setup);
    let [amd, arm] = yard.pair(&["docker.io/x/app:1"], 4000);
    let to = |project: &str| format!("{}/{project}", harbor.host());

    let failure = yard.try_push(&[&amd], &to("small"), &ADMIN).unwrap_err();
    assert_eq!(
        failure.error.kind(),
        ErrorKind::Denied,
        "{:?}",
        failure.error
    );
    assert!(
        failure.error.to_string().contains("100 bytes"),
        "{}",
        failure.error
    );
    assert_eq!(registry.uploads().sessions, 0);

    // A new tag is fine; changing it is not.
    yard.push(&[&amd], &to("fixed"), &ADMIN);
    let before = registry.uploads();
    let failure = yard.try_push(&[&arm], &to("fixed"), &ADMIN).unwrap_err();
    assert_eq!(
        failure.error.kind(),
        ErrorKind::Denied,
        "{:?}",
        failure.error
    );
    assert!(
        failure.error.to_string().contains("fixed/x/app:1"),
        "{}",
        failure.error
    );
    assert_eq!(registry.uploads(), before);
    // The same again changes nothing, and is not even tried.
    let again = yard.push(&[&amd], &to("fixed"), &ADMIN);
    assert_eq!(image(&again, "app:1")["action"], "unchanged");
}

#[test]
fn a_robot_that_may_not_and_a_project_called_localhost() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let setup = Setup {
        accounts: vec![
            Account::admin("admin", "Harbor12345"),
            Account::robot("mine", "ci", "tok"),
        ],
        projects: vec![Project::new("mine"), Project::new("theirs").public()],
        ..Setup::default()
    };
    let harbor = Harbor::start(registry.host(), setup);
    let [amd, _] = yard.pair(&["localhost/app:1"], 2000);
    let robot = [("username", "robot$mine+ci"), ("password", "tok")];
    yard.push(&[&amd], &format!("{}/mine", harbor.host()), &robot);
    let failure = yard
        .try_push(&[&amd], &format!("{}/theirs", harbor.host()), &robot)
        .unwrap_err();
    assert!(
        matches!(
            failure.error.kind(),
            ErrorKind::Denied | ErrorKind::ProjectMissing
        ),
        "{:?}",
        failure.error
    );
    assert!(
        failure.error.to_string().contains("theirs"),
        "{}",
        failure.error
    );

    let origin = with(&[("names", "origin")]);
    let failure = yard.try_push(&[&amd], &harbor.host(), &origin).unwrap_err();
    assert_eq!(failure.error.kind(), ErrorKind::ProjectMissing);
    let hint = failure.error.get_hint().unwrap();
    assert!(hint.contains("--rename localhost="), "{hint}");
}
