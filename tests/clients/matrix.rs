//! Every input flavour × {layout, archive} × {raw, gzip, zstd layers} → every client that takes it.
//!
//! Long because the table of cases is one table.

use std::fmt;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fusion_fixtures::LayerForm::{Gzip, Raw, Zstd};
use fusion_fixtures::{Flavour, LayerForm, MediaTypes, Options, Outer, Written, write};
use tempfile::TempDir;

use super::committed::{
    AMDONLY, AMDONLY_AMD64, HELLO, HELLO_AMD64, HELLO_ARM64, TOOL as COMMITTED_TOOL, TOOL_AMD64,
    TOOL_ARM64, archive,
};
use super::fused::{self, Fused, To};
use super::layout;
use super::podman::Podman;
use super::process::{self, command, run};
use super::sample::{AMD_ONLY, AMD64, ARM_ONLY, ARM64, Sample, WEB};
use super::{docker::Docker, skopeo, sound, taking, tree};

/// How one line of the table is stored, and what `--compression` makes of it.
struct Line {
    flavour: Flavour,
    stored: LayerForm,
    compression: Option<&'static str>,
    result: LayerForm,
}

const fn kept(flavour: Flavour, stored: LayerForm) -> Line {
    Line {
        flavour,
        stored,
        compression: None,
        result: stored,
    }
}

const fn made(
    flavour: Flavour,
    stored: LayerForm,
    compression: &'static str,
    result: LayerForm,
) -> Line {
    Line {
        flavour,
        stored,
        compression: Some(compression),
        result,
    }
}

/// Where a flavour does not carry a form, `--compression` makes it.
const TABLE: &[Line] = &[
    kept(Flavour::DockerLegacy, Raw),
    made(Flavour::DockerLegacy, Raw, "gzip", Gzip),
    made(Flavour::DockerLegacy, Raw, "zstd", Zstd),
    kept(Flavour::DockerHybrid, Raw),
    made(Flavour::DockerHybrid, Raw, "gzip:1", Gzip),
    made(Flavour::DockerHybrid, Raw, "zstd:1", Zstd),
    kept(Flavour::DockerContainerd, Raw),
    kept(Flavour::DockerContainerd, Gzip),
    kept(Flavour::DockerContainerd, Zstd),
    made(Flavour::DockerContainerd, Gzip, "none", Raw),
    kept(Flavour::Skopeo, Raw),
    made(Flavour::Skopeo, Raw, "gzip", Gzip),
    made(Flavour::Skopeo, Raw, "zstd", Zstd),
    kept(Flavour::Ggcr, Raw),
    kept(Flavour::Ggcr, Gzip),
    kept(Flavour::Ggcr, Zstd),
    made(Flavour::Ggcr, Gzip, "none", Raw),
    kept(Flavour::OciArchive, Raw),
    kept(Flavour::OciArchive, Gzip),
    kept(Flavour::OciArchive, Zstd),
    kept(Flavour::OciArchiveFlat, Raw),
    made(Flavour::OciArchiveFlat, Zstd, "gzip", Gzip),
    kept(Flavour::OciArchiveFlat, Zstd),
    made(Flavour::OciLayout, Zstd, "none", Raw),
    kept(Flavour::OciLayout, Raw),
    kept(Flavour::OciLayout, Gzip),
    kept(Flavour::OciLayout, Zstd),
];

/// Some sources and what is to come of them.
struct Case {
    name: String,
    sources: Vec<PathBuf>,
    options: Vec<&'static str>,
    images: Vec<Expected>,
    form: Option<LayerForm>,
    files: Files,
    /// Whether containerd unpacks the images too; umoci does it in all cases.
    mounted: bool,
}

/// One image in the result.
#[derive(Debug)]
struct Expected {
    reference: String,
    platform: String,
    config: String,
    diff_ids: Option<Vec<String>>,
    /// Where the source has a manifest, and nothing was compressed anew.
    manifest: Option<String>,
    /// Where nothing was compressed anew.
    layers: Option<Vec<String>>,
}

/// What to look for in root file systems.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Files {
    Sample,
    Committed,
}

