//! Each wrapper against the real client, on archives that the real tools wrote.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::buildah::{Buildah, Source};
use super::committed::{
    AMDONLY, BASE_DIFF_ID, HELLO, HELLO_AMD64, HELLO_AMD64_DIFF_ID, HELLO_ARM64, TOOL, TOOL_AMD64,
    TOOL_ARM64, archive,
};
use super::containerd::{Containerd, host_architecture};
use super::docker::Docker;
use super::layout;
use super::podman::Podman;
use super::process::{self, command, run, run_text};
use super::{skopeo, umoci};

const AMD64: &str = "linux/amd64";
const ARM64: &str = "linux/arm64";

/// A layout directory of a committed archive.
fn untarred(name: &str) -> tempfile::TempDir {
    let dir = process::state_dir();
    ok(run(command("tar")
        .arg("-xf")
        .arg(archive(name))
        .arg("-C")
        .arg(dir.path())));
    dir
}

fn at(transport: &str, path: &Path, name: &str) -> String {
    format!("{transport}:{}:{name}", path.display())
}

#[track_caller]
fn ok<T>(result: process::Result<T>) -> T {
    result.unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_missing_client_is_a_loud_panic() {
    let panic = std::panic::catch_unwind(|| process::program("no-such-client"))
        .expect_err("a missing program must panic");
    let said = panic.downcast_ref::<String>().expect("a message");
    assert!(
        said.contains("no-such-client") && said.contains("tests/clients/install.sh"),
        "{said}"
    );
}

#[test]
fn a_refusal_says_what_was_run_and_what_was_said() {
    let failure = run(command("sh").args(["-c", "echo out; echo err >&2; exit 3"]))
        .expect_err("must be refused");
    assert_eq!(failure.status.and_then(|status| status.code()), Some(3));
    assert_eq!(failure.said(), "out\nerr\n");
    assert!(failure.to_string().contains("exit 3"), "{failure}");
}

#[test]
fn a_daemon_ends_with_its_owner_also_in_a_panic() {
    let seen = std::sync::Mutex::new(None);
    let panic = std::panic::catch_unwind(|| {
        let containerd = Containerd::start();
        let state = containerd.daemon().state().to_owned();
        let exists = Path::new("/proc").join(containerd.daemon().id().to_string());
        assert!(
            exists.exists() && state.exists(),
            "{}",
            containerd.daemon().log()
        );
        *seen.lock().expect("no one else") = Some((state, exists));
        panic!("on purpose");
    });
    assert!(panic.is_err());
    let (state, process) = seen
        .into_inner()
        .expect("not poisoned")
        .expect("it started");
    assert!(!process.exists(), "containerd still runs");
    assert!(!state.exists(), "{} is still there", state.display());
}

#[test]
fn containerd_imports_both_platforms() {
    let containerd = Containerd::shared();
    let images = ok(containerd.import(&archive("ctr-export-all.tar"), true));
    let names: Vec<_> = images.iter().map(|image| image.name.as_str()).collect();
    assert_eq!(names, [AMDONLY, HELLO, TOOL]);

    let hello = ok(containerd.image(HELLO));
    assert_eq!(hello.media_type, "application/vnd.oci.image.index.v1+json");
    assert_eq!(ok(containerd.platforms(HELLO)), [AMD64, ARM64]);
    assert_eq!(ok(containerd.platforms(AMDONLY)), [AMD64]);
    // index, 2 × (manifest, config), 3 distinct layers
    let reached = ok(containerd.check_complete(HELLO));
    assert_eq!(reached.len(), 8);
    for digest in &reached {
        assert_eq!(&ok(containerd.content_sha(digest)), digest);
    }

    assert_eq!(ok(containerd.image_for_platform(HELLO, AMD64)), HELLO_AMD64);
    assert_eq!(ok(containerd.image_for_platform(HELLO, ARM64)), HELLO_ARM64);
    let children = ok(containerd.children(HELLO));
    assert_eq!(children[0].config, HELLO_AMD64);
    assert_eq!(children[0].diff_ids, [BASE_DIFF_ID, HELLO_AMD64_DIFF_ID]);
    assert_eq!(children[1].platform, ARM64);

    for (platform, text) in [
        (AMD64, "#!hello for amd64\n"),
        (ARM64, "#!hello for arm64\n"),
    ] {
        let mounted = ok(containerd.mount(HELLO, platform));
        assert!(
            mounted.chain_id.starts_with("sha256:"),
            "{}",
            mounted.chain_id
        );
        let file = fs::read_to_string(mounted.rootfs().join("bin/hello")).expect("bin/hello");
        assert_eq!(file, text);
    }
}

#[test]
fn containerd_names_what_is_absent() {
    let containerd = Containerd::shared();
    ok(containerd.import_with(&archive("ctr-export-arm64.tar"), &["--platform", ARM64]));
    assert_eq!(ok(containerd.image_for_platform(HELLO, ARM64)), HELLO_ARM64);
    let failure = containerd
        .check_complete(HELLO)
        .expect_err("must be refused");
    assert!(
        failure.said().contains("sha256:dabc8e9d67743c9b"),
        "{failure}"
    );

    let partial = containerd.fresh();
    let failure = partial
        .import(&archive("ctr-export-arm64.tar"), true)
        .expect_err("must be refused");
    assert!(failure.said().contains("not found"), "{failure}");
    // What another namespace holds does not complete it, and images are its own.
    assert!(ok(containerd.fresh().images()).is_empty());
    assert!(containerd.fresh().image(HELLO).is_err());
}

/// Why archives have to be fused before containerd sees them.
#[test]
fn containerd_does_not_complete_one_partial_archive_by_another() {
    let containerd = Containerd::shared();
    for (platform, name) in [
        (AMD64, "ctr-export-amd64.tar"),
        (ARM64, "ctr-export-arm64.tar"),
    ] {
        ok(containerd.import_with(&archive(name), &["--platform", platform]));
    }
    // The second import takes the first one's content out of the index's references.
    let failure = containerd
        .check_complete(HELLO)
        .expect_err("must be refused");
    assert!(
        failure.said().contains("sha256:dabc8e9d67743c9b"),
        "{failure}"
    );
    assert_eq!(ok(containerd.image_for_platform(TOOL, ARM64)), TOOL_ARM64);
    assert!(containerd.image_for_platform(TOOL, AMD64).is_err());
}

#[test]
fn containerd_takes_a_compressed_archive_only_through_a_pipe() {
    let dir = process::state_dir();
    let gzip = dir.path().join("a.tar.gz");
    let bytes = ok(run(command("gzip")
        .arg("-c")
        .arg(archive("ctr-export-all.tar"))));
    fs::write(&gzip, bytes).expect("writing");
    let containerd = Containerd::shared();
    let failure = containerd.import(&gzip, true).expect_err("must be refused");
    assert!(failure.said().contains("invalid tar header"), "{failure}");
    assert_eq!(
        ok(containerd.import_piped(&gzip, &["gzip", "-dc"])).len(),
        3
    );
    ok(containerd.check_complete(TOOL));
}

#[test]
fn containerd_unpacks_and_exports() {
    let containerd = Containerd::shared();
    let host = format!("linux/{}", host_architecture());
    ok(containerd.import_unpacked(&archive("skopeo-oci-zstd-amd64.tar"), Some(AMD64)));
    let other = containerd.fresh();
    ok(other.import_unpacked(&archive("ctr-export-all.tar"), None));
    assert!(ok(other.platforms(HELLO)).contains(&host));
    let dir = process::state_dir();
    let exported = dir.path().join("e.tar");
    let whole = containerd.fresh();
    ok(whole.import(&archive("ctr-export-all.tar"), true));
    ok(whole.export(&[HELLO, TOOL, AMDONLY], None, &exported));
    let again = containerd.fresh();
    assert_eq!(ok(again.import(&exported, true)), ok(whole.images()));
}

#[test]
fn docker_loads_and_saves() {
    let docker = Docker::shared();
    let mut loaded = ok(docker.load(&archive("docker-20.10-save-amd64.tar")));
    loaded.sort();
    assert_eq!(loaded, ["acme/amdonly:0.3", TOOL, "hello:1.0"]);
    let hello = ok(docker.inspect(HELLO));
    assert_eq!(hello.id, HELLO_AMD64);
    assert_eq!(
        (hello.os.as_str(), hello.architecture.as_str()),
        ("linux", "amd64")
    );
    assert_eq!(hello.layers, [BASE_DIFF_ID, HELLO_AMD64_DIFF_ID]);
    assert_eq!(hello.tags, ["hello:1.0"]);
    assert_eq!(hello.variant, "");

    // Another architecture takes the tags away; the images stay.
    ok(docker.load(&archive("docker-20.10-save-arm64.tar")));
    assert_eq!(ok(docker.inspect(HELLO)).id, HELLO_ARM64);
    assert_eq!(ok(docker.ids()).len(), 5);

    let dir = process::state_dir();
    let saved = dir.path().join("saved.tar");
    ok(docker.save(&[HELLO], &saved));
    ok(docker.clear());
    assert!(docker.inspect(HELLO).is_err());
    assert_eq!(ok(docker.load(&saved)), ["hello:1.0"]);
    assert_eq!(ok(docker.inspect(HELLO)).id, HELLO_ARM64);
}

#[test]
fn docker_takes_the_manifest_json_of_a_loadable_archive() {
    let docker = Docker::shared();
    let mut loaded = ok(docker.load(&archive("ctr-export-all.tar")));
    loaded.sort();
    assert_eq!(loaded, ["acme/amdonly:0.3", TOOL, "hello:1.0"]);
    assert_eq!(ok(docker.inspect(TOOL)).id, TOOL_AMD64);
    // No manifest.json: docker 20.10 takes no plain OCI layout.
    assert!(
        docker.load(&archive("skopeo-oci-amd64.tar")).is_err(),
        "{}",
        docker.daemon().log()
    );
}

#[test]
fn two_dockers_side_by_side() {
    let (one, two) = (Docker::start(), Docker::start());
    ok(one.load(&archive("skopeo-docker-archive-hello-arm64.tar")));
    assert_eq!(ok(one.inspect(HELLO)).architecture, "arm64");
    assert!(two.inspect(HELLO).is_err());
    let version = ok(run_text(two.docker().args([
        "version",
        "--format",
        "{{.Server.Version}}",
    ])));
    assert!(
        version.starts_with("20."),
        "the limits in README.md are those of 20.10: {version}"
    );
}

#[test]
fn podman_loads_and_saves() {
    let podman = Podman::new();
    let mut loaded = ok(podman.load(&archive("podman-docker-archive-arm64.tar")));
    loaded.sort();
    assert_eq!(loaded, [HELLO, TOOL]);
    let tool = ok(podman.inspect(TOOL));
    assert_eq!(tool.id, TOOL_ARM64);
    assert_eq!(
        (tool.os.as_str(), tool.architecture.as_str()),
        ("linux", "arm64")
    );
    assert_eq!(tool.layers.last().map(String::as_str), Some(BASE_DIFF_ID));
    assert_eq!(tool.names, [TOOL]);
    assert!(tool.digest.starts_with("sha256:"), "{}", tool.digest);

    let dir = process::state_dir();
    let saved = dir.path().join("saved.tar");
    ok(podman.save("docker-archive", &[HELLO, TOOL], &saved));
    ok(podman.clear());
    assert!(podman.inspect(HELLO).is_err());
    assert_eq!(ok(podman.load(&saved)).len(), 2);

    let other = Podman::new();
    assert!(other.inspect(HELLO).is_err());
    ok(other.load(&archive("ctr-export-all.tar")));
    // Familiar names in manifest.json and bare tags in index.json: podman takes them for its own.
    let hello = ok(other.inspect("localhost/hello:1.0"));
    assert_eq!(
        hello.id,
        if host_architecture() == "arm64" {
            HELLO_ARM64
        } else {
            HELLO_AMD64
        }
    );
}

#[test]
fn skopeo_copies_and_inspects() {
    let dir = process::state_dir();
    let layout = untarred("skopeo-oci-all.tar");
    let source = at("oci", layout.path(), HELLO);
    let copy = at("oci-archive", &dir.path().join("copy.tar"), HELLO);
    ok(skopeo::copy_all(&source, &copy));
    assert_eq!(
        ok(skopeo::inspect_raw(&copy)),
        ok(skopeo::inspect_raw(&source))
    );
    assert_eq!(ok(skopeo::digest(&copy)), ok(skopeo::digest(&source)));
    for (platform, digest) in [(AMD64, HELLO_AMD64), (ARM64, HELLO_ARM64)] {
        let (found, config) = ok(skopeo::inspect_config(&copy, platform));
        assert_eq!(found, digest);
        assert_eq!(layout::platform(&config), platform);
    }
    let one = dir.path().join("one.tar");
    ok(skopeo::copy_platform(
        &source,
        &at("docker-archive", &one, HELLO),
        ARM64,
    ));
    let one = format!("docker-archive:{}", one.display());
    assert_eq!(ok(skopeo::list_tags(&one)), [HELLO]);
    assert_eq!(ok(skopeo::inspect_config(&one, ARM64)).0, HELLO_ARM64);
    assert!(skopeo::inspect_config(&source, "linux/s390x").is_err());
    assert!(ok(run_text(skopeo::skopeo().arg("--version"))).contains("skopeo"));

    let zstd = dir.path().join("zstd");
    ok(skopeo::copy_with(
        &source,
        &at("oci", &zstd, HELLO),
        AMD64,
        &["--dest-compress-format", "zstd"],
    ));
    let images = ok(layout::images(&zstd));
    assert_eq!(
        images[HELLO][0].layers[0].media_type,
        "application/vnd.oci.image.layer.v1.tar+zstd"
    );
    assert_eq!(images[HELLO][0].config, HELLO_AMD64);
}

#[test]
fn skopeo_compresses_raw_layers_unless_told_not_to() {
    let dir = process::state_dir();
    let raw = at("oci", &dir.path().join("raw"), HELLO);
    ok(skopeo::copy_with(
        &at(
            "docker-archive",
            &archive("docker-20.10-save-amd64.tar"),
            HELLO,
        ),
        &raw,
        AMD64,
        &["--dest-oci-accept-uncompressed-layers"],
    ));
    let images = ok(layout::images(&dir.path().join("raw")));
    assert_eq!(images[HELLO][0].layers[0].digest, BASE_DIFF_ID);
    let (changed, exact) = (dir.path().join("changed.tar"), dir.path().join("exact.tar"));
    let (changed, exact) = (
        at("oci-archive", &changed, HELLO),
        at("oci-archive", &exact, HELLO),
    );
    ok(skopeo::copy_all(&raw, &changed));
    ok(skopeo::copy_exact(&raw, &exact));
    assert_ne!(ok(skopeo::digest(&raw)), ok(skopeo::digest(&changed)));
    assert_eq!(ok(skopeo::digest(&raw)), ok(skopeo::digest(&exact)));
}

#[test]
fn umoci_unpacks_one_platform() {
    let layout = untarred("skopeo-oci-arm64.tar");
    assert_eq!(ok(umoci::list(layout.path())), [HELLO, TOOL]);
    let bundle = ok(umoci::unpack(layout.path(), HELLO));
    let file = fs::read_to_string(bundle.rootfs().join("bin/hello")).expect("bin/hello");
    assert_eq!(file, "#!hello for arm64\n");

    let both = untarred("skopeo-oci-all.tar");
    let failure = umoci::unpack(both.path(), HELLO).expect_err("must be refused");
    assert!(failure.said().contains("ambiguous"), "{failure}");
    // An index of one leads to its image.
    let bundle = ok(umoci::unpack(both.path(), AMDONLY));
    assert!(bundle.rootfs().join("bin/amdonly").exists());
}

#[test]
fn buildah_fuses_every_flavour_alike() {
    let buildah = Buildah::new();
    let layouts = [
        untarred("skopeo-oci-amd64.tar"),
        untarred("skopeo-oci-arm64.tar"),
    ];
    let docker = |arch: &str, name| {
        Source::docker_archive(&archive(&format!("docker-20.10-save-{arch}.tar")), name)
    };
    let podman = |arch: &str, name| {
        Source::docker_archive(&archive(&format!("podman-docker-archive-{arch}.tar")), name)
    };
    let layout = |name| {
        let source = |dir: &tempfile::TempDir| Source::oci(dir.path(), name);
        layouts.iter().map(source).collect()
    };
    let whole = archive("ctr-export-all.tar");
    let flavours: [[(&str, Vec<Source>); 2]; 7] = [
        [
            (HELLO, vec![docker("amd64", HELLO), docker("arm64", HELLO)]),
            (TOOL, vec![docker("amd64", TOOL), docker("arm64", TOOL)]),
        ],
        [
            (HELLO, vec![podman("amd64", HELLO), podman("arm64", HELLO)]),
            (TOOL, vec![podman("amd64", TOOL), podman("arm64", TOOL)]),
        ],
        [(HELLO, layout(HELLO)), (TOOL, layout(TOOL))],
        [
            (HELLO, vec![Source::oci_archive(&whole, "1.0").all()]),
            (TOOL, vec![Source::oci_archive(&whole, "2.1").all()]),
        ],
        // Partial archives: through manifest.json, as `push` looks for all children of an index in
        // one and the same archive.
        [HELLO, TOOL].map(|reference| {
            let names = ["ctr-export-amd64.tar", "ctr-export-arm64.tar"];
            let partial = |name: &str| Source::docker_archive(&archive(name), reference);
            (reference, names.map(partial).to_vec())
        }),
        // One platform out of a whole index.
        [(HELLO, "1.0"), (TOOL, "2.1")].map(|(reference, tag)| {
            let platforms = [AMD64, ARM64];
            let source = |platform: &str| Source::oci_archive(&whole, tag).platform(platform);
            (reference, platforms.map(source).to_vec())
        }),
        [
            (
                HELLO,
                vec![
                    Source::oci_archive(&archive("podman-oci-archive-hello-amd64.tar"), HELLO),
                    Source::oci_archive(&archive("skopeo-oci-archive-hello-arm64.tar"), HELLO),
                ],
            ),
            (TOOL, vec![docker("amd64", TOOL), podman("arm64", TOOL)]),
        ],
    ];
    for flavour in flavours {
        let oracle = ok(buildah.manifest_fuse(&flavour));
        for (reference, configs) in [
            (HELLO, [HELLO_AMD64, HELLO_ARM64]),
            (TOOL, [TOOL_AMD64, TOOL_ARM64]),
        ] {
            let images = &oracle.images[reference];
            let platforms: Vec<_> = images.iter().map(|image| image.platform.as_str()).collect();
            assert_eq!(platforms, [AMD64, ARM64], "{flavour:?}");
            let found: Vec<_> = images.iter().map(|image| image.config.as_str()).collect();
            assert_eq!(found, configs, "{flavour:?}");
            assert!(
                images
                    .iter()
                    .all(|image| image.diff_ids.contains(&BASE_DIFF_ID.to_owned()))
            );
            assert!(
                images
                    .iter()
                    .all(|image| image.layers.len() == image.diff_ids.len())
            );
        }
        assert_eq!(
            oracle.images[HELLO][0].diff_ids,
            [BASE_DIFF_ID, HELLO_AMD64_DIFF_ID],
            "bottom first"
        );
        assert!(oracle.layout().join("index.json").exists());
    }
    let version: &mut Command = &mut buildah.buildah();
    assert!(ok(run_text(version.arg("--version"))).contains("buildah"));
}
