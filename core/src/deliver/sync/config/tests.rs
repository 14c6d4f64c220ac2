use super::*;
use crate::chart::repository::RepositoryKind;
use crate::oci::Reference;
use crate::settings::Account;

mod refused;

/// The page of documentation that many copy from, to the letter: its `auth:` is empty.
const PAGE: &str = r#"source:
  intermediateBundlesPath: kairship # 节点上执行 load-image.yaml 文件的路径。
target:
  containerRegistry: 10.16.10.111 # 镜像仓库地址
  containerRepository: release.daocloud.io/kairship # 镜像仓库路径
  repo:
    kind: HARBOR # Helm Chart 仓库类别
    url: http://10.16.10.111/chartrepo/release.daocloud.io # Helm 仓库地址
    auth:
    username: "admin" # 镜像仓库用户名
    password: "Harbor12345" # 镜像仓库密码
  containers:
    auth:
      username: "admin" # Helm 仓库用户名
      password: "Harbor12345" # Helm 仓库密码
"#;

/// A file that lacks nothing, with `more` in its target.
fn with(more: &str) -> String {
    format!(
        "source:\n  intermediateBundlesPath: bundles\ntarget:\n  \
         repo: {{kind: CHARTMUSEUM, url: 'http://charts.local:8080/'}}\n{more}"
    )
}

fn read_with(text: &str, settings: &Settings) -> Result<SyncConfig> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("load-image.yaml");
    std::fs::write(&path, text).expect("written");
    SyncConfig::read(&path, settings)
}

fn read(text: &str) -> SyncConfig {
    read_with(text, &Settings::default()).expect(text)
}

fn codes(config: &SyncConfig) -> Vec<&'static str> {
    config.warnings.iter().map(|warning| warning.code).collect()
}

fn login(login: Option<&(String, Secret)>) -> Option<(&str, &str)> {
    login.map(|(user, password)| (user.as_str(), password.expose()))
}

fn account(repository: &RepositorySpec) -> (Option<&str>, Option<&str>) {
    let password = repository.password.as_ref().map(Secret::expose);
    (repository.username.as_deref(), password)
}

/// Where an image goes.
fn placed(config: &SyncConfig, spelled: &str) -> String {
    let reference: Reference = spelled.parse().expect("a reference");
    let target = config.relocation.target(&reference, spelled);
    target.expect("a target").to_string()
}

#[test]
fn the_page_works_as_it_is_printed() {
    // With the indentation of the page, and without.
    let indented: String = PAGE
        .lines()
        .map(|line| format!("        {line}\n"))
        .collect();
    for text in [PAGE, indented.as_str()] {
        let config = read(text);
        // Below the current folder, not beside the file.
        assert_eq!(config.source, Path::new("kairship"));
        assert_eq!(
            placed(
                &config,
                "release.daocloud.io/kairship/kairship-apiserver:v0.21.0"
            ),
            "10.16.10.111/release.daocloud.io/kairship/kairship-apiserver:v0.21.0"
        );
        assert_eq!(config.repository.kind, RepositoryKind::Harbor);
        assert_eq!(
            config.repository.url,
            "http://10.16.10.111/chartrepo/release.daocloud.io"
        );
        let admin = (Some("admin"), Some("Harbor12345"));
        assert_eq!(account(&config.repository), admin);
        assert_eq!(
            login(config.registry_login.as_ref()),
            Some(("admin", "Harbor12345"))
        );
        assert!(!config.registry_plain_http);
        assert_eq!(codes(&config), ["misplaced-auth"]);
        let message = &config.warnings[0].message;
        for part in [
            "load-image.yaml`: line 10: ",
            "`target.repo.username` and `target.repo.password`",
            "`target.repo.auth`",
            "`auth: {username: …, password: …}`",
        ] {
            assert!(message.contains(part), "{message}");
        }
        assert!(!message.contains("Harbor12345"), "{message}");
    }
}