impl Files {
    fn look(self, reference: &str, platform: &str, rootfs: &Path) {
        if self == Self::Sample {
            let image = Sample::get().image(reference, platform);
            tree::assert_same(&tree::read(rootfs), &tree::expected(image));
            return;
        }
        let architecture = platform.rsplit('/').next().unwrap_or_default();
        let (file, text) = match reference {
            HELLO => ("bin/hello", format!("#!hello for {architecture}\n")),
            COMMITTED_TOOL => ("bin/tool", format!("#!tool for {architecture}\n")),
            _ => ("bin/amdonly", format!("#!for {architecture} alone\n")),
        };
        let found = fs::read_to_string(rootfs.join(file)).expect("the program of the image");
        assert_eq!(found, text, "{reference}");
        assert!(rootfs.join("etc/base-release").exists(), "{reference}");
    }
}

impl Case {
    /// The sample, in two files.
    fn sample(
        dir: &Path,
        flavour: Flavour,
        stored: LayerForm,
        result: LayerForm,
        options: &Options,
    ) -> Self {
        let sample = Sample::get();
        let written = [("amd64", &sample.amd64), ("arm64", &sample.arm64)].map(|(name, images)| {
            write(flavour, stored, images, &dir.join(name), options).expect("a fixture")
        });
        let same = stored == result;
        Self {
            name: format!("{} {stored:?}", flavour.name()),
            images: written
                .iter()
                .flat_map(|written| expected(written, same))
                .collect(),
            sources: written.into_iter().map(|written| written.path).collect(),
            options: Vec::new(),
            form: Some(result),
            files: Files::Sample,
            mounted: matches!(flavour, Flavour::DockerLegacy | Flavour::OciArchive),
        }
    }

    /// Committed archives; the form of the result is theirs.
    fn committed(names: &[&str], form: Option<LayerForm>) -> Self {
        let hello_only = names.iter().all(|name| name.contains("hello"));
        let of = |arch: &str, hello_only: bool| {
            names.iter().any(|name| {
                let covers = name.contains(arch) || name.contains("all");
                covers && (!hello_only || !name.contains("hello"))
            })
        };
        let mut images = Vec::new();
        for (reference, platform, config) in [
            (HELLO, AMD64, HELLO_AMD64),
            (HELLO, ARM64, HELLO_ARM64),
            (COMMITTED_TOOL, AMD64, TOOL_AMD64),
            (COMMITTED_TOOL, ARM64, TOOL_ARM64),
            (AMDONLY, AMD64, AMDONLY_AMD64),
        ] {
            let architecture = platform.rsplit('/').next().unwrap_or_default();
            if of(architecture, reference != HELLO) && (reference == HELLO || !hello_only) {
                images.push(Expected {
                    reference: reference.to_owned(),
                    platform: platform.to_owned(),
                    config: config.to_owned(),
                    diff_ids: None,
                    manifest: None,
                    layers: None,
                });
            }
        }
        Self {
            name: names.join(" + "),
            sources: names.iter().map(|name| archive(name)).collect(),
            options: Vec::new(),
            images,
            form,
            files: Files::Committed,
            mounted: !hello_only,
        }
    }

    fn fuse(&self, to: To, more: &[&str]) -> Fused {
        let options: Vec<_> = self.options.iter().chain(more).copied().collect();
        fused::fuse(&self.sources, to, &options)
    }

    /// The images in the result are those of the sources, and the report says what is missing.
    fn check(&self, fused: &Fused) {
        let found = &fused.sound.images;
        let count: usize = found.values().map(Vec::len).sum();
        assert_eq!(count, self.images.len(), "{found:?}");
        for expected in &self.images {
            let (reference, platform) = (&expected.reference, &expected.platform);
            let image = found
                .get(reference)
                .and_then(|images| images.iter().find(|image| &image.platform == platform))
                .unwrap_or_else(|| panic!("no {reference} for {platform}"));
            let at = format!("{reference} {platform}");
            assert_eq!(image.config, expected.config, "config of {at}");
            if let Some(diff_ids) = &expected.diff_ids {
                assert_eq!(&image.diff_ids, diff_ids, "diff IDs of {at}");
            }
            if let Some(manifest) = &expected.manifest {
                assert_eq!(&image.manifest, manifest, "manifest of {at}");
            }
            if let Some(layers) = &expected.layers {
                let found: Vec<_> = image.layers.iter().map(|layer| &layer.digest).collect();
                assert!(found.into_iter().eq(layers), "layers of {at}");
            }
        }
        if let Some(form) = self.form {
            let forms: Vec<_> = fused.sound.forms.iter().copied().collect();
            assert_eq!(forms, [sound::form_name(form)], "forms of layers");
        }
        let alone: Vec<_> = found
            .iter()
            .filter(|(_, images)| images.len() == 1 && found.values().any(|all| all.len() > 1))
            .map(|(reference, _)| reference.clone())
            .collect();
        assert_eq!(fused.warned("missing-platform"), alone, "warnings");
    }

