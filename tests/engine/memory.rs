//! Private memory stays below 64 MiB, whatever the size of the archives, and 256 MiB of memory for
//! everything, pages of files included, are enough.
//!
//! Maps of files are not private: the kernel takes their pages back whenever it likes. What counts
//! is what only swap could free: anonymous pages, and pages of private maps that were written to.

#![expect(clippy::print_stdout, reason = "`--nocapture` shows the numbers")]

use std::fs::{self, File};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fusion_core::compress::Encoder;
use fusion_core::oci::Compression;
use fusion_core::tar::{self, EntryKind};
use fusion_fixtures::{Digest, Layer, Noise, Platform, Process, config};
use serde_json::json;

use super::scene::{self, Scene};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What a run may take, in bytes.
const LIMIT: u64 = 64 * MIB;

/// `head -c SIZE /dev/zero | sha256sum`
const ZEROS: [(u64, &str); 6] = [
    (
        384 * MIB,
        "3201548f7070f0ae5adf2c869b15df99b5f85ca51feda443c1597c130976619a",
    ),
    (
        512 * MIB,
        "9acca8e8c22201155389f65abbf6bc9723edc7384ead80503839f49dcc56d767",
    ),
    (
        2560 * MIB,
        "9679aa8d70d80446e83955c51d2fe0cbc0af409a5202ee4c977a59a117372cff",
    ),
    (
        3072 * MIB,
        "305b66a59d15b252092fbda9d09711230c429f351897cbd430e7b55a35fd3b97",
    ),
    (
        4608 * MIB,
        "4a106567656aef43130523c2c13d109f772dd3cd4e5330e9c589e387b347a7dd",
    ),
    (
        5120 * MIB,
        "7f06c62352aebd8125b2a1841e2b9e1ffcbed602f381c3dcb3200200e383d1d5",
    ),
];

/// Bytes of noise in every archive, in two layers.
const NOISE: u64 = 64 * MIB;

/// An image of two layers of noise and some of zeros, as skopeo stores it. Written to a file, the
/// zeros are holes.
pub(crate) struct Bulk {
    zeros: Vec<(u64, Digest)>,
    noise: [Layer; 2],
}

impl Bulk {
    /// Takes the zeros of [`ZEROS`] that are numbered so.
    pub(crate) fn new(which: &[usize]) -> Self {
        let noise = |seed| {
            let noise = Noise {
                seed,
                size: NOISE,
                label: None,
            };
            Layer::noise(noise).unwrap()
        };
        let zeros = |at: &usize| (ZEROS[*at].0, Digest::parse(ZEROS[*at].1).unwrap());
        Self {
            zeros: which.iter().map(zeros).collect(),
            noise: [noise(1), noise(2)],
        }
    }

    /// The layers of zeros: bytes and digest.
    pub(crate) fn zeros(&self) -> &[(u64, Digest)] {
        &self.zeros
    }

    fn size(&self) -> u64 {
        let zeros: u64 = self.zeros.iter().map(|(size, _)| size).sum();
        zeros + 2 * NOISE
    }

