use super::*;
use crate::chart::repository::RepositoryKind;

/// As the installer's sample has it: empty sections, and most of it comments.
const SAMPLE: &str = r#"apiVersion: provision.daocloud.io/v1alpha3
kind: ClusterConfig
metadata:
spec:
  clusterName: my-cluster
  # bootstrapNode: auto
  #tinderKind:
  #  registryPort: 443
  loadBalancer:
    type: metallb
    istioGatewayVip: xx.xx.xx.xx/32 # 当 loadBalancer.type 是 metallb 时必填
  masterNodes:
    - nodeName: "g-master1" # nodeName 将覆盖 hostName
      ip: xx.xx.xx.xx
      ansiblePass: "dangerous"
  fullPackagePath: "/home/offline"
  osRepos: # 操作系统软件源
    type: builtin
    isoPath: "/home/CentOS-7-x86_64-DVD-2009.iso"
    # externalRepoURLs: ['https://extertal-repo.daocloud.io/kubean/centos/\$releasever/os/\$basearch/']
  imagesAndCharts: # 镜像仓库和 Chart仓库源
    # official-service(default), builtin or external
    type: builtin
  addonPackage: # 应用商店 addon 离线包
    # path: "/home/addon-offline-full-package-v0.4.8-amd64.tar.gz"
  binaries: # 二进制可执行文件
    type: builtin
"#;

/// The form of the page on registries that were there before: its ChartMuseum has no user.
const EXTERNAL: &str = "apiVersion: provision.daocloud.io/v1alpha3
kind: ClusterConfig
metadata:
spec:
  imagesAndCharts:
    type: external

    externalImageRepo: https://external-registry.daocloud.io
    externalImageRepoUsername: admin
    externalImageRepoPassword: Harbor12345

    # 支持 chartmuseum, harbor, jfrog
    externalChartRepoType: chartmuseum
    externalChartRepo: https://external-charts.daocloud.io:8081
    externalChartRepoPassword: rootpass123
";

/// The sample, on a node that has an address.
fn builtin() -> String {
    SAMPLE.replace("# bootstrapNode: auto", "bootstrapNode: 10.5.14.40")
}

fn try_read(text: &str) -> Result<AddonConfig> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clusterConfig.yaml");
    std::fs::write(&path, text).expect("written");
    AddonConfig::read(&path)
}

fn read(text: &str) -> AddonConfig {
    try_read(text).expect(text)
}

fn refused(text: &str) -> Error {
    let error = try_read(text).expect_err(text);
    let path = error.get_path().expect("a path");
    assert!(path.ends_with("clusterConfig.yaml") && error.get_member().is_none());
    error
}

fn login(login: Option<&(String, Secret)>) -> Option<(&str, &str)> {
    login.map(|(user, password)| (user.as_str(), password.expose()))
}

fn account(repository: &RepositorySpec) -> (Option<&str>, Option<&str>) {
    let password = repository.password.as_ref().map(Secret::expose);
    (repository.username.as_deref(), password)
}

fn codes(config: &AddonConfig) -> Vec<&'static str> {
    config.warnings.iter().map(|warning| warning.code).collect()
}

#[test]
fn the_installers_own_registry_is_on_its_node() {
    let config = read(&builtin());
    assert_eq!(config.registry, "10.5.14.40");
    assert!(!config.registry_plain_http && config.registry_login.is_none());
    assert_eq!(config.repository.kind, RepositoryKind::ChartMuseum);
    assert_eq!(config.repository.url, "http://10.5.14.40:8081");
    assert_eq!(
        account(&config.repository),
        (Some("rootuser"), Some("rootpass123"))
    );
    assert!(config.packages.is_empty());
    assert_eq!(codes(&config), Vec::<&str>::new());

    let ports = "tinderKind: {registryPort: 5443, chartmuseumPort: \"9081\", instanceName: x}";
    let config = read(&builtin().replace("#tinderKind:", ports));
    assert_eq!(config.registry, "10.5.14.40:5443");
    assert_eq!(config.repository.url, "http://10.5.14.40:9081");

    // A name without a dot is a registry to an image only if it has a port.
    let config = read(&builtin().replace("10.5.14.40", "installer"));
    assert_eq!(config.registry, "installer:443");
}