    /// Fuses, and has every client that can take the result.
    fn run(&self, to: To, podman: &Podman) {
        let fused = self.fuse(to, &[]);
        self.check(&fused);
        let zstd = fused.sound.forms.contains("zstd");
        let several = fused.sound.images.len() > 1;
        let containerd = taking::containerd(&fused);
        taking::skopeo(&fused);
        // The limits of clients: README.md.
        if matches!(to, To::Archive | To::ArchiveGzip) && !zstd {
            taking::docker(&fused);
        }
        if matches!(to, To::Archive | To::ArchiveZstd) || to == To::ArchiveGzip && !several {
            taking::podman(podman, &fused);
        }
        if to == To::Archive && self.mounted {
            let reference = if self.files == Files::Sample {
                WEB
            } else {
                HELLO
            };
            for platform in [AMD64, ARM64] {
                let mounted = ok(containerd.mount(reference, platform));
                self.files.look(reference, platform, mounted.rootfs());
            }
        }
        if to == To::Layout && !zstd {
            for platform in [AMD64, ARM64] {
                let one = self.fuse(to, &["--platform", platform]);
                taking::umoci(&one, |reference, rootfs| {
                    self.files.look(reference, platform, rootfs);
                });
            }
        }
    }
}

fn expected(written: &Written, same: bool) -> Vec<Expected> {
    let expected = |image: &fusion_fixtures::WrittenImage| {
        let layers = image.layers.iter().map(|layer| layer.digest.to_string());
        let manifest = image.manifest.map(|manifest| manifest.digest.to_string());
        Expected {
            reference: image.reference.clone().expect("a reference"),
            platform: image.platform.to_string(),
            config: image.config.digest.to_string(),
            diff_ids: Some(image.diff_ids.iter().map(ToString::to_string).collect()),
            manifest: manifest.filter(|_| same),
            layers: same.then(|| layers.collect()),
        }
    };
    written.images.iter().map(expected).collect()
}

/// Does all of the work on a few threads and panics with the names of all cases that failed.
fn each<T: Sync>(
    items: &[T],
    name: impl Fn(&T) -> String + Sync,
    work: impl Fn(&T, &Podman) + Sync,
) {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let podman = Podman::new();
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = panic::catch_unwind(AssertUnwindSafe(|| work(item, &podman)));
                    if let Err(panic) = done {
                        let said = panic.downcast_ref::<String>().cloned();
                        let said = said
                            .or_else(|| panic.downcast_ref::<&str>().map(|&said| said.to_owned()))
                            .unwrap_or_default();
                        let failure = format!("{}: {said}", name(item));
                        failed.lock().expect("no panic here").push(failure);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no panic here");
    assert!(
        failed.is_empty(),
        "{} of {} cases failed:\n{}",
        failed.len(),
        items.len(),
        failed.join("\n\n")
    );
}

fn run_all(cases: &[Case], destinations: &[To]) {
    let items: Vec<_> = cases
        .iter()
        .flat_map(|case| destinations.iter().map(move |&to| (case, to)))
        .collect();
    each(
        &items,
        |(case, to)| format!("{case} → {to:?}"),
        |(case, to), podman| case.run(*to, podman),
    );
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        match self.form {
            Some(form) => write!(f, " → {form:?}"),
            None => Ok(()),
        }
    }
}