    /// Calls `write` for every stretch of the archive: bytes, or so many zeros.
    fn parts(&self, write: &mut dyn FnMut(Part<'_>)) {
        let mut layers: Vec<(Digest, u64, Option<&Layer>)> = Vec::new();
        for layer in &self.noise {
            layers.push((layer.diff_id, layer.content.size(), Some(layer)));
        }
        for (size, digest) in &self.zeros {
            layers.push((*digest, *size, None));
        }
        let described: Vec<Layer> = layers
            .iter()
            .map(|(digest, ..)| {
                let mut layer = Layer::memory(Vec::new());
                layer.diff_id = *digest;
                layer
            })
            .collect();
        let config = config(&Platform::amd64(), &described, &Process::new(&["/bin/sh"]));
        let name = |digest: &Digest| format!("{}.tar", digest.hex());
        let listed: Vec<String> = layers.iter().map(|(digest, ..)| name(digest)).collect();
        let config_name = format!("{}.json", Digest::of(&config).hex());
        let manifest = json!([{
            "Config": config_name,
            "RepoTags": ["docker.io/acme/bulk:1"],
            "Layers": listed,
        }]);
        for (digest, size, layer) in &layers {
            write(Part::Bytes(&header(&name(digest), *size)));
            match layer {
                None => write(Part::Zeros(*size)),
                Some(layer) => {
                    let mut content = layer.content.open().unwrap();
                    let mut buffer = vec![0; 1 << 20];
                    loop {
                        match content.read(&mut buffer).unwrap() {
                            0 => break,
                            count => write(Part::Bytes(&buffer[..count])),
                        }
                    }
                }
            }
            write(Part::Zeros(tar::padding(*size)));
        }
        for (name, bytes) in [
            (config_name.as_str(), config),
            ("manifest.json", manifest.to_string().into_bytes()),
        ] {
            write(Part::Bytes(&header(name, bytes.len() as u64)));
            write(Part::Bytes(&bytes));
            write(Part::Zeros(tar::padding(bytes.len() as u64)));
        }
        write(Part::Zeros(1024));
    }

    /// Writes the archive with holes.
    pub(crate) fn sparse(&self, path: &Path) {
        let mut file = File::create(path).unwrap();
        self.parts(&mut |part| match part {
            Part::Bytes(bytes) => file.write_all(bytes).unwrap(),
            Part::Zeros(count) => {
                file.seek(SeekFrom::Current(count.try_into().unwrap()))
                    .unwrap();
            }
        });
        let size = file.stream_position().unwrap();
        file.set_len(size).unwrap();
        // The pages of a file that is not on disk yet would count as dirty wherever it is mapped.
        file.sync_all().unwrap();
    }

    /// Writes the archive compressed.
    pub(crate) fn compressed(&self, path: &Path, compression: Compression) {
        let out = BufWriter::new(File::create(path).unwrap());
        let mut encoder = Encoder::new(compression, 1, 2, out).unwrap();
        let zeros = vec![0; 1 << 20];
        self.parts(&mut |part| match part {
            Part::Bytes(bytes) => encoder.write_all(bytes).unwrap(),
            Part::Zeros(mut count) => {
                while count > 0 {
                    let some = count.min(1 << 20);
                    encoder.write_all(&zeros[..some as usize]).unwrap();
                    count -= some;
                }
            }
        });
        let out = encoder.finish().unwrap();
        out.get_ref().sync_all().unwrap();
    }
}

enum Part<'a> {
    Bytes(&'a [u8]),
    Zeros(u64),
}

fn header(name: &str, size: u64) -> Vec<u8> {
    tar::header(name, &EntryKind::File, size, 0o644, 0)
}

/// What a run took, in bytes.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Taken {
    /// `RssAnon`.
    pub(crate) anonymous: u64,
    /// `Private_Dirty` of everything that is mapped.
    private_dirty: u64,
}

impl Taken {
    fn worst(self) -> u64 {
        self.anonymous.max(self.private_dirty)
    }
}

/// Waits for `child`, and looks every 20 ms at what it has taken.
pub(crate) fn watch(child: &mut Child, words: &[&str]) -> Taken {
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let mut taken = Taken::default();
    let begun = Instant::now();
    let mut looks = 0_u32;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if let Some(bytes) = field(&process.join("status"), "RssAnon:") {
            taken.anonymous = taken.anonymous.max(bytes);
        }
        // The kernel walks the whole map for this one.
        if looks % 10 == 2
            && let Some(bytes) = field(&process.join("smaps_rollup"), "Private_Dirty:")
        {
            taken.private_dirty = taken.private_dirty.max(bytes);
        }
        looks += 1;
        std::thread::sleep(Duration::from_millis(20));
    };
    println!(
        "{:?} {} MiB anonymous, {} MiB private and dirty: fusion {}",
        begun.elapsed(),
        taken.anonymous / MIB,
        taken.private_dirty / MIB,
        words.join(" ")
    );
    assert!(status.success(), "fusion {}: {status}", words.join(" "));
    assert!(looks > 2, "too short to be measured");
    taken
}

/// A field in KiB of a file in `/proc`, in bytes.
pub(super) fn field(path: &Path, name: &str) -> Option<u64> {
    // The process may be gone.
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes << 10)
}

/// The most that a run takes of an archive with the zeros of [`ZEROS`] that are numbered so.
pub(crate) fn peak(scene: &Scene, which: &[usize]) -> u64 {
    Bulk::new(which).sparse(&scene.path("bulk.tar"));
    let words = ["fuse", "bulk.tar", "-o", "out/", "--durability", "rename"];
    let taken = watch(&mut scene.fusion(&words).spawn().unwrap(), &words);
    scene::remove(&scene.path("out"));
    taken.worst()
}

/// Runs the command and asserts that it stays below the limit.
fn assert_frugal(scene: &Scene, words: &[&str]) {
    let mut child = scene.fusion(words).spawn().unwrap();
    let taken = watch(&mut child, words);
    assert!(
        taken.worst() < LIMIT,
        "{taken:?}: fusion {}",
        words.join(" ")
    );
    for dest in ["out", "out.tar", "out.tar.gz", "out.tar.zst"] {
        scene::remove(&scene.path(dest));
    }
}

