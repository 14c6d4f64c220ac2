//! The bearer flow in front of a real registry.

use std::time::Duration;

use crate::clients::process::run_text;
use crate::clients::skopeo::skopeo;
use crate::registry::client::{Client, Reply};
use crate::registry::docker::DockerRegistry;
use crate::registry::faults::{Fault, Rule, When};
use crate::registry::proxy::Proxy;
use crate::registry::stock;
use crate::registry::token_auth::{TokenAuth, User};

const ROBOT: &str = "robot$ci+push";

fn users() -> Vec<User> {
    vec![
        User::new("admin", "Harbor12345"),
        User::powerless(ROBOT, "s3cr$t").may("ci/*", &["pull", "push"]),
    ]
}

fn scene(lifetime: Duration, rules: Vec<Rule>) -> (DockerRegistry, Proxy) {
    let registry = DockerRegistry::open();
    let auth = TokenAuth::new(users(), lifetime).readable();
    let proxy = Proxy::demanding(registry.host(), rules, auth);
    (registry, proxy)
}

fn token(reply: &Reply) -> String {
    assert_eq!(reply.status(), 200, "{reply:?}");
    reply.json()["token"].as_str().unwrap().to_owned()
}

#[test]
fn who_asks_is_told_where_tokens_are_and_gets_what_it_may_have() {
    let (_registry, proxy) = scene(Duration::from_secs(60), Vec::new());
    let host = proxy.host();
    let reply = Client::new(&host).ask("POST", "/v2/ci/app/blobs/uploads/");
    assert_eq!(reply.status(), 401);
    assert_eq!(
        reply.header("www-authenticate"),
        format!(
            "Bearer realm=\"http://{host}/token\",service=\"registry.test\",\
             scope=\"repository:ci/app:pull,push\""
        )
    );
    let place = |name: &str| {
        format!("/token?account=x&service=registry.test&scope=repository%3A{name}%3Apull%2Cpush")
    };
    let mut robot = Client::new(&host).basic(ROBOT, "s3cr$t");
    let mine = token(&robot.ask("GET", &place("ci/app")));
    let mut client = Client::new(&host).bearer(&mine);
    assert_eq!(client.ask("GET", "/v2/").status(), 200);
    let (_, manifest) = stock::image(&mut client, "ci/app", "1", b"layer");
    let other = client.ask("POST", "/v2/ci/other/blobs/uploads/");
    assert!(
        other
            .header("www-authenticate")
            .contains("insufficient_scope")
    );
    let foreign = token(&robot.ask("GET", &place("secret/app")));
    let mut foreign = Client::new(&host).bearer(&foreign);
    assert_eq!(
        foreign
            .ask("POST", "/v2/secret/app/blobs/uploads/")
            .status(),
        401
    );
    let anybody = token(&Client::new(&host).ask("GET", &place("ci/app")));
    let mut anybody = Client::new(&host).bearer(&anybody);
    assert_eq!(anybody.ask("GET", "/v2/ci/app/manifests/1").body, manifest);
    assert_eq!(
        anybody.ask("POST", "/v2/ci/app/blobs/uploads/").status(),
        401
    );
    let wrong = Client::new(&host)
        .basic(ROBOT, "wrong")
        .ask("GET", &place("ci/app"));
    assert_eq!(wrong.status(), 401);
    assert_eq!(proxy.tokens(), 3);
}

#[test]
fn a_refresh_token_stands_for_the_password() {
    let (_registry, proxy) = scene(Duration::from_secs(60), Vec::new());
    let mut client = Client::new(&proxy.host());
    let mut ask = |form: &str| {
        let form =
            format!("{form}&service=registry.test&client_id=t&scope=repository%3Aci%2Fa%3Apull");
        client.give(
            "POST",
            "/token",
            "application/x-www-form-urlencoded",
            form.as_bytes(),
        )
    };
    let first =
        ask("grant_type=password&username=robot%24ci%2Bpush&password=s3cr%24t&access_type=offline");
    let refresh = first.json()["refresh_token"].as_str().unwrap().to_owned();
    let second = ask(&format!("grant_type=refresh_token&refresh_token={refresh}"));
    assert_ne!(token(&first), token(&second));
    assert_eq!(
        ask("grant_type=refresh_token&refresh_token=x").status(),
        401
    );
}

#[test]
fn tokens_expire_by_time_and_by_rule() {
    let rules = vec![Rule::new("GET", "/v2/", When::Nth(2), Fault::Expire)];
    let (_registry, proxy) = scene(Duration::from_secs(1), rules);
    let host = proxy.host();
    let give = || {
        let mut admin = Client::new(&host).basic("admin", "Harbor12345");
        let token = token(&admin.ask("GET", "/token?service=registry.test"));
        Client::new(&host).bearer(&token)
    };
    let mut client = give();
    assert_eq!(client.ask("GET", "/v2/").status(), 200);
    let expired = client.ask("GET", "/v2/");
    assert_eq!(expired.status(), 401);
    assert!(expired.header("www-authenticate").contains("invalid_token"));
    let mut client = give();
    assert_eq!(client.ask("GET", "/v2/").status(), 200);
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(client.ask("GET", "/v2/").status(), 401);
}

#[test]
fn skopeo_pushes_and_pulls_through_it() {
    let (registry, proxy) = scene(Duration::from_secs(60), Vec::new());
    stock::image(&mut Client::new(registry.host()), "ci/app", "1", b"layer");
    let copy = |to: &str, password: &str| {
        run_text(
            skopeo()
                .args([
                    "copy",
                    "--quiet",
                    "--src-tls-verify=false",
                    "--dest-tls-verify=false",
                ])
                .args(["--dest-creds", &format!("{ROBOT}:{password}")])
                .arg(format!("docker://{}/ci/app:1", registry.host()))
                .arg(format!("docker://{}/{to}", proxy.host())),
        )
    };
    copy("ci/copy:2", "s3cr$t").unwrap();
    assert!(copy("ci/copy:2", "wrong").is_err());
    assert!(copy("secret/copy:2", "s3cr$t").is_err());
    let uploads = registry.uploads();
    assert_eq!(uploads.manifests[&("ci/copy".into(), "2".into())], 1);
}