#[test]
fn registries_that_were_there_before_are_read() {
    let config = read(EXTERNAL);
    assert_eq!(config.registry, "external-registry.daocloud.io");
    assert!(!config.registry_plain_http);
    assert_eq!(
        login(config.registry_login.as_ref()),
        Some(("admin", "Harbor12345"))
    );
    assert_eq!(
        config.repository.url,
        "https://external-charts.daocloud.io:8081"
    );
    assert_eq!(
        account(&config.repository),
        (Some("rootuser"), Some("rootpass123"))
    );
    assert_eq!(codes(&config), ["assumed-user"]);
    let message = &config.warnings[0].message;
    assert!(
        message.contains("line 15: `spec.imagesAndCharts.externalChartRepoPassword`")
            && !message.contains("rootpass123"),
        "{message}"
    );

    let other = EXTERNAL
        .replace(
            "https://external-registry.daocloud.io",
            "http://10.6.1.1:5000/dce/",
        )
        .replace(
            "externalChartRepoType: chartmuseum",
            "externalChartRepoType: Harbor",
        )
        .replace(":8081", "/chartrepo/addon")
        .replace(
            "externalChartRepoPassword: rootpass123",
            "externalChartRepoPassword:",
        )
        .replace("v1alpha3", "v1alpha4");
    let config = read(&other);
    assert_eq!(config.registry, "10.6.1.1:5000/dce");
    assert!(config.registry_plain_http);
    assert_eq!(config.repository.kind, RepositoryKind::Harbor);
    assert_eq!(
        config.repository.url,
        "https://external-charts.daocloud.io/chartrepo/addon"
    );
    assert_eq!(account(&config.repository), (None, None));
    let oci = EXTERNAL
        .replace("chartmuseum\n", "oci\n")
        .replace(
            "https://external-charts.daocloud.io:8081",
            "oci://external-charts.daocloud.io/addon",
        )
        .replace(
            "externalChartRepoPassword",
            "externalChartRepoUsername: me\n    externalChartRepoPassword",
        );
    let config = read(&oci);
    assert_eq!(config.repository.kind, RepositoryKind::Oci);
    assert_eq!(
        config.repository.url,
        "oci://external-charts.daocloud.io/addon"
    );
    assert_eq!(
        account(&config.repository),
        (Some("me"), Some("rootpass123"))
    );
}

#[test]
fn packages_are_named_in_several_ways() {
    let path = Path::new("/home/addon-offline-full-package-v0.9.0-amd64.tar.gz");
    let shown = path.display();
    for spelled in [
        format!("  addonPackage:\n    path: \"{shown}\"\n"),
        format!("  addonPackage: {{path: [\"{shown}\"]}}\n"),
        format!("  addonOfflinePackagePath: {shown}\n"),
    ] {
        let config = read(&(EXTERNAL.to_owned() + &spelled));
        assert_eq!(config.packages, [path], "{spelled}");
        assert_eq!(codes(&config), ["assumed-user"], "{spelled}");
    }
    let several = "  addonPackage: {path: [a.tar.gz, b.tar.gz]}\n  addonOfflinePackagePath: c\n";
    let config = read(&(EXTERNAL.to_owned() + several));
    assert_eq!(
        config.packages,
        [Path::new("a.tar.gz"), Path::new("b.tar.gz")]
    );
    assert_eq!(codes(&config), ["ignored-setting", "assumed-user"]);
    let none = "  addonPackage:\n    path: \"\"\n";
    assert!(read(&(EXTERNAL.to_owned() + none)).packages.is_empty());
}