#[test]
fn the_other_form_of_the_page_works_too() {
    let page = PAGE
        .split("  repo:\n")
        .next()
        .expect("a beginning")
        .to_owned()
        + "  repo:\n    kind: LOCAL\n    path: ./local-repo # chart 本地路径\n  containers:\n    \
           auth:\n      username: \"admin\"\n      password: \"Harbor12345\"\n";
    let config = read(&page);
    assert_eq!(config.repository.kind, RepositoryKind::Local);
    assert_eq!(
        config.repository.path.as_deref(),
        Some(Path::new("./local-repo"))
    );
    assert_eq!(account(&config.repository), (None, None));
    assert_eq!(codes(&config), Vec::<&str>::new());
}

#[test]
fn every_setting_of_charts_syncer_is_read() {
    let config = read(
        r"
source:
  intermediateBundlesPath: /data/bundles
  containers: {kind: HARBOR, auth: {registry: r, username: u, password: p}}
target:
  containerRegistry: http://harbor.local:8443/
  containerRepository: /p/q/
  repoName: myrepo
  repo:
    kind: OCI
    url: oci://harbor.local:8443/charts/
    auth: {username: 1234, password: 0123}
    chartsIndex: harbor.local/index:latest
    useChartsIndex: false
    disableChartsIndex: true
  containers:
    kind: HARBOR
    auth: {username: robot$p+ci, password: 'it''s', registry: 'harbor.local:8443'}
charts:
  - name: dao-2048
    versions: [1.10, 1.4.1+build]
    skipImages: true
  - redis
relocateContainerImages: true
",
    );
    assert_eq!(config.source, Path::new("/data/bundles"));
    assert!(config.registry_plain_http);
    assert_eq!(
        placed(&config, "ghcr.io/a/app:1"),
        "harbor.local:8443/p/q/app:1"
    );
    assert_eq!(config.repository.url, "oci://harbor.local:8443/charts");
    // As they are written, not as the numbers that they are.
    assert_eq!(account(&config.repository), (Some("1234"), Some("0123")));
    assert_eq!(
        login(config.registry_login.as_ref()),
        Some(("robot$p+ci", "it's"))
    );
    let choice = |name: &str, versions: &[&str], skip_images| ChartChoice {
        name: name.to_owned(),
        versions: versions
            .iter()
            .map(|version| (*version).to_owned())
            .collect(),
        skip_images,
    };
    let chosen = [
        choice("dao-2048", &["1.10", "1.4.1+build"], true),
        choice("redis", &[], false),
    ];
    assert_eq!(config.charts, chosen);
    assert_eq!(codes(&config), Vec::<&str>::new());
    assert!(!format!("{config:?}").contains("it's"));
}

#[test]
fn the_rules_for_names_are_read() {
    let app = "ghcr.io/acme/app:1";
    for (settings, expected) in [
        ("  containerRegistry: h.local\n", "h.local/acme/app:1"),
        ("  containerRegistry: h.local/p\n", "h.local/p/acme/app:1"),
        ("  container_registry: h.local\n", "h.local/acme/app:1"),
        ("  containerRepository: p\n", "ghcr.io/p/app:1"),
        ("  containerPrefixRepository: p\n", "ghcr.io/p/acme/app:1"),
        (
            "  containerPrefixRegistry: h.local\n",
            "h.local/ghcr.io/acme/app:1",
        ),
        (
            "  containerPrefixRegistry: h.local\n  appendOriginRegistry: true\n",
            "h.local/ghcr.io/acme/app:1",
        ),
        (
            "  containerPrefixRegistry: h.local\n  containerPrefixRepository: p\n",
            "h.local/ghcr.io/p/acme/app:1",
        ),
    ] {
        let config = read(&with(settings));
        assert_eq!(placed(&config, app), expected, "{settings}");
        assert_eq!(codes(&config), Vec::<&str>::new(), "{settings}");
    }
}

#[test]
fn sections_may_be_empty() {
    let config = read(&with(
        "  containerRegistry: h.local\n  containers:\n  repoName:\ncharts:\nskipCharts: [mariadb, \"a_b\"]\nrelocateContainerImages:\n",
    ));
    assert!(config.charts.is_empty());
    assert_eq!(config.skip_charts, ["mariadb", "a_b"]);
    assert!(config.registry_login.is_none());
    let config = read(&with(
        "  containerRegistry: h.local\n  containers: {auth: }\n",
    ));
    assert!(config.registry_login.is_none());
    let nobody = with("  containerRegistry: h.local\n").replace(
        "url: 'http://charts.local:8080/'",
        "url: 'http://h', auth: {}",
    );
    assert_eq!(account(&read(&nobody).repository), (None, None));
    // A slash at the end means nothing.
    assert_eq!(config.repository.url, "http://charts.local:8080");
}

