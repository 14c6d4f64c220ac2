//! `type: builtin`: the registry and the ChartMuseum that the installer runs on its own node, with the
//! ports and the account that it gives them.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use fusion_fixtures::package::{Kind, Offline};
use serde_json::Value;

use super::{LOGIN, Site, plain};
use crate::charts::helm::{Helm, text};
use crate::charts::museum::{self, ChartMuseum};
use crate::clients::process::run;
use crate::clients::skopeo::skopeo;
use crate::registry::docker::{DockerRegistry, Options};

/// What the installer runs, and a folder with packages for it.
struct Node {
    helm: Helm,
    registry: DockerRegistry,
    museum: ChartMuseum,
    site: Site,
}

/// Small packages.
fn site() -> Site {
    Site::new(&Offline {
        bundles: 3,
        ..Offline::new(Kind::Addon)
    })
}

impl Node {
    /// A node at 127.0.0.1, which is named with its ports.
    fn start(registry: &Options) -> Option<Self> {
        let node = Self::launch(registry, None)?;
        let port = |host: &str| -> u16 { host.rsplit_once(':').unwrap().1.parse().unwrap() };
        let (registry, charts) = (port(node.registry.host()), port(node.museum.host()));
        node.site.configure(&format!(
            "  bootstrapNode: 127.0.0.1\n  tinderKind:\n    registryPort: {registry}\n    \
             chartmuseumPort: {charts}\n  imagesAndCharts:\n    type: builtin\n"
        ));
        Some(node)
    }

    fn launch(registry: &Options, charts: Option<SocketAddr>) -> Option<Self> {
        let (user, password) = LOGIN;
        let helm = Helm::find()?;
        let museum = ChartMuseum::start(&museum::Options {
            auth: Some((user.to_owned(), password.to_owned())),
            address: charts,
            ..museum::Options::default()
        })?;
        Some(Self {
            helm,
            registry: DockerRegistry::start(registry),
            museum,
            site: site(),
        })
    }

    /// What `--tls-ca` names.
    fn ca(&self) -> String {
        text(&self.registry.ca_file()).to_owned()
    }

    fn arm64(&self) -> &str {
        text(&self.site.arm64.path)
    }

    /// Insists on what is there after the runs that reported so.
    fn has_all(&self, reports: &[Value], root: &dyn Fn(&str) -> Value) {
        let url = format!("http://{}", self.museum.host());
        self.site.is_imported(&self.helm, &url, reports, root);
    }

    /// Reads a registry with TLS, as skopeo does for somebody who trusts its certificate.
    fn trusting(&self) -> impl Fn(&str) -> Value {
        let folder = self.site.yard.path("trusted");
        fs::create_dir_all(&folder).unwrap();
        fs::copy(self.registry.ca_file(), folder.join("ca.crt")).unwrap();
        move |target| {
            let mut skopeo = skopeo();
            skopeo.args(["inspect", "--raw", "--cert-dir", text(&folder)]);
            let root = run(skopeo.arg(format!("docker://{target}")));
            serde_json::from_slice(&root.unwrap_or_else(|e| panic!("{e}"))).unwrap()
        }
    }
}

fn codes(report: &Value) -> Vec<&str> {
    let warnings = report["warnings"].as_array().unwrap().iter();
    warnings
        .map(|warning| warning["code"].as_str().unwrap())
        .collect()
}

/// Message and hint of the error in `report`.
fn error(report: &Value) -> (&str, &str) {
    let part = |name: &str| report["error"][name].as_str().unwrap_or_default();
    (part("message"), part("hint"))
}

#[test]
fn one_architecture_after_the_other_with_an_authority_that_is_named() {
    let Some(node) = Node::start(&Options::default().tls()) else {
        return;
    };
    let ca = node.ca();
    let first = node.site.run(&["--tls-ca", &ca], 0);
    let second = node
        .site
        .run(&["--tls-ca", &ca, "--addon-path", node.arm64()], 0);
    for report in [&first, &second] {
        assert!(!codes(report).contains(&"plain-http"), "{report}");
    }
    node.has_all(&[first, second], &node.trusting());
}

