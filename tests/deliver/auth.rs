//! Getting in: passwords, tokens, certificates; and nothing of it shows anywhere.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use fusion_core::ErrorKind;
use std::time::Duration;

use super::Yard;
use crate::registry::docker::{DockerRegistry, Options};
use crate::registry::faults::{Fault, Rule, When};
use crate::registry::proxy::Proxy;
use crate::registry::token_auth::{TokenAuth, User};

const APP: &str = "docker.io/acme/app:1";
const USER: &str = "robot$p+ci";
const HOUR: Duration = Duration::from_secs(3600);
const SECRET: &str = "s3cr3t-W0rd-9";

#[test]
fn a_password_and_a_test_authority() {
    let registry = DockerRegistry::start(&Options::default().auth(USER, SECRET).tls());
    let yard = Yard::new();
    let [amd, arm] = yard.pair(&[APP], 2000);
    let to = format!("{}/p", registry.host());
    let ca = registry.ca_file();
    let ca = ca.to_str().unwrap();

    let failure = yard.try_push(&[&amd], &to, &[]).unwrap_err();
    assert_eq!(
        failure.error.kind(),
        ErrorKind::Unreachable,
        "{}",
        failure.error
    );
    let failure = yard.try_push(&[&amd], &to, &[("tls-ca", ca)]).unwrap_err();
    assert_eq!(
        failure.error.kind(),
        ErrorKind::Unauthorized,
        "{}",
        failure.error
    );
    let wrong = [("tls-ca", ca), ("username", USER), ("password", "wrong")];
    let failure = yard.try_push(&[&amd], &to, &wrong).unwrap_err();
    assert_eq!(
        failure.error.kind(),
        ErrorKind::Unauthorized,
        "{}",
        failure.error
    );
    yard.push(
        &[&amd, &arm],
        &to,
        &[("tls-ca", ca), ("username", USER), ("password", SECRET)],
    );

    // As docker keeps it.
    let config = yard.path("docker");
    fs::create_dir(&config).unwrap();
    let pair = crate::registry::words::base64(format!("{USER}:{SECRET}").as_bytes());
    let auths = serde_json::json!({"auths": {registry.host(): {"auth": pair}}});
    fs::write(config.join("config.json"), auths.to_string()).unwrap();
    let mut command = yard.fusion(&["push", amd.to_str().unwrap(), "--to", &to, "--tls-ca", ca]);
    let ran = command.env("DOCKER_CONFIG", &config).output().unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// As a node has them where only root may look.
#[test]
fn certificates_that_this_user_may_not_see_are_passed_over() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let [amd, _] = yard.pair(&[APP], 2000);
    let to = format!("{}/p", registry.host());
    let folder = yard
        .path(".config/containers/certs.d")
        .join(registry.host());
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = yard.fusion_as_nobody(&["push", amd.to_str().unwrap(), "--to", &to]);
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
}

#[test]
fn tokens_that_expire_midway_are_renewed() {
    let registry = DockerRegistry::open();
    let yard = Yard::new();
    let [amd, arm] = yard.pair(&[APP, "docker.io/acme/other:1"], 20_000);
    let tokens = TokenAuth::new(vec![User::new(USER, SECRET)], HOUR);
    let rules = vec![
        Rule::new("PUT", "/v2/*/manifests/*", When::Nth(2), Fault::Expire),
        Rule::new("HEAD", "/v2/*/blobs/*", When::Nth(2), Fault::Expire),
        Rule::new("POST", "/v2/*/blobs/*", When::Nth(3), Fault::Expire),
        Rule::new("P*", "/v2/*/blobs/*", When::Nth(9), Fault::Expire),
    ];
    let proxy = Proxy::demanding(registry.host(), rules, tokens);
    let to = format!("{}/p", proxy.host());
    yard.push(
        &[&amd, &arm],
        &to,
        &[("username", USER), ("password", SECRET)],
    );
    assert!(proxy.spoiled() > 1, "{}", proxy.spoiled());
    assert!(proxy.tokens() > 2, "{}", proxy.tokens());
}

