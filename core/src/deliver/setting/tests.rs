use std::path::Path;

use super::*;
use crate::error::ErrorKind;

const KNOWN: &[&str] = &[
    "target.repo.url",
    "target.repo.kind",
    "target.repo.auth.username",
    "target.containers.auth.username",
    "target.containerRegistry",
    "source.path",
    "charts[].name",
    "charts[].versions",
    "switch",
    "port",
];

/// A file of settings that is gone when this is.
struct Written {
    folder: tempfile::TempDir,
}

impl Written {
    fn new(text: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("c.yaml"), text).expect("written");
        Self { folder }
    }

    fn sheet(&self) -> Result<Sheet> {
        Sheet::read(&self.folder.path().join("c.yaml"), KNOWN)
    }
}

fn sheet(text: &str) -> Sheet {
    Written::new(text).sheet().expect("a sheet")
}

/// What is wrong with the names below `section`.
fn unknown(text: &str, section: &str) -> (String, String) {
    let sheet = sheet(text);
    let mut fields = sheet.root().expect("settings");
    for part in section.split('.').filter(|part| !part.is_empty()) {
        fields = fields.fields(part).expect("a section").expect("there");
    }
    let error = fields.known(&[]).err().expect("an error");
    let hint = error.get_hint().unwrap_or_default().to_owned();
    (error.message().to_owned(), hint)
}

#[test]
fn unknown_names_are_told_with_what_was_meant() {
    for (text, section, message) in [
        (
            "target:\n  repo:\n    kindd: X\n",
            "target.repo",
            "line 3: `target.repo.kindd` is no setting: did you mean `kind`?",
        ),
        (
            "target:\n  repo:\n    containerRegistry: h.local\n",
            "target.repo",
            "line 3: `target.repo.containerRegistry` is no setting: did you mean `target.containerRegistry`?",
        ),
        (
            "containerRegistry: h.local\n",
            "",
            "line 1: `containerRegistry` is no setting: did you mean `target.containerRegistry`?",
        ),
        (
            "target:\n  repo:\n    username: me\n",
            "target.repo",
            "line 3: `target.repo.username` is no setting: did you mean `target.repo.auth.username`?",
        ),
        (
            "target:\n\n  username: me\n",
            "target",
            "line 3: `target.username` is no setting: did you mean `target.repo.auth.username` \
             or `target.containers.auth.username`?",
        ),
        (
            "repo: {url: x}\n",
            "",
            "line 1: `repo` is no setting: did you mean `target.repo`?",
        ),
        (
            "target: {container_registri: h.local}\n",
            "target",
            "line 1: `target.container_registri` is no setting: did you mean `containerRegistry`?",
        ),
    ] {
        assert_eq!(unknown(text, section).0, message);
    }
    let (message, hint) = unknown("source:\n  name: x\n", "source");
    assert_eq!(message, "line 2: `source.name` is no setting");
    assert_eq!(hint, "there are `path`");
}

#[test]
fn items_of_lists_are_counted() {
    let sheet = sheet("charts:\n  - name: a\n  - name: b\n    nmae: c\n");
    let charts = sheet
        .root()
        .expect("settings")
        .items("charts")
        .expect("a list");
    assert!(charts[0].fields().expect("a block").known(&[]).is_ok());
    let error = charts[1].fields().expect("a block").known(&[]).err();
    assert_eq!(
        error.expect("an error").message(),
        "line 4: `charts[1].nmae` is no setting: did you mean `name`?"
    );
}

#[test]
fn both_spellings_of_protobuf_are_read_and_not_both_at_once() {
    let one = sheet("target:\n  container_registry: h.local\n");
    let target = one.root().and_then(|root| root.section("target"));
    let target = target.expect("known").expect("there");
    assert_eq!(
        target.text("containerRegistry").expect("a text"),
        Some("h.local")
    );
    let two = sheet("target:\n  containerRegistry: a.local\n  container_registry: b.local\n");
    let error = two.root().and_then(|root| root.fields("target")).err();
    assert_eq!(
        error.expect("an error").message(),
        "line 3: `target.container_registry` is there already, in line 2, as \
         `target.containerRegistry`"
    );
}

