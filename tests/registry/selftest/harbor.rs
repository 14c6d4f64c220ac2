//! The small Harbor answers as the description and Harbor's own words say.

use serde_json::json;

use crate::clients::process::run;
use crate::clients::skopeo::skopeo;
use crate::registry::client::{Client, Reply};
use crate::registry::docker::DockerRegistry;
use crate::registry::harbor::{Account, Harbor, Immutable, Project, Setup};
use crate::registry::stock;

fn setup() -> Setup {
    Setup {
        accounts: vec![
            Account::admin("admin", "Harbor12345"),
            Account::user("dev", "Dev12345", &["addons"]),
            Account::robot("addons", "ci", "s3cret"),
        ],
        projects: vec![
            Project::new("library").public(),
            Project::new("addons").quota(10 << 20, (8 << 20) + (3 << 20) / 10),
            Project::new("frozen").immutable(Immutable::new("{app,web/**}", "v*")),
        ],
        ..Setup::default()
    }
}

fn scene(setup: Setup) -> (DockerRegistry, Harbor) {
    let registry = DockerRegistry::open();
    let harbor = Harbor::start(registry.host(), setup);
    (registry, harbor)
}

fn admin(harbor: &Harbor) -> Client {
    Client::new(&harbor.host()).basic("admin", "Harbor12345")
}

fn dev(harbor: &Harbor) -> Client {
    Client::new(&harbor.host()).basic("dev", "Dev12345")
}

fn robot(harbor: &Harbor) -> Client {
    Client::new(&harbor.host()).basic("robot$addons+ci", "s3cret")
}

fn error(reply: &Reply) -> (u16, String, String) {
    let error = &reply.json()["errors"][0];
    let text = |key: &str| error[key].as_str().unwrap().to_owned();
    (reply.status(), text("code"), text("message"))
}

fn create(client: &mut Client, name: &str, public: &str) -> Reply {
    let body = json!({"project_name": name, "metadata": {"public": public}}).to_string();
    client.give(
        "POST",
        "/api/v2.0/projects",
        "application/json",
        body.as_bytes(),
    )
}

#[test]
fn it_says_that_it_is_one() {
    let (_registry, harbor) = scene(setup());
    let mut anybody = Client::new(&harbor.host());
    let ping = anybody.ask("GET", "/api/v2.0/ping");
    assert_eq!((ping.status(), ping.text().as_str()), (200, "Pong"));
    let info = "/api/v2.0/systeminfo";
    assert!(anybody.ask("GET", info).json()["harbor_version"].is_null());
    let known = admin(&harbor).ask("GET", info).json();
    assert!(known["harbor_version"].as_str().unwrap().starts_with("v2."));
    assert_eq!(known["project_creation_restriction"], "adminonly");
    assert_eq!(harbor.requests().len(), 3);
    let plain = Setup {
        no_api: true,
        ..setup()
    };
    let (_registry, other) = scene(plain);
    assert_eq!(
        Client::new(&other.host())
            .ask("GET", "/api/v2.0/ping")
            .status(),
        404
    );
}