#[test]
fn what_stands_beside_spec_counts_as_below_it() {
    // As a page has it, whose `spec` has the cluster's name and nothing else.
    let text = "apiVersion: provision.daocloud.io/v1alpha4\nkind: ClusterConfig\nmetadata:\n  \
                creationTimestamp: null\nspec:\n  clusterName: my-cluster\n\nmasterNodes:\n  - ip: 10.7.10.7\n\
                bootstrapNode: 10.7.10.7\nimagesAndCharts:\n  type: builtin\naddonPackage:\n  path: a.tar.gz\n";
    let config = read(text);
    assert_eq!(config.registry, "10.7.10.7");
    assert_eq!(config.packages, [Path::new("a.tar.gz")]);
    assert_eq!(codes(&config), ["misplaced-setting"; 3]);
    let messages: Vec<&str> = config.warnings.iter().map(|w| w.message.as_str()).collect();
    assert!(
        messages[0].contains("line 13: `addonPackage`"),
        "{messages:?}"
    );
    assert!(messages[0].contains("`spec.addonPackage`"), "{messages:?}");
}

#[test]
fn near_misses_are_told_and_strangers_are_not() {
    let text = builtin()
        .replace(
            "    type: builtin\n  addonPackage:",
            "    type: builtin\n    externalImageRepos: x\n    mirror: y\n  addonPackage:",
        )
        .replace("    # path:", "    pth:")
        .replace("  clusterName", "  addonPackages: x\n  clusterName");
    let config = read(&text);
    assert_eq!(
        codes(&config),
        ["unknown-setting"; 2],
        "{:?}",
        config.warnings
    );
    let messages: Vec<&str> = config.warnings.iter().map(|w| w.message.as_str()).collect();
    assert!(
        messages[0].ends_with(
            "`spec.addonPackage.pth` is no setting that is used here: did you mean `path`?"
        ),
        "{messages:?}"
    );
    assert!(
        messages[1].contains("did you mean `externalImageRepo`?"),
        "{messages:?}"
    );
}

