//! Nothing that prints shows a secret.

use std::fmt::{Debug, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::super::auth::Credentials;
use super::super::testing::{Reply, Server, empty};
use super::super::{Access, Client, Secret};
use crate::error::ErrorKind;
use crate::settings::Settings;

/// Records what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Show<'a>(&'a mut String);
        impl tracing::field::Visit for Show<'_> {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
                writeln!(self.0, "{field}: {value:?}").unwrap();
            }
        }
        event.record(&mut Show(&mut self.0.lock().unwrap()));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

const SECRETS: &[&str] = &["hunter2", "tok-secret", "state-secret", "presigned-secret"];

#[test]
fn no_secret_is_shown_by_logs_errors_or_debugging() {
    let storage = Server::start(|_, _| Reply::new(503));
    let presigned = format!("http://{}/x?sig=presigned-secret", storage.host);
    let server = Server::start(move |request, _| {
        let authorized = request.header("Authorization") == Some("Bearer tok-secret");
        match request.method.as_str() {
            _ if request.path.starts_with("/token") => {
                Reply::new(200).body(r#"{"token":"tok-secret"}"#)
            }
            _ if !authorized => {
                Reply::new(401).header("WWW-Authenticate", "Bearer realm=\"/token\"")
            }
            "POST" => Reply::new(202).header("Location", "/up/1?_state=state-secret"),
            "PUT" | "PATCH" => Reply::new(500),
            _ => Reply::new(307).header("Location", &presigned),
        }
    });
    let access = Access {
        username: Some("robot".to_owned()),
        password: Some(Secret::new("hunter2")),
        retries: 1,
        ..Access::default()
    };
    let settings = Settings {
        https_proxy: Some("http://me:hunter2@proxy:1".to_owned()),
        ..Settings::default()
    };
    let client = server.client_with(access, settings);
    let log = Log::default();
    let mut shown = String::new();
    tracing::subscriber::with_default(log.clone(), || {
        let repository = client.repository(&server.host, "t/app");
        let mut memory = crate::store::Memory::default();
        let digest = memory.insert(vec![1; 10]);
        let blob = crate::store::Expected {
            digest,
            size: 10,
            diff_id: None,
        };
        let progress = crate::progress::Progress::default();
        let mut transfer = crate::store::Transfer::new(&progress);
        let failed = repository.upload(&memory, &blob, &mut transfer, None);
        writeln!(shown, "{:?}", failed.unwrap_err()).unwrap();
        let failed = repository.reader(&digest, 10).map(drop);
        writeln!(shown, "{:?}", failed.unwrap_err()).unwrap();
        writeln!(shown, "{repository:?} {client:?}").unwrap();
    });
    let logged = log.0.lock().unwrap().clone();
    assert!(
        logged.contains("POST http://"),
        "nothing was logged: {logged}"
    );
    assert!(logged.contains("/up/1: 500"), "{logged}");
    shown.push_str(&logged);
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    let known = Credentials::Identity(Secret::new("hunter2"));
    let secret = Secret::new("hunter2");
    let all = format!("{known:?} {secret:?} {secret}");
    assert!(!all.contains("hunter2"), "{all}");
}

/// A credential helper in `folder`, which the test's own PATH does not have: its full name goes
/// by a link from there.
fn helper(folder: &Path, name: &str, script: &str) -> String {
    let path = folder.join(format!("docker-credential-{name}"));
    std::fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_helper_is_asked_for_the_host_and_its_answer_kept_secret() {
    let folder = tempfile::tempdir().unwrap();
    let run = |script: &str| {
        let program = helper(folder.path(), "x", script);
        super::super::auth::ask_program(&program, "h:5000", &Default::default())
    };
    let answer = r#"read -r host || true
        [ "$1 $host" = "get h:5000" ] || exit 9
        echo '{"ServerURL":"h:5000","Username":"robot$p","Secret":"hunter2"}'"#;
    let known = run(answer).unwrap().unwrap();
    assert_eq!(
        known,
        Credentials::Basic("robot$p".to_owned(), Secret::new("hunter2"))
    );
    assert!(!format!("{known:?}").contains("hunter2"));
    let identity = r#"echo '{"Username":"<token>","Secret":"t"}'"#;
    assert_eq!(
        run(identity).unwrap(),
        Some(Credentials::Identity(Secret::new("t")))
    );
    let unknown = "echo 'credentials not found in native keychain'; exit 1";
    assert_eq!(run(unknown).unwrap(), None);
    for (script, why) in [
        (
            "echo 'the keychain is locked'; exit 1",
            "the keychain is locked",
        ),
        ("echo hunter2", "not JSON"),
    ] {
        let error = run(script).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert!(
            error.message().contains(why) && !error.message().contains("hunter2"),
            "{error}"
        );
    }
    let error = super::super::auth::ask_program("/nowhere/x", "h", &Default::default());
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unauthorized);
}

#[test]
fn a_helper_that_hangs_is_ended_by_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let program = helper(folder.path(), "slow", "exec sleep 30");
    let stop = crate::progress::Stop::new();
    let stopper = stop.clone();
    let waiting = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        stopper.request();
    });
    let begun = std::time::Instant::now();
    let error = super::super::auth::ask_program(&program, "h", &stop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(begun.elapsed().as_millis() < 600);
    waiting.join().unwrap();
}

#[test]
fn a_helper_that_is_named_and_missing_is_an_error() {
    let server = Server::start(|_, _| Reply::new(401).header("WWW-Authenticate", "Basic realm=x"));
    let folder = tempfile::tempdir().unwrap();
    let config = r#"{"credsStore":"that-nobody-has"}"#;
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    let settings = Settings {
        docker_config: Some(folder.path().to_owned()),
        ..Settings::default()
    };
    let client: Client = server.client_with(Access::default(), settings);
    let repository = client.repository(&server.host, "t/app");
    let error = repository.has(&empty()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(
        error
            .message()
            .contains("docker-credential-that-nobody-has"),
        "{error}"
    );
}