#[test]
fn projects_are_found_listed_and_created_by_those_who_may() {
    let (_registry, harbor) = scene(Setup {
        hides: false,
        ..setup()
    });
    let head = |client: &mut Client, name: &str| {
        client
            .ask("HEAD", &format!("/api/v2.0/projects?project_name={name}"))
            .status()
    };
    assert_eq!(head(&mut admin(&harbor), "addons"), 200);
    assert_eq!(head(&mut admin(&harbor), "missing"), 404);
    assert_eq!(head(&mut dev(&harbor), "frozen"), 403);
    assert_eq!(head(&mut Client::new(&harbor.host()), "addons"), 401);
    assert_eq!(head(&mut Client::new(&harbor.host()), "library"), 200);
    assert_eq!(
        head(&mut robot(&harbor), "addons"),
        403,
        "robots may not ask"
    );

    let made = create(&mut admin(&harbor), "new", "true");
    assert_eq!(
        (made.status(), made.header("location")),
        (201, "/api/v2.0/projects/4")
    );
    assert!(harbor.project("new").unwrap().public);
    assert!(!harbor.project("addons").unwrap().public);
    let again = create(&mut admin(&harbor), "new", "false");
    let said = "The project named new already exists";
    assert_eq!(error(&again), (409, "CONFLICT".into(), said.into()));
    assert_eq!(
        error(&create(&mut Client::new(&harbor.host()), "x1", "true")).0,
        401
    );
    let refused = error(&create(&mut dev(&harbor), "x1", "true"));
    assert_eq!(refused.2, "Only system admin can create project");
    let refused = error(&create(&mut robot(&harbor), "x1", "true"));
    assert_eq!((refused.0, refused.1.as_str()), (403, "FORBIDDEN"));
    assert_eq!(error(&create(&mut admin(&harbor), "Bad_", "true")).0, 400);

    let names = |reply: &Reply| {
        let list = reply.json();
        let names = list.as_array().unwrap().iter();
        names
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let mut client = dev(&harbor);
    assert_eq!(
        names(&client.ask("GET", "/api/v2.0/projects")),
        ["addons", "library", "new"]
    );
    let page = client.ask("GET", "/api/v2.0/projects?page_size=2");
    assert_eq!(names(&page), ["addons", "library"]);
    assert_eq!(page.header("x-total-count"), "3");
    assert!(page.header("link").contains("page=2"));
    assert_eq!(
        names(&client.ask("GET", "/api/v2.0/projects?page_size=2&page=2")),
        ["new"]
    );
    assert_eq!(
        names(&client.ask("GET", "/api/v2.0/projects?name=ddo")),
        ["addons"]
    );
    let one = client.ask("GET", "/api/v2.0/projects/addons").json();
    assert_eq!(one["metadata"]["public"], "false");
    let missing = error(&client.ask("GET", "/api/v2.0/projects/missing"));
    assert_eq!(
        missing,
        (404, "NOT_FOUND".into(), "project missing not found".into())
    );
}

#[test]
fn one_that_hides_does_not_tell_missing_from_forbidden() {
    let (_registry, harbor) = scene(setup());
    let head = |name: &str| {
        admin(&harbor)
            .ask("HEAD", &format!("/api/v2.0/projects?project_name={name}"))
            .status()
    };
    assert_eq!((head("addons"), head("missing")), (200, 403));
    let push = "/v2/missing/app/blobs/uploads/";
    let said = error(&admin(&harbor).ask("POST", push));
    let words = "unauthorized to access repository: missing/app, action: push";
    assert_eq!(
        said,
        (401, "UNAUTHORIZED".into(), format!("{words}: {words}"))
    );
    let (_registry, frank) = scene(Setup {
        hides: false,
        ..setup()
    });
    let said = error(&admin(&frank).ask("POST", push));
    let words = "project missing not found: project missing not found";
    assert_eq!(said, (401, "UNAUTHORIZED".into(), words.into()));
}

#[test]
fn a_quota_is_told_kept_and_refused_with_numbers() {
    let (_registry, harbor) = scene(setup());
    let mut client = dev(&harbor);
    let mut quota = || {
        client
            .ask("GET", "/api/v2.0/projects/addons/summary")
            .json()["quota"]
            .clone()
    };
    assert_eq!(quota()["hard"]["storage"], 10 << 20);
    assert_eq!(quota()["used"]["storage"], 8_703_180);
    let quotas = "/api/v2.0/quotas?reference=project&reference_id=2";
    assert_eq!(
        admin(&harbor).ask("GET", quotas).json()[0]["ref"]["name"],
        "addons"
    );
    assert_eq!(dev(&harbor).ask("GET", quotas).status(), 403);
    let mut robot = robot(&harbor);
    let small = stock::bytes("small", 1 << 20);
    stock::blob(&mut robot, "addons/app", &small);
    stock::blob(&mut robot, "addons/other", &small);
    assert_eq!(
        quota()["used"]["storage"],
        8_703_180 + (1 << 20),
        "counted once"
    );
    let place = stock::session(&mut robot, "addons/app");
    let large = stock::bytes("large", (2 << 20) + 104858);
    let kind = "application/octet-stream";
    let patched = robot.give("PATCH", &place, kind, &large);
    let place = stock::place(patched.header("location"));
    let target = format!("{place}&digest={}", stock::digest(&large));
    let refused = error(&robot.give("PUT", &target, kind, b""));
    let words = "adding 2.1 MiB of storage resource, which when updated to current usage of 9.3 MiB \
                 will exceed the configured upper limit of 10.0 MiB.";
    assert_eq!(refused, (403, "DENIED".into(), words.into()));
}

#[test]
fn a_tag_that_is_immutable_stays_as_it_is() {
    let (_registry, harbor) = scene(setup());
    let mut client = admin(&harbor);
    let rules = client
        .ask("GET", "/api/v2.0/projects/frozen/immutabletagrules")
        .json();
    assert_eq!(rules[0]["tag_selectors"][0]["pattern"], "v*");
    let scope = &rules[0]["scope_selectors"]["repository"][0];
    assert_eq!(scope["decoration"], "repoMatches");
    let (_, first) = stock::image(&mut client, "frozen/web/a/b", "v1", b"first");
    stock::image(&mut client, "frozen/other", "v1", b"first");
    stock::image(&mut client, "frozen/other", "v1", b"second");
    let put = |client: &mut Client, tag: &str| {
        let target = format!("/v2/frozen/web/a/b/manifests/{tag}");
        client.give("PUT", &target, stock::MANIFEST, &first)
    };
    let refused = error(&put(&mut client, "v1"));
    let words = "Failed to process request due to 'web/a/b:v1' configured as immutable.";
    assert_eq!(refused, (412, "PRECONDITION".into(), words.into()));
    assert_eq!(put(&mut client, "v2").status(), 201, "new tags are welcome");
    assert_eq!(put(&mut client, "latest").status(), 201);
    assert_eq!(put(&mut client, "latest").status(), 201);
}

#[test]
fn skopeo_pushes_as_a_robot_through_the_token_service_and_only_to_its_project() {
    let (registry, harbor) = scene(setup());
    stock::image(&mut Client::new(registry.host()), "seed", "1", b"layer");
    let copy = |to: &str| {
        run(skopeo()
            .args([
                "copy",
                "--quiet",
                "--src-tls-verify=false",
                "--dest-tls-verify=false",
            ])
            .args(["--dest-creds", "robot$addons+ci:s3cret"])
            .arg(format!("docker://{}/seed:1", registry.host()))
            .arg(format!("docker://{}/{to}", harbor.host())))
    };
    copy("addons/app:1").unwrap();
    assert!(
        harbor
            .requests()
            .iter()
            .any(|line| line.contains("/service/token?"))
    );
    for place in ["library/app:1", "missing/app:1"] {
        let refused = copy(place).unwrap_err();
        assert!(refused.said().contains("unauthorized"), "{refused}");
    }
}
