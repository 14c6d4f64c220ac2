//! What was pushed, pulled back by the real clients: each gets every platform that it asks for, and
//! every digest is the one that was reported.

use std::path::Path;

use fusion_fixtures::{Flavour, Options, synthetic, write};
use serde_json::Value;

use super::{Yard, image, platforms, there};
use crate::clients::containerd::Containerd;
use crate::clients::docker::Docker;
use crate::clients::podman::Podman;
use crate::clients::process::{run, run_text};
use crate::clients::skopeo::{copy_all, skopeo};
use crate::registry::docker::DockerRegistry;
use crate::registry::{distribution, zot};

const APP: &str = "docker.io/acme/app:1";

/// Pushes a pair of archives of that flavour, with what else is `chosen`.
fn pushed(
    yard: &Yard,
    flavour: Flavour,
    folder: &Path,
    host: &str,
    chosen: &[(&str, &str)],
) -> Value {
    let (amd64, arm) = synthetic::pair(&[APP], 11, &[3000, 2000], 1).unwrap();
    let options = Options::default();
    let form = flavour.usual_form();
    let (one, other) = (folder.join("one"), folder.join("other"));
    write(flavour, form, &amd64, &one, &options).unwrap();
    write(flavour, form, &arm, &other, &options).unwrap();
    let to = format!("{host}/{}", flavour.name());
    yard.push(&[&one, &other], &to, chosen)
}

/// skopeo: everything, byte for byte.
fn copies_all(target: &str, digest: &str, out: &Path) {
    let (source, out) = (
        format!("docker://{target}"),
        format!("oci:{}:1", out.display()),
    );
    let mut copy = skopeo();
    copy.args(["copy", "--quiet", "--all", "--preserve-digests"]);
    run(copy.args(["--src-tls-verify=false", &source, &out])).unwrap();
    let mut raw = skopeo();
    raw.args(["inspect", "--raw", "--tls-verify=false", &source]);
    let bytes = run(&mut raw).unwrap();
    let hex = crate::clients::process::sha256(&bytes);
    assert_eq!(format!("sha256:{hex}"), digest);
}

#[test]
fn distribution_3_gives_all_of_it_too() {
    let Some(registry) = distribution::open() else {
        return;
    };
    let yard = Yard::new();
    for flavour in Flavour::ALL {
        let folder = yard.path(flavour.name());
        std::fs::create_dir(&folder).unwrap();
        let report = pushed(&yard, flavour, &folder, registry.host(), &[]);
        let app = image(&report, "acme/app:1");
        let (target, digest) = (&app["target"], &app["digest"]);
        let out = folder.join("out");
        copies_all(target.as_str().unwrap(), digest.as_str().unwrap(), &out);
        assert_eq!(platforms(app), ["linux/amd64", "linux/arm64"]);
    }
}

#[test]
fn every_client_pulls_every_platform() {
    pulled_from(&DockerRegistry::open(), &[]);
}

#[test]
fn every_client_pulls_every_platform_from_zot() {
    // It takes no Docker types, which some flavours hold.
    if let Some(registry) = zot::open() {
        pulled_from(&registry, &[("media-types", "auto")]);
    }
}