/// The lines of the table that give layers of that form.
fn table(dir: &Path, result: LayerForm) -> Vec<Case> {
    TABLE
        .iter()
        .filter(|line| line.result == result)
        .enumerate()
        .map(|(at, line)| {
            let dir = dir.join(at.to_string());
            fs::create_dir(&dir).expect("making a folder");
            let options = Options::default();
            let mut case = Case::sample(&dir, line.flavour, line.stored, result, &options);
            case.options.extend(
                line.compression
                    .iter()
                    .flat_map(|how| ["--compression", how]),
            );
            case
        })
        .collect()
}

#[test]
fn every_flavour_gives_every_client_its_images_with_raw_layers() {
    let dir = process::state_dir();
    run_all(&table(dir.path(), Raw), &[To::Layout, To::Archive]);
}

#[test]
fn every_flavour_gives_every_client_its_images_with_gzip_layers() {
    let dir = process::state_dir();
    run_all(&table(dir.path(), Gzip), &[To::Layout, To::Archive]);
}

#[test]
fn every_flavour_gives_every_client_its_images_with_zstd_layers() {
    let dir = process::state_dir();
    let cases = table(dir.path(), Zstd);
    run_all(&cases, &[To::Layout, To::Archive]);
    // Docker 20.10 cannot inflate them.
    let fused = cases[0].fuse(To::Archive, &[]);
    let docker = Docker::shared();
    let failure = docker.load(&fused.path).expect_err("must be refused");
    assert!(failure.said().contains("unexpected EOF"), "{failure}");
}

#[test]
fn compressed_archives_go_in_and_come_out() {
    let dir = process::state_dir();
    let case = |name: &str, flavour, form, options: Options| {
        let dir = dir.path().join(name);
        fs::create_dir(&dir).expect("making a folder");
        let mut case = Case::sample(&dir, flavour, form, form, &options);
        case.name = format!("{name} of {}", case.name);
        case
    };
    let outer = |outer| Options {
        outer,
        ..Options::default()
    };
    let inputs = [
        case("tar.gz", Flavour::DockerLegacy, Raw, outer(Outer::Gzip)),
        case("tar.zst", Flavour::DockerLegacy, Raw, outer(Outer::Zstd)),
        case("tar.gz-oci", Flavour::OciArchive, Gzip, outer(Outer::Gzip)),
        case("tar.zst-oci", Flavour::OciArchive, Zstd, outer(Outer::Zstd)),
    ];
    run_all(&inputs, &[To::Layout, To::Archive]);
    let mut outputs = vec![
        case("plain", Flavour::DockerLegacy, Raw, Options::default()),
        case("plain-oci", Flavour::OciArchive, Gzip, Options::default()),
    ];
    // One reference, which podman takes from a compressed archive too.
    let mut one = case("one", Flavour::Skopeo, Raw, Options::default());
    one.options.extend(["--image", "*/web:*"]);
    one.images.retain(|image| image.reference == WEB);
    outputs.push(one);
    run_all(&outputs, &[To::ArchiveGzip, To::ArchiveZstd]);
}

/// What `ctr` exports of images from Docker Hub: schema2 manifests, and so manifest lists.
#[test]
fn docker_media_types_are_kept_or_converted() {
    let dir = process::state_dir();
    let options = Options {
        media_types: MediaTypes::Docker,
        ..Options::default()
    };
    let mut case = Case::sample(dir.path(), Flavour::DockerContainerd, Gzip, Gzip, &options);
    let podman = Podman::new();
    for to in [To::Archive, To::Layout] {
        let fused = case.fuse(to, &[]);
        case.check(&fused);
        taking::containerd(&fused);
        if to == To::Archive {
            taking::docker(&fused);
            taking::podman(&podman, &fused);
        }
        // Skopeo sees only OCI types at the top of a layout; the children may be Docker's.
        let copy = format!("oci:{}:copy", dir.path().join("copy").display());
        skopeo::copy_exact(&fused.at(WEB), &copy).expect("an OCI index over Docker manifests");
    }
    case.options = vec!["--media-types", "oci"];
    for image in &mut case.images {
        image.manifest = None;
    }
    for to in [To::Archive, To::Layout] {
        case.run(to, &podman);
    }
}

