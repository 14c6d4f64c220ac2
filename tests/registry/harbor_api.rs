//! The engine's face to Harbor, against the small Harbor and what is not one.

use std::collections::BTreeSet;

use fusion_core::oci::{Descriptor, Digest, MediaType};
use fusion_core::progress::{Progress, Stop};
use fusion_core::registry::{Access, Client, Harbor, Quota, Repository, Secret};
use fusion_core::settings::Settings;
use fusion_core::store::{Expected, Memory, Transfer};
use fusion_core::{Error, ErrorKind};

use super::client::Client as Plain;
use super::docker::DockerRegistry;
use super::exchange::Answer;
use super::faults::{Fault, Rule, When};
use super::harbor::{self, Account, Immutable, Project, Setup};
use super::proxy::Proxy;
use super::stock;

const ADMIN: (&str, &str) = ("admin", "Harbor12345");
const DEV: (&str, &str) = ("dev", "Dev12345");
const ROBOT: (&str, &str) = ("robot$addons+ci", "s3cret");

fn setup() -> Setup {
    Setup {
        accounts: vec![
            Account::admin(ADMIN.0, ADMIN.1),
            Account::user(DEV.0, DEV.1, &["addons", "full"]),
            Account::robot("addons", "ci", ROBOT.1),
        ],
        projects: vec![
            Project::new("library").public(),
            Project::new("addons").immutable(Immutable::new("{app,web/**}", "v*")),
            Project::new("full").quota(1 << 20, 1 << 19),
            Project::new("secret"),
        ],
        ..Setup::default()
    }
}

/// A small Harbor, which hides or not, before a registry.
fn scene(hides: bool) -> (DockerRegistry, harbor::Harbor) {
    let registry = DockerRegistry::open();
    let harbor = harbor::Harbor::start(registry.host(), Setup { hides, ..setup() });
    (registry, harbor)
}

fn client(user: Option<(&str, &str)>) -> Client {
    let access = Access {
        username: user.map(|(name, _)| name.to_owned()),
        password: user.map(|(_, password)| Secret::new(password)),
        plain_http: true,
        retries: 2,
        ..Access::default()
    };
    Client::new(access, Settings::default(), Stop::new()).unwrap()
}