#[test]
fn what_cannot_be_done_names_line_and_setting() {
    for (text, message, hint) in [
        (
            SAMPLE.to_owned(),
            "line 4: `spec` has no `bootstrapNode`",
            "bootstrapNode: 10.5.14.40",
        ),
        (
            SAMPLE.replace("# bootstrapNode", "bootstrapNode"),
            "line 6: `spec.bootstrapNode` is `auto`, which only the installer can find out",
            "bootstrapNode: 10.5.14.40",
        ),
        (
            SAMPLE.replace("# bootstrapNode: auto", "bootstrapNode: http://10.5.14.40"),
            "line 6: `spec.bootstrapNode` is `http://10.5.14.40`, which is neither an address nor a name",
            "bootstrapNode: 10.5.14.40",
        ),
        (
            builtin().replace("#tinderKind:", "tinderKind: {registryPort: 99999}"),
            "line 7: `spec.tinderKind.registryPort` is no port: those are numbers from 1 to 65535",
            "",
        ),
        (
            EXTERNAL.replace("type: external", "type: official-service"),
            "line 6: `spec.imagesAndCharts.type` is `official-service`: it has images and charts \
             at the vendor's, where nothing can be imported to",
            "`external`",
        ),
        (
            EXTERNAL.replace("type: external", "type:"),
            "line 5: `spec.imagesAndCharts` has no `type`, and so has images and charts at the \
             vendor's, where nothing can be imported to",
            "`builtin`",
        ),
        (
            EXTERNAL.replace("type: external", "type: extrenal"),
            "line 6: `spec.imagesAndCharts.type` is `extrenal`, which is no place of images and \
             charts: did you mean `external`?",
            "`builtin`, `external`",
        ),
        (
            "kind: ClusterConfig\nspec:\n  clusterName: a\n".to_owned(),
            "line 2: `spec` has no `imagesAndCharts`",
            "`external`",
        ),
        (
            "kind: ClusterConfig\nspec:\n".to_owned(),
            "there is no `imagesAndCharts`",
            "`external`",
        ),
        (
            EXTERNAL.replace("externalImageRepo:", "externalImageRepository:"),
            "line 5: `spec.imagesAndCharts` has no `externalImageRepo`",
            "",
        ),
        (
            EXTERNAL.replace("externalImageRepo:", "externalImagesRepo:"),
            "line 5: `spec.imagesAndCharts` has no `externalImageRepo`",
            "line 8 has `spec.imagesAndCharts.externalImagesRepo`, which is none",
        ),
        (
            EXTERNAL.replace("https://external-registry", "external-registry"),
            "line 8: `spec.imagesAndCharts.externalImageRepo` is `external-registry.daocloud.io`, \
             which has no scheme",
            "`https://external-registry.daocloud.io`",
        ),
        (
            EXTERNAL.replace("https://external-charts", "external-charts"),
            "line 14: `spec.imagesAndCharts.externalChartRepo` is \
             `external-charts.daocloud.io:8081`, which has no scheme",
            "`http://external-charts.daocloud.io:8081`",
        ),
        (
            EXTERNAL.replace("    externalImageRepoPassword", "    # "),
            "line 9: `spec.imagesAndCharts.externalImageRepoUsername` comes without \
             `externalImageRepoPassword`",
            "both, or none",
        ),
        (
            EXTERNAL.replace("    externalImageRepoUsername", "    # "),
            "line 10: `spec.imagesAndCharts.externalImageRepoPassword` comes without \
             `externalImageRepoUsername`",
            "both, or none",
        ),
        (
            EXTERNAL.replace("chartmuseum\n", "harbor\n"),
            "line 14: `spec.imagesAndCharts.externalChartRepo` is \
             `https://external-charts.daocloud.io:8081`, which names no project of Harbor",
            "/chartrepo/PROJECT",
        ),
        (
            EXTERNAL.replace("externalChartRepoType: chartmuseum", ""),
            "line 5: `spec.imagesAndCharts` has no `externalChartRepoType`",
            "`chartmuseum`, `harbor` and `oci`",
        ),
        (
            EXTERNAL.replace("chartmuseum\n", "nexus\n"),
            "line 13: `spec.imagesAndCharts.externalChartRepoType` is `nexus`, which is no type \
             of chart repository",
            "`oci`",
        ),
        (
            EXTERNAL.replace("ClusterConfig", "DCEManifest"),
            "line 2: `kind` is `DCEManifest`, where `ClusterConfig` is wanted",
            "`-c`",
        ),
    ] {
        let error = refused(&text);
        assert_eq!(error.message(), message, "{text}");
        assert_eq!(error.kind(), ErrorKind::Usage, "{text}");
        let said = error.get_hint().unwrap_or_default();
        assert!(said.contains(hint), "{message}: {said}");
    }
}

#[test]
fn what_is_not_supported_is_called_so() {
    for (text, message, hint) in [
        (
            EXTERNAL.replace("chartmuseum\n", "jfrog\n"),
            "line 13: `spec.imagesAndCharts.externalChartRepoType` is `jfrog`: Artifactory's \
             own Helm repositories are not written to",
            "create a repository of type Helm OCI there, and write `externalChartRepoType: oci` \
             and `externalChartRepo: https://HOST/REPOSITORY`",
        ),
        (
            "apiVersion: provision.daocloud.io/v1alpha2\nspec:\n  clusterName: a\n".to_owned(),
            "line 1: `apiVersion` is `provision.daocloud.io/v1alpha2`, and only v1alpha3 and \
             v1alpha4 are read",
            "`spec.imagesAndCharts`",
        ),
    ] {
        let error = refused(&text);
        assert_eq!(error.message(), message);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.get_hint().is_some_and(|said| said.contains(hint)));
    }
}