/// As an installer's registry is found: with a certificate that nobody has heard of.
#[test]
fn a_certificate_that_signed_itself_is_asked_for_and_taken_once_it_is_trusted() {
    let Some(node) = Node::start(&Options::default().signing_itself()) else {
        return;
    };
    let host = node.registry.host();
    let refused = node.site.run(&[], 6);
    let (message, hint) = error(&refused);
    assert_eq!(
        message,
        format!("no secure connection to `{host}`: invalid peer certificate: UnknownIssuer")
    );
    assert_eq!(
        hint,
        format!(
            "trust its authority by `--tls-ca FILE` or `/etc/docker/certs.d/{host}/ca.crt`, or \
             check nothing by `--insecure`"
        )
    );
    assert!(node.registry.uploads().blobs.is_empty());
    assert_eq!(fs::read_dir(node.museum.storage()).unwrap().count(), 0);

    let first = node.site.run(&["--tls-ca", &node.ca()], 0);
    // As docker and podman have it on every node of a cluster; the home is the folder of the run.
    let place = format!(".config/containers/certs.d/{host}");
    let place = node.site.yard.path(&place);
    fs::create_dir_all(&place).unwrap();
    fs::copy(node.registry.ca_file(), place.join("ca.crt")).unwrap();
    let second = node.site.run(&["--addon-path", node.arm64()], 0);
    fs::remove_dir_all(&place).unwrap();
    let third = node
        .site
        .run(&["--insecure", "--addon-path", node.arm64()], 0);
    assert_eq!(third["bytes"]["uploaded"], 0, "{third}");
    for report in [&first, &second, &third] {
        assert!(!codes(report).contains(&"plain-http"), "{report}");
    }
    node.has_all(&[first, second, third], &node.trusting());
}

#[test]
fn a_registry_without_tls_is_reached_all_the_same_and_that_is_told() {
    let Some(node) = Node::start(&Options::default()) else {
        return;
    };
    let first = node.site.run(&[], 0);
    let second = node.site.run(&["--addon-path", node.arm64()], 0);
    for report in [&first, &second] {
        assert!(codes(report).contains(&"plain-http"), "{report}");
    }
    node.has_all(&[first, second], &plain);
}

/// A loopback address of this process, at which the ports of an installer's node are free.
fn own_address() -> Ipv4Addr {
    let [.., high, low] = std::process::id().to_be_bytes();
    for next in 0..=u8::MAX {
        let address = Ipv4Addr::new(127, 77, high ^ next, low.max(1));
        let taken = [443, 8081].map(|port| (port, TcpListener::bind((address, port))));
        match taken
            .iter()
            .find_map(|(port, outcome)| Some((port, outcome.as_ref().err()?)))
        {
            None => return address,
            Some((_, error)) if error.kind() == ErrorKind::AddrInUse => {}
            Some((port, error)) => panic!(
                "this test has to listen at {address}:{port}: {error}; run it as root, or let \
                 everybody: sysctl net.ipv4.ip_unprivileged_port_start=443"
            ),
        }
    }
    panic!("this test has to listen at the ports 443 and 8081, which are taken at every address");
}

#[test]
fn a_node_with_the_usual_ports_is_named_by_its_address_alone() {
    let address = own_address();
    let options = Options::default().tls().at((address, 443));
    let Some(node) = Node::launch(&options, Some((address, 8081).into())) else {
        return;
    };
    node.site.configure(&format!(
        "  bootstrapNode: {address}\n  imagesAndCharts:\n    type: builtin\n"
    ));
    let ca = node.ca();
    let first = node.site.run(&["--tls-ca", &ca], 0);
    let second = node
        .site
        .run(&["--tls-ca", &ca, "--addon-path", node.arm64()], 0);
    let target = first["images"][0]["target"].as_str().unwrap();
    assert!(target.starts_with(&format!("{address}/")), "{target}");
    node.has_all(&[first, second], &node.trusting());
}

#[test]
fn an_address_that_only_the_installer_knows_is_asked_for() {
    let site = site();
    let builtin = "  imagesAndCharts:\n    type: builtin\n";
    for (node, message) in [
        (
            "  bootstrapNode: auto\n",
            "`clusterConfig.yaml`: line 9: `spec.bootstrapNode` is `auto`, which only the installer can find out",
        ),
        (
            "",
            "`clusterConfig.yaml`: line 4: `spec` has no `bootstrapNode`",
        ),
    ] {
        site.configure(&format!("{node}{builtin}"));
        let report = site.run(&[], 2);
        assert_eq!(
            error(&report),
            (
                message,
                "write the address of the installer's node, as the clusters reach it: \
                 `bootstrapNode: 10.5.14.40`"
            )
        );
    }
}