/// Loopback registries are reached without TLS by all of them, once they are told.
fn pulled_from(registry: &DockerRegistry, chosen: &[(&str, &str)]) {
    let yard = Yard::new();
    let host = registry.host();
    // Every flavour, so that manifests of all kinds arrive.
    for flavour in Flavour::ALL {
        let folder = yard.path(flavour.name());
        std::fs::create_dir(&folder).unwrap();
        let report = pushed(&yard, flavour, &folder, host, chosen);
        let target = image(&report, "acme/app:1")["target"].as_str().unwrap();
        let digest = image(&report, "acme/app:1")["digest"].as_str().unwrap();

        copies_all(target, digest, &folder.join("out"));

        // containerd: all platforms, all content.
        let containerd = Containerd::shared().fresh();
        let mut pull = containerd.ctr();
        pull.args(["images", "pull", "--plain-http", "--all-platforms", target]);
        run(&mut pull).unwrap();
        assert_eq!(containerd.image(target).unwrap().digest, digest);
        assert_eq!(
            containerd.platforms(target).unwrap(),
            ["linux/amd64", "linux/arm64"]
        );
        containerd.check_complete(target).unwrap();

        // podman and docker: each architecture, asked for. What they have then is its image.
        let repository = target.strip_prefix(host).unwrap().trim_start_matches('/');
        let repository = repository.rsplit_once(':').unwrap().0;
        let (podman, docker) = (Podman::new(), Docker::shared());
        for platform in image(&report, "acme/app:1")["platforms"]
            .as_array()
            .unwrap()
        {
            let architecture = platform["platform"].as_str().unwrap();
            let architecture = architecture.strip_prefix("linux/").unwrap();
            let own = platform["digest"].as_str().unwrap();
            let (_, manifest) = there(host, repository, own).unwrap();
            let config = &manifest["config"]["digest"].as_str().unwrap().to_owned();

            let mut pull = podman.podman();
            pull.args([
                "pull",
                "--quiet",
                "--tls-verify=false",
                "--arch",
                architecture,
                target,
            ]);
            run_text(&mut pull).unwrap();
            let pulled = podman.inspect(target).unwrap();
            assert_eq!(
                (pulled.architecture.as_str(), &pulled.id),
                (architecture, config)
            );
            assert!(
                [own, digest].contains(&pulled.digest.as_str()),
                "{pulled:?}"
            );
            podman.clear().unwrap();

            let mut pull = docker.docker();
            let wanted = format!("linux/{architecture}");
            pull.args(["pull", "--quiet", "--platform", &wanted, target]);
            run_text(&mut pull).unwrap();
            let pulled = docker.inspect(target).unwrap();
            assert_eq!(
                (pulled.architecture.as_str(), &pulled.id),
                (architecture, config)
            );
            let mut known = docker.docker();
            known.args([
                "image",
                "inspect",
                "--format",
                "{{json .RepoDigests}}",
                target,
            ]);
            let known = run_text(&mut known).unwrap();
            assert!(known.contains(&format!("@{digest}")), "{known}");
            docker.clear().unwrap();
        }
    }
}

#[test]
fn an_image_from_a_registry_is_fused_with_one_from_an_archive() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let host = registry.host();
    let [amd, arm] = yard.pair(&[APP], 4000);
    yard.push(&[&amd], &format!("{host}/p"), &[]);
    let source = format!("docker://{host}/p/acme/app:1");
    let rename = format!("{host}/p=docker.io");
    let out = yard.path("fused.tar");
    let words = [
        "fuse",
        &source,
        arm.to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
    ];
    let ran = yard
        .fusion(&words)
        .args(["--rename", &rename])
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(text.contains("linux/amd64, linux/arm64"), "{text}");
    let checked = yard
        .fusion(&["verify", out.to_str().unwrap()])
        .status()
        .unwrap();
    assert!(checked.success());
    copy_all(
        &format!("oci-archive:{}:{APP}", out.display()),
        &format!("oci:{}:1", yard.path("copied").display()),
    )
    .unwrap();
    // Looked at and verified where it is, too.
    let ran = yard
        .fusion(&["inspect", &source, "--json"])
        .output()
        .unwrap();
    let seen: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(seen["images"][0]["platforms"][0]["platform"], "linux/amd64");
    assert!(
        yard.fusion(&["verify", &source])
            .status()
            .unwrap()
            .success()
    );
    // `-o docker://` is a push.
    let to = format!("docker://{host}/again");
    let words = ["fuse", out.to_str().unwrap(), "-o", &to, "--json"];
    let ran = yard.fusion(&words).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(image(&report, "/again/acme/app:1")["action"], "created");
}