fn detected(harbor: &harbor::Harbor, user: (&str, &str)) -> Harbor {
    let host = client(Some(user)).host(&harbor.host());
    Harbor::detect(&host).unwrap().expect("a Harbor")
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn upload(repository: &Repository, bytes: &[u8]) -> Result<u64, Error> {
    let mut memory = Memory::default();
    let digest = memory.insert(bytes.to_vec());
    let blob = Expected {
        digest,
        size: bytes.len() as u64,
        diff_id: None,
    };
    let progress = Progress::new(Stop::new());
    repository.upload(&memory, &blob, &mut Transfer::new(&progress), None)
}

/// Puts the manifest of an image whose blobs are there already.
fn put(repository: &Repository, tag: &str, manifest: &[u8]) -> Result<(), Error> {
    let descriptor = Descriptor::new(
        MediaType::OCI_MANIFEST,
        Digest::of(manifest),
        manifest.len() as u64,
    );
    repository.put(tag, &descriptor, manifest)
}

#[test]
fn a_registry_that_is_no_harbor_costs_two_requests_at_most_and_never_fails() {
    let registry = DockerRegistry::open();
    let proxy = Proxy::start(registry.host(), Vec::new());
    let host = client(Some(ADMIN)).host(&proxy.host());
    host.check().unwrap();
    for fault in [
        None,
        Some(Fault::page(503)),
        Some(Fault::page(200)),
        Some(Fault::too_many(60)),
        Some(Fault::Drop),
        Some(Fault::Swallow),
    ] {
        let named = format!("{fault:?}");
        let may_pass = !matches!(
            &fault,
            None | Some(Fault::Answer(Answer { status: 200, .. }))
        );
        let rule = |fault| Rule::new("*", "/api/*", When::Always, fault);
        proxy.rules(fault.into_iter().map(rule).collect());
        proxy.forget();
        assert!(Harbor::detect(&host).unwrap().is_none(), "{named}");
        let seen = proxy.seen();
        assert_eq!(seen.len(), 1 + usize::from(may_pass), "{named}: {seen:?}");
        let plain = seen.iter().all(|one| one.scheme.is_none());
        assert!(plain, "{named}: nobody asked for a password");
    }
    let (_registry, harbor) = scene(true);
    let host = client(Some(ADMIN)).host(&harbor.host());
    host.check().unwrap();
    let before = harbor.requests().len();
    assert!(Harbor::detect(&host).unwrap().is_some());
    assert_eq!(harbor.requests()[before..], ["GET /api/v2.0/ping"]);
}

#[test]
fn all_projects_that_are_missing_are_found_at_once_whatever_is_told_of_them() {
    let asked = set(&["addons", "library", "localhost", "nowhere"]);
    for hides in [true, false] {
        let (_registry, harbor) = scene(hides);
        for user in [ADMIN, DEV, ROBOT] {
            let missing = detected(&harbor, user).missing(&asked).unwrap();
            assert_eq!(
                missing,
                ["localhost", "nowhere"],
                "{user:?}, hides: {hides}"
            );
        }
        let harbor = detected(&harbor, DEV);
        let none = harbor.missing(&set(&["addons", "library"])).unwrap();
        assert_eq!(none, [""; 0]);
        let error = harbor.without(&harbor.missing(&asked).unwrap());
        assert_eq!(error.kind(), ErrorKind::ProjectMissing);
        let message = error.message();
        assert!(
            message.contains("projects `localhost`, `nowhere`"),
            "{message}"
        );
        assert!(error.get_hint().unwrap().contains("--create-projects"));
    }
}

#[test]
fn projects_are_created_once_by_those_who_may() {
    let (_registry, harbor) = scene(true);
    let admin = detected(&harbor, ADMIN);
    assert!(admin.create("mine", false).unwrap());
    assert!(admin.create("yours", true).unwrap());
    assert!(!admin.create("mine", true).unwrap(), "it stays as it is");
    assert!(!harbor.project("mine").unwrap().public);
    assert!(harbor.project("yours").unwrap().public);
    assert_eq!(admin.missing(&set(&["mine", "yours"])).unwrap(), [""; 0]);
    for (user, kind, words) in [
        (
            DEV,
            ErrorKind::Denied,
            "Only system admin can create project",
        ),
        (
            ROBOT,
            ErrorKind::Denied,
            "Only system level robot can create project",
        ),
        (("dev", "wrong"), ErrorKind::Unauthorized, "unauthorized"),
    ] {
        let error = detected(&harbor, user).create("theirs", true).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(words), "{error}");
        assert!(error.message().contains("`theirs`"), "{error}");
        assert!(error.get_hint().unwrap().contains("administrator"));
    }
    let error = admin.create("Bad_Name", true).unwrap_err();
    assert_eq!(
        (error.kind(), error.get_status()),
        (ErrorKind::Registry, Some(400))
    );
}

#[test]
fn a_quota_is_told_to_those_who_may_ask() {
    let (_registry, harbor) = scene(true);
    let dev = detected(&harbor, DEV);
    let full = dev.quota("full").unwrap().unwrap();
    let expected = Quota {
        hard: Some(1 << 20),
        used: 1 << 19,
    };
    assert_eq!((full, full.left()), (expected, Some(1 << 19)));
    let free = dev.quota("addons").unwrap().unwrap();
    assert_eq!((free.hard, free.used, free.left()), (None, 0, None));
    assert_eq!(dev.quota("library").unwrap(), None, "guests are not told");
    assert_eq!(detected(&harbor, ROBOT).quota("addons").unwrap(), None);
    assert_eq!(dev.quota("nowhere").unwrap(), None);
}

#[test]
fn it_is_known_who_may_push() {
    let (_registry, harbor) = scene(true);
    for (user, project, may) in [
        (ADMIN, "secret", Some(true)),
        (DEV, "addons", Some(true)),
        (DEV, "library", Some(false)),
        (DEV, "secret", None),
        (ROBOT, "addons", Some(true)),
        (ROBOT, "library", Some(false)),
        (ROBOT, "nowhere", None),
    ] {
        let known = detected(&harbor, user).may_push(project).unwrap();
        assert_eq!(known, may, "{user:?} {project}");
    }
}