/// The archives of the real tools, two that belong together.
#[test]
fn committed_archives_reach_every_client() {
    let pairs = [
        ("docker-20.10-save", Raw),
        ("podman-docker-archive", Raw),
        ("podman-oci-archive-hello", Gzip),
        ("skopeo-docker-archive-hello", Raw),
        ("skopeo-oci-archive-hello", Gzip),
        ("skopeo-oci", Gzip),
        ("skopeo-oci-zstd", Zstd),
        ("ctr-export", Gzip),
    ];
    let pairs = pairs.map(|(name, form)| {
        let [amd64, arm64] = ["amd64", "arm64"].map(|arch| format!("{name}-{arch}.tar"));
        Case::committed(&[&amd64, &arm64], Some(form))
    });
    let whole = [
        "skopeo-oci-all",
        "skopeo-oci-archive-hello-all",
        "ctr-export-all",
    ]
    .map(|name| Case::committed(&[&format!("{name}.tar")], Some(Gzip)));
    let mixed = [
        ["docker-20.10-save-amd64.tar", "ctr-export-arm64.tar"],
        [
            "skopeo-oci-zstd-amd64.tar",
            "podman-docker-archive-arm64.tar",
        ],
        ["ctr-export-amd64.tar", "skopeo-oci-archive-hello-arm64.tar"],
    ]
    .map(|names| Case::committed(&names, None));
    let cases: Vec<_> = pairs.into_iter().chain(whole).chain(mixed).collect();
    run_all(&cases, &[To::Layout, To::Archive]);
}

/// An index that was in all of the sources, or in parts in each, is still the same one.
#[test]
fn whole_and_completed_indexes_keep_their_digests() {
    for names in [
        &["ctr-export-all.tar"][..],
        &["skopeo-oci-all.tar"],
        &["ctr-export-amd64.tar", "ctr-export-arm64.tar"],
        &["ctr-export-all.tar", "skopeo-oci-all.tar"],
    ] {
        let fused = Case::committed(names, None).fuse(To::Archive, &[]);
        let source = untarred(&archive("skopeo-oci-all.tar"));
        let roots = layout::roots(source.path()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(fused.sound.roots, roots, "{names:?}");
    }
}

fn untarred(archive: &Path) -> TempDir {
    let dir = process::state_dir();
    ok(run(command("tar")
        .arg("-xf")
        .arg(archive)
        .arg("-C")
        .arg(dir.path())));
    dir
}

/// Any tool's archive of one architecture with any tool's archive of the other, in either order.
#[test]
fn committed_archives_pair_in_every_combination() {
    let tools = [
        "docker-20.10-save",
        "podman-docker-archive",
        "podman-oci-archive-hello",
        "skopeo-docker-archive-hello",
        "skopeo-oci-archive-hello",
        "skopeo-oci",
        "skopeo-oci-zstd",
        "ctr-export",
    ];
    let mut cases = Vec::new();
    for (at, amd64) in tools.iter().enumerate() {
        for (other, arm64) in tools.iter().enumerate() {
            let mut names = [format!("{amd64}-amd64.tar"), format!("{arm64}-arm64.tar")];
            if (at + other) % 2 == 1 {
                names.reverse();
            }
            cases.push(Case::committed(&[&names[0], &names[1]], None));
        }
    }
    each(&cases, ToString::to_string, |case, _| {
        case.check(&case.fuse(To::Archive, &[]));
    });
}

/// One platform per tag is all that `manifest.json` can say; which one can be chosen.
#[test]
fn docker_gets_the_platform_that_is_asked_for() {
    let dir = process::state_dir();
    let case = Case::sample(
        dir.path(),
        Flavour::DockerHybrid,
        Raw,
        Raw,
        &Options::default(),
    );
    let to = dir.path().join("arm.tar");
    ok(run(fused::fusion()
        .arg("fuse")
        .args(&case.sources)
        .args(["--docker-platform", ARM64, "--quiet", "-o"])
        .arg(&to)));
    let docker = Docker::shared();
    ok(docker.load(&to));
    let sample = Sample::get();
    for (reference, platform) in [(WEB, ARM64), (ARM_ONLY, ARM64), (AMD_ONLY, AMD64)] {
        let config = sample.image(reference, platform).config_digest();
        assert_eq!(ok(docker.inspect(reference)).id, config.to_string());
    }
}

#[track_caller]
fn ok<T>(result: process::Result<T>) -> T {
    result.unwrap_or_else(|e| panic!("{e}"))
}