#[test]
fn one_gigabyte_of_any_flavour() {
    let scene = Scene::new();
    let bulk = Bulk::new(&[0, 1]);
    assert!(bulk.size() >= GIB);
    bulk.sparse(&scene.path("bulk.tar"));
    bulk.compressed(&scene.path("bulk.tar.gz"), Compression::Gzip);
    bulk.compressed(&scene.path("bulk.tar.zst"), Compression::Zstd);
    let rename = ["--durability", "rename"];
    for run in [
        ["bulk.tar", "out", "--format", "oci"].as_slice(),
        &["bulk.tar", "out.tar"],
        &["bulk.tar.gz", "out", "--format", "oci"],
        &["bulk.tar.zst", "out.tar"],
        &["bulk.tar", "out.tar.gz"],
        &["bulk.tar", "out.tar.zst"],
        &["bulk.tar", "out.tar.zst", "--jobs", "8"],
        // Two workers, each with an encoder of its own.
        &[
            "bulk.tar",
            "out",
            "--format",
            "oci",
            "--compression",
            "gzip",
            "--jobs",
            "2",
        ],
        &[
            "bulk.tar",
            "out",
            "--format",
            "oci",
            "--compression",
            "zstd",
            "--jobs",
            "2",
        ],
    ] {
        let words = [&["fuse", run[0], "-o", run[1]], &run[2..], &rename].concat();
        assert_frugal(&scene, &words);
    }
    assert_frugal(&scene, &["verify", "bulk.tar.gz"]);
}

#[test]
fn ten_gigabytes() {
    let scene = Scene::new();
    let bulk = Bulk::new(&[2, 3, 4]);
    assert!(bulk.size() >= 10 * GIB);
    bulk.sparse(&scene.path("bulk.tar"));
    let words = [
        "fuse",
        "bulk.tar",
        "-o",
        "out.tar",
        "--durability",
        "rename",
    ];
    assert_frugal(&scene, &words);
}

#[test]
fn a_cgroup_of_256_mib() {
    let scene = Scene::new();
    Bulk::new(&[0, 1]).sparse(&scene.path("bulk.tar"));
    let group = Group::new(256 * MIB);
    for (dest, format) in [("out", "oci"), ("out.tar", "oci-archive")] {
        let words = ["fuse", "bulk.tar", "-o", dest, "--format", format];
        let fusion = scene.fusion(&words);
        let mut shell = Command::new("sh");
        shell
            .args(["-c", r#"echo $$ > "$0" && exec "$@""#])
            .arg(group.path.join("cgroup.procs"))
            .arg(fusion.get_program())
            .args(fusion.get_args())
            .current_dir(scene.folder())
            .env("TMPDIR", scene.temp())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = shell.spawn().unwrap();
        let taken = watch(&mut child, &words);
        assert!(taken.worst() < LIMIT, "{taken:?}");
        scene.run(&["verify", dest]);
        scene::remove(&scene.path(dest));
    }
    let most = group.most();
    println!("the group took {} MiB at most", most / MIB);
    assert!(most > 100 * MIB, "{most}: it ran somewhere else");
}

/// A memory cgroup, removed when it is dropped.
struct Group {
    path: PathBuf,
    peak: &'static str,
}

impl Group {
    /// Below the cgroup of this process, whose limits stay in force, or as near as version 2 lets
    /// a group with processes have children.
    fn new(limit: u64) -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap();
        let controllers = |line: &str| {
            let mut parts = line.splitn(3, ':').skip(1);
            Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
        };
        let groups: Vec<(String, String)> = own.lines().filter_map(controllers).collect();
        let name = format!("fusion-test-{}", std::process::id());
        let of = |root: &str, path: &str| PathBuf::from(format!("{root}{path}"));
        if let Some((_, path)) = groups
            .iter()
            .find(|(names, _)| names.split(',').any(|name| name == "memory"))
        {
            let root = "/sys/fs/cgroup/memory";
            let parent = of(root, path);
            // In a container the path may be that of the host.
            let parent = if parent.is_dir() { parent } else { root.into() };
            return Self::make(
                parent.join(name),
                "memory.limit_in_bytes",
                limit,
                "memory.max_usage_in_bytes",
            );
        }
        let (_, path) = groups.first().expect("this process is in a cgroup");
        let mut parent = of("/sys/fs/cgroup", path);
        let delegates = |group: &Path| {
            fs::read_to_string(group.join("cgroup.subtree_control"))
                .is_ok_and(|names| names.split_whitespace().any(|name| name == "memory"))
        };
        while !delegates(&parent) && parent != Path::new("/sys/fs/cgroup") && parent.pop() {}
        Self::make(parent.join(name), "memory.max", limit, "memory.peak")
    }

    fn make(path: PathBuf, file: &str, limit: u64, peak: &'static str) -> Self {
        let failed = |e| panic!("no memory cgroup at {}: {e}", path.display());
        fs::create_dir(&path).unwrap_or_else(failed);
        let group = Self { path, peak };
        let limited = fs::write(group.path.join(file), limit.to_string());
        limited.unwrap_or_else(|e| panic!("no limit in {}: {e}", group.path.display()));
        group
    }

    /// The most that it ever took.
    fn most(&self) -> u64 {
        let text = fs::read_to_string(self.path.join(self.peak)).unwrap();
        text.trim().parse().unwrap()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for _ in 0..100 {
            if fs::remove_dir(&self.path).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