/// What the rules that were read foretell is what happens to tags that are there.
#[test]
fn immutable_tags_are_foretold() {
    let (registry, harbor) = scene(true);
    let reader = detected(&harbor, DEV);
    let rules = reader.immutable("addons").unwrap();
    assert_eq!(rules.len(), 1);
    assert!(reader.immutable("library").unwrap().is_empty());
    let client = client(Some(DEV));
    let mut held = Vec::new();
    for name in ["app", "apps", "web", "web/a", "web/a/b"] {
        let repository = format!("addons/{name}");
        let mut plain = Plain::new(registry.host());
        for tag in ["v1", "1", "latest"] {
            let (_, manifest) = stock::image(&mut plain, &repository, tag, b"layer");
            let foretold = rules.iter().any(|rule| rule.matches(&repository, tag));
            let place = client.repository(&harbor.host(), &repository);
            match put(&place, tag, &manifest) {
                Ok(()) => assert!(!foretold, "{repository}:{tag}"),
                Err(error) => {
                    assert!(foretold, "{repository}:{tag}: {error}");
                    let error = reader.explained(error, &repository).unwrap();
                    assert_eq!(
                        (error.kind(), error.get_status()),
                        (ErrorKind::Denied, Some(412))
                    );
                    assert!(
                        error.message().contains("configured as immutable"),
                        "{error}"
                    );
                    assert!(error.get_hint().unwrap().contains("another tag"));
                    held.push(format!("{name}:{tag}"));
                }
            }
        }
    }
    assert_eq!(held, ["app:v1", "web/a:v1", "web/a/b:v1"]);
}

#[test]
fn unauthorized_that_means_no_such_project_is_said_so() {
    for hides in [true, false] {
        let (_registry, harbor) = scene(hides);
        for user in [ADMIN, DEV, ROBOT] {
            let client = client(Some(user));
            let repository = client.repository(&harbor.host(), "nowhere/app");
            let refused = upload(&repository, b"layer").unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Unauthorized, "{refused}");
            let error = detected(&harbor, user)
                .explained(refused, "nowhere/app")
                .unwrap();
            assert_eq!(error.kind(), ErrorKind::ProjectMissing, "{user:?} {error}");
            assert!(error.message().contains("project `nowhere`"), "{error}");
            assert!(error.get_hint().unwrap().contains("--create-projects"));
            assert_eq!(
                (error.get_status(), error.get_code()),
                (Some(401), Some("UNAUTHORIZED"))
            );
        }
        // There is such a project, and it is not for this user.
        let client = client(Some(ROBOT));
        let repository = client.repository(&harbor.host(), "library/app");
        let refused = upload(&repository, b"layer").unwrap_err();
        let error = detected(&harbor, ROBOT)
            .explained(refused, "library/app")
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
        assert!(
            error
                .get_hint()
                .unwrap()
                .contains("may not push to project `library`")
        );
    }
}

#[test]
fn a_quota_that_is_full_is_denied_with_numbers() {
    let (_registry, harbor) = scene(true);
    let client = client(Some(DEV));
    let repository = client.repository(&harbor.host(), "full/app");
    upload(&repository, &stock::bytes("fits", 1 << 18)).unwrap();
    let refused = upload(&repository, &stock::bytes("more", 1 << 19)).unwrap_err();
    let error = detected(&harbor, DEV)
        .explained(refused, "full/app")
        .unwrap();
    assert_eq!(
        (error.kind(), error.get_status()),
        (ErrorKind::Denied, Some(403))
    );
    let message = error.message();
    assert!(message.contains("adding 512.0 KiB of storage"), "{message}");
    let hint = error.get_hint().unwrap();
    assert!(
        hint.contains("`full`") && hint.contains("786432 of 1048576 bytes"),
        "{hint}"
    );
}

#[test]
fn other_errors_stay_as_they_are() {
    let (_registry, harbor) = scene(true);
    let harbor = detected(&harbor, DEV);
    let error = Error::new(ErrorKind::Registry, "cannot put `x`: manifest invalid").status(400);
    let same = harbor.explained(error, "addons/app").unwrap();
    assert_eq!(
        (same.kind(), same.message()),
        (ErrorKind::Registry, "cannot put `x`: manifest invalid")
    );
    assert_eq!(same.get_hint(), None);
}