#[test]
fn values_are_what_they_are_read_as() {
    let sheet =
        sheet("switch: yes\nport: 8081\ncharts: [1.10, 0x1F, '', ~]\nsource: [a]\ntarget: text\n");
    let root = sheet.root().expect("settings");
    assert!(root.flag("switch").expect("a flag"));
    assert_eq!(
        root.get("port").expect("there").port().expect("a port"),
        8081
    );
    let items = root.items("charts").expect("a list");
    assert_eq!(items[0].text().expect("a text"), "1.10");
    assert_eq!(items[1].text().expect("a text"), "0x1F");
    assert_eq!(items[2].text().expect("a text"), "");
    let message = |error: Error| error.message().to_owned();
    assert_eq!(
        items[3].text().map_err(message),
        Err("line 3: `charts[3]` is nothing, where a text is wanted".to_owned())
    );
    assert_eq!(
        root.text("source").map_err(message),
        Err("line 4: `source` is a list, where a text is wanted".to_owned())
    );
    assert_eq!(
        root.flag("port").map_err(message),
        Err("line 2: `port` is a number, where `true` or `false` is wanted".to_owned())
    );
    assert_eq!(
        root.fields("target").map(|_| ()).map_err(message),
        Err("line 5: `target` is text, where a block of settings is wanted".to_owned())
    );
    assert_eq!(
        items[0].port().map_err(message),
        Err("line 3: `charts[0]` is no port: those are numbers from 1 to 65535".to_owned())
    );
}

#[test]
fn nothing_is_read_from_what_is_no_sheet() {
    for (text, message) in [
        (&b""[..], "it has no settings"),
        (b"# nothing\n", "it has no settings"),
        (b"- a\n", "it is a list, where settings are wanted"),
        (b"text\n", "it is text, where settings are wanted"),
        (b"a: \xff\n", "it is no text in UTF-8"),
    ] {
        let written = Written::new(text);
        let error = written.sheet().and_then(|sheet| sheet.root().map(|_| ()));
        let error = error.expect_err("an error");
        assert_eq!(error.message(), message);
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(
            error
                .get_path()
                .is_some_and(|path| path.ends_with("c.yaml"))
        );
    }
    let twice = Written::new("source: 1\nsource: 2\n").sheet().err();
    let twice = twice.expect("an error").to_string();
    assert!(
        twice.contains("c.yaml`: line 2: ") && twice.contains("`source`"),
        "{twice}"
    );
    let gone = Sheet::read(Path::new("no/such.yaml"), KNOWN).err();
    assert_eq!(gone.expect("an error").kind(), ErrorKind::NotFound);
}

#[test]
fn addresses_are_checked() {
    let address = |text: &str| {
        let sheet = sheet(&format!("source: {{path: \"{text}\"}}\n"));
        let source = sheet.root().and_then(|root| root.fields("source"));
        let source = source.expect("a section").expect("there");
        let setting = source.get("path").expect("there");
        Address::of(setting, &[Scheme::Https, Scheme::Http])
            .map(|address| address.to_string())
            .map_err(|error| {
                (
                    error.message().to_owned(),
                    error.get_hint().map(str::to_owned),
                )
            })
    };
    for (text, expected) in [
        ("https://h.local", "https://h.local"),
        ("HTTP://h:8080/a/b/", "http://h:8080/a/b"),
        (" http://[::1]:80/a ", "http://[::1]:80/a"),
    ] {
        assert_eq!(address(text).as_deref(), Ok(expected), "{text}");
    }
    let (message, hint) = address("h.local/charts").expect_err("no scheme");
    assert_eq!(
        message,
        "line 1: `source.path` is `h.local/charts`, which has no scheme"
    );
    assert_eq!(
        hint.as_deref(),
        Some("write `https://h.local/charts` or `http://h.local/charts`")
    );
    for (text, why) in [
        ("oci://h.local/a", "`oci://` is not for this"),
        ("http://", "names no server"),
        ("http:///a", "names no server"),
        ("http://:80/a", "names no server"),
        ("http://h.local//a", "two slashes in a row"),
        ("http://{harbor url}/a", "`{` has no place in an address"),
        ("http://h.local/a?b", "`?` has no place in an address"),
        ("http://me:secret@h.local/a", "has a user in it"),
    ] {
        let (message, _) = address(text).expect_err(text);
        assert!(message.contains(why), "{text}: {message}");
        assert!(!message.contains("secret"), "{message}");
    }
}