/// Everything that a run says, at its loudest, whether it works or not.
#[test]
fn no_secret_is_ever_shown() {
    let registry = DockerRegistry::open();
    let yard = Yard::new();
    let [amd, _] = yard.pair(&[APP], 20_000);
    let tokens = TokenAuth::new(vec![User::new(USER, SECRET)], HOUR);
    let rules = vec![
        Rule::new("PATCH", "*", When::First(1), Fault::Drop),
        Rule::new("PUT", "*", When::First(2), Fault::page(503)),
        Rule::new("GET", "/token", When::Nth(2), Fault::page(500)),
    ];
    let proxy = Proxy::demanding(registry.host(), rules, tokens);
    let to = format!("{}/p", proxy.host());
    let pair = crate::registry::words::base64(format!("{USER}:{SECRET}").as_bytes());
    let mut said = String::new();
    for (password, fails) in [(SECRET, false), ("other-S3cret-1", true)] {
        let log = yard.path(&format!("log-{fails}"));
        let report = yard.path(&format!("report-{fails}"));
        let mut command = yard.fusion(&["push", amd.to_str().unwrap(), "--to", &to, "-vvv"]);
        command
            .args(["--username", USER, "--password-stdin", "--log-file"])
            .arg(&log)
            .arg("--report")
            .arg(&report)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        {
            use std::io::Write;
            writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
        }
        // What others on the machine can see.
        let words = fs::read(format!("/proc/{}/cmdline", child.id())).unwrap_or_default();
        let around = fs::read(format!("/proc/{}/environ", child.id())).unwrap_or_default();
        let ran = child.wait_with_output().unwrap();
        assert_eq!(
            ran.status.success(),
            !fails,
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        for bytes in [&words, &around, &ran.stdout, &ran.stderr] {
            said.push_str(&String::from_utf8_lossy(bytes));
        }
        for file in [&log, &report] {
            said.push_str(&fs::read_to_string(file).unwrap());
        }
    }
    assert!(said.contains("/v2/"), "the log tells of requests: {said}");
    for secret in [
        SECRET,
        "other-S3cret-1",
        &pair,
        "Bearer ",
        "Basic ",
        "_state=",
        "test-token-",
    ] {
        assert!(!said.contains(secret), "`{secret}` shows");
    }
}

#[test]
fn user_and_password_are_shown_to_nobody_but_the_registry_they_are_for() {
    let registry = DockerRegistry::open();
    let yard = Yard::new();
    let [amd, arm] = yard.pair(&[APP], 2000);
    yard.push(&[&amd], &format!("{}/p", registry.host()), &[]);
    // What is pushed to asks for a password; the source asks for none, and would take any.
    let user = || vec![User::new(USER, SECRET)];
    let target = Proxy::demanding(registry.host(), Vec::new(), TokenAuth::new(user(), HOUR));
    let source = Proxy::demanding(
        registry.host(),
        Vec::new(),
        TokenAuth::new(user(), HOUR).readable(),
    );
    let from = format!("docker://{}/p/acme/app:1", source.host());
    let chosen = [("username", USER), ("password", SECRET)];
    let sources = [std::path::Path::new(&from), arm.as_path()];
    yard.push(&sources, &format!("{}/q", target.host()), &chosen);
    let shown = source
        .seen()
        .iter()
        .any(|seen| seen.scheme.as_deref() == Some("Basic"));
    assert!(!shown, "the source saw the password");
    // Which of two registries they are for cannot be told.
    let plan = fusion_core::deliver::fuse(
        &[&from, &format!("docker://{}/p/acme/app:1", target.host())]
            .map(|name| fusion_core::location::Location::parse(name).unwrap()),
        None,
        &yard.options(&[
            ("username", USER),
            ("password", SECRET),
            ("dry-run", "true"),
        ]),
        None,
        &fusion_core::progress::Stop::new(),
    );
    assert_eq!(plan.unwrap_err().error.kind(), ErrorKind::Usage);
}

/// As docker keeps them for a registry that asks its clients for certificates.
#[test]
fn a_certificate_of_the_clients_own() {
    let options = Options {
        client_certificates: true,
        ..Options::default().tls()
    };
    let registry = DockerRegistry::start(&options);
    let yard = Yard::new();
    let [amd, _] = yard.pair(&[APP], 2000);
    let to = format!("{}/p", registry.host());
    let mut chosen = yard.options(&[]);
    let push = |options: &fusion_core::deliver::DeliverOptions| {
        let source = fusion_core::location::Location::parse(&amd).unwrap();
        let stop = fusion_core::progress::Stop::new();
        fusion_core::deliver::push(&[source], &to, options, None, &stop)
    };
    let certificates = yard.path("certs.d");
    let own = certificates.join(registry.host());
    fs::create_dir_all(&own).unwrap();
    fs::copy(registry.ca_file(), own.join("ca.crt")).unwrap();
    chosen.fuse.connect.settings.certificates = vec![certificates];
    let failure = push(&chosen).unwrap_err();
    assert_eq!(
        failure.error.kind(),
        ErrorKind::Unreachable,
        "{:?}",
        failure.error
    );
    let pair = registry.client();
    fs::copy(&pair.certificate, own.join("client.cert")).unwrap();
    fs::copy(&pair.key, own.join("client.key")).unwrap();
    push(&chosen).unwrap_or_else(|failure| panic!("{:?}", failure.error));
}