#[test]
fn kinds_may_be_protobufs_numbers() {
    let text = with("  containerRegistry: h.local\n").replace("CHARTMUSEUM", "2");
    assert_eq!(read(&text).repository.kind, RepositoryKind::ChartMuseum);
}

#[test]
fn what_has_no_effect_is_told() {
    for (settings, code, setting) in [
        (
            "  containerRegistry: a.local\n  containerPrefixRegistry: b.local\n",
            "ignored-setting",
            "line 5: `target.containerRegistry`",
        ),
        (
            "  containerRegistry: a.local\n  containerRepository: p\n  containerPrefixRepository: q\n",
            "ignored-setting",
            "line 7: `target.containerPrefixRepository`",
        ),
        (
            "  containerPrefixRegistry: a.local\n  appendOriginRegistry: true\n  containerPrefixRepository: q\n",
            "ignored-setting",
            "line 7: `target.containerPrefixRepository`",
        ),
        (
            "  containerRepository: p\n  containers: {auth: {username: a, password: b}}\n",
            "ignored-setting",
            "line 6: `target.containers`",
        ),
        (
            "  containerRegistry: a.local\n  containers:\n    auth: {username: a, password: b, registry: other.local}\n",
            "ignored-setting",
            "line 7: `target.containers.auth.registry`",
        ),
        (
            "  containerRegistry: a.local\n  containers: {kind: JFROG}\n",
            "ignored-setting",
            "line 6: `target.containers.kind`",
        ),
        (
            "  containerRegistry: a.local\n  containers:\n    auth:\n    username: a\n    password: b\n",
            "misplaced-auth",
            "line 8: `target.containers.username` and `target.containers.password`",
        ),
    ] {
        let config = read(&with(settings));
        assert_eq!(codes(&config), [code], "{settings}");
        let message = &config.warnings[0].message;
        assert!(
            message.contains(&format!("load-image.yaml`: {setting}")),
            "{message}"
        );
    }
    let local = with("  containerRegistry: a.local\n").replace(
        "{kind: CHARTMUSEUM, url: 'http://charts.local:8080/'}",
        "{kind: LOCAL}",
    );
    let config = read(&local);
    assert_eq!(codes(&config), ["current-folder"]);
    assert_eq!(config.repository.path.as_deref(), Some(Path::new(".")));
}

#[test]
fn the_environment_goes_first() {
    let account_of = |username: Option<&str>, password: Option<&str>| Account {
        username: username.map(str::to_owned),
        password: password.map(str::to_owned),
    };
    let settings = |repository, registry| Settings {
        target_repository: repository,
        target_registry: registry,
        ..Settings::default()
    };
    let nobody = || account_of(None, None);
    let both = || account_of(Some("env"), Some("secret"));
    let text = with("  containerRegistry: h.local\n");
    let config = read_with(&text, &settings(both(), both())).expect("a configuration");
    assert_eq!(account(&config.repository), (Some("env"), Some("secret")));
    assert_eq!(
        login(config.registry_login.as_ref()),
        Some(("env", "secret"))
    );
    // One by one.
    let password = account_of(None, Some("secret"));
    let config = read_with(PAGE, &settings(password, nobody())).expect("a configuration");
    assert_eq!(account(&config.repository), (Some("admin"), Some("secret")));
    assert_eq!(
        login(config.registry_login.as_ref()),
        Some(("admin", "Harbor12345"))
    );
    // A password that waits for its user, and one that nobody wants.
    let password = || account_of(None, Some("secret"));
    for settings in [
        settings(password(), nobody()),
        settings(nobody(), password()),
    ] {
        let error = read_with(&text, &settings).expect_err("no user");
        assert!(error.to_string().contains("load-image.yaml"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
