//! Harbor: what it would refuse is found before the first byte, and said so that it can be mended.

use fusion_core::ErrorKind;

use super::{Yard, image};
use crate::registry::docker::DockerRegistry;
use crate::registry::faults::{Fault, Rule, When};
use crate::registry::harbor::{Account, Harbor, Immutable, Project, Setup};
use crate::registry::proxy::Proxy;

const ADMIN: [(&str, &str); 2] = [("username", "admin"), ("password", "Harbor12345")];
const NAMES: [&str; 3] = [
    "docker.io/team-a/app:1",
    "docker.io/team-b/app:1",
    "docker.io/library/base:1",
];

fn with<'a>(extra: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
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
    assert!(
        hint.contains("--rename localhost=docker.io/library"),
        "{hint}"
    );
}

#[test]
fn rules_of_single_repositories_and_blobs_that_are_mounted() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let others = Immutable {
        repositories_excluded: true,
        ..Immutable::new("x/app", "**")
    };
    let setup = Setup {
        projects: vec![
            Project::new("fixed").immutable(Immutable::new("x/app", "1*")),
            Project::new("others").immutable(others),
        ],
        ..Setup::default()
    };
    let harbor = Harbor::start(registry.host(), setup);
    let [amd, arm] = yard.pair(&["docker.io/x/app:1"], 4000);
    let to = |project: &str| format!("{}/{project}", harbor.host());
    yard.push(&[&amd], &to("fixed"), &ADMIN);
    let before = registry.uploads();
    let failure = yard.try_push(&[&arm], &to("fixed"), &ADMIN).unwrap_err();
    assert_eq!(failure.error.kind(), ErrorKind::Denied, "{}", failure.error);
    assert_eq!(registry.uploads(), before);
    // That rule is about all repositories but this one.
    yard.push(&[&amd], &to("others"), &ADMIN);
    yard.push(&[&arm], &to("others"), &ADMIN);
}

/// A blob that another repository of the project has counts no second time.
#[test]
fn a_quota_has_room_for_what_is_there_already() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let [one, two] = ["docker.io/x/one:1", "docker.io/x/two:1"];
    let named = |reference: &str| {
        let layers = [90_000, 2000];
        fusion_fixtures::synthetic::image(Some(reference), &super::amd64(), 1, &layers, 1).unwrap()
    };
    let first = yard.archive("one.tar", &[named(one)]);
    let both = yard.archive("two.tar", &[named(one), named(two)]);
    let setup = Setup {
        projects: vec![Project::new("p").quota(110_000, 0)],
        ..Setup::default()
    };
    let harbor = Harbor::start(registry.host(), setup);
    let to = format!("{}/p", harbor.host());
    yard.push(&[&first], &to, &ADMIN);
    let before = registry.uploads();
    let report = yard.push(&[&both], &to, &ADMIN);
    assert_eq!(image(&report, "one:1")["action"], "unchanged");
    assert_eq!(image(&report, "two:1")["action"], "created");
    // The layer that they share is mounted from the image that did not change.
    assert_eq!(report["blobs"]["mounted"], 1, "{report}");
    assert!(
        report["bytes"]["uploaded"].as_u64().unwrap() < 10_000,
        "{report}"
    );
    assert!(registry.uploads() != before);
}

/// As `podman login HOST/PROJECT` keeps it.
#[test]
fn credentials_of_a_single_project() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let setup = Setup {
        accounts: vec![Account::robot("mine", "ci", "tok")],
        projects: vec![Project::new("mine")],
        ..Setup::default()
    };
    let harbor = Harbor::start(registry.host(), setup);
    let [amd, _] = yard.pair(&["docker.io/x/app:1"], 2000);
    let place = format!("{}/mine", harbor.host());
    let auth = crate::registry::words::base64(b"robot$mine+ci:tok");
    let file = yard.path("auth.json");
    let auths = serde_json::json!({"auths": {&place: {"auth": auth}}});
    std::fs::write(&file, auths.to_string()).unwrap();
    let mut command = yard.fusion(&["push", amd.to_str().unwrap(), "--to", &place]);
    let ran = command.env("REGISTRY_AUTH_FILE", &file).output().unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

#[test]
fn names_that_no_registry_takes_are_found_before_anything_is_created() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let harbor = Harbor::start(registry.host(), Setup::default());
    let [amd, _] = yard.pair(&["localhost/app:1", "docker.io/team/tool:1"], 2000);
    let create = with(&[("create-projects", "public")]);
    let told = |names: &'static str| {
        let options = with(&[("create-projects", "public"), ("names", names)]);
        yard.try_push(&[&amd], &harbor.host(), &options)
            .unwrap_err()
            .error
    };
    // A project without a repository is none.
    let error = yard
        .try_push(&[&amd], &harbor.host(), &create)
        .unwrap_err()
        .error;
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    assert!(error.to_string().contains("`app`"), "{error}");
    let hint = error.get_hint().unwrap();
    assert!(hint.contains("--rename localhost=library"), "{hint}");
    let error = told("last");
    assert!(error.to_string().contains("`tool`"), "{error}");
    assert!(harbor.project("team").is_none() && harbor.project("app").is_none());
    // As the hint says.
    let renamed = with(&[
        ("create-projects", "public"),
        ("rename", "localhost=library"),
    ]);
    let report = yard.push(&[&amd], &harbor.host(), &renamed);
    image(&report, "library/app:1");

    let long = format!("{}/{}", registry.host(), "a/".repeat(130));
    for dry in ["true", "false"] {
        let failure = yard
            .try_push(&[&amd], &long, &[("dry-run", dry)])
            .unwrap_err();
        assert_eq!(failure.error.kind(), ErrorKind::Usage, "{}", failure.error);
        assert!(
            failure.error.to_string().contains("255"),
            "{}",
            failure.error
        );
    }
}

#[test]
fn where_there_is_no_harbor_nothing_is_created_and_that_is_said() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let [amd, _] = yard.pair(&["docker.io/x/app:1"], 2000);
    let to = format!("{}/p", registry.host());
    let report = yard.push(&[&amd], &to, &[("create-projects", "public")]);
    assert!(
        report["warnings"].to_string().contains("no-harbor"),
        "{report}"
    );

    // One that does not answer at first is one all the same.
    let harbor = Harbor::start(registry.host(), Setup::default());
    let unwell = Rule::new("GET", "/api/v2.0/ping", When::First(1), Fault::page(503));
    let proxy = Proxy::start(&harbor.host(), vec![unwell]);
    yard.push(
        &[&amd],
        &proxy.host(),
        &with(&[("create-projects", "public")]),
    );
    assert!(harbor.project("x").is_some());
    assert_eq!(proxy.spoiled(), 1);
}

#[test]
fn all_registries_without_a_project_are_told() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let harbors = [(); 2].map(|()| Harbor::start(registry.host(), Setup::default()));
    let [amd, _] = yard.pair(&["docker.io/x/app:1", "docker.io/y/app:1"], 2000);
    let elsewhere = format!("docker.io/y={}/y", harbors[1].host());
    let options = with(&[("rename", &elsewhere)]);
    let failure = yard
        .try_push(&[&amd], &harbors[0].host(), &options)
        .unwrap_err();
    let told = failure.error.to_string();
    assert_eq!(failure.error.kind(), ErrorKind::ProjectMissing, "{told}");
    for (harbor, project) in harbors.iter().zip(["`x`", "`y`"]) {
        assert!(
            told.contains(&harbor.host()) && told.contains(project),
            "{told}"
        );
    }
}
