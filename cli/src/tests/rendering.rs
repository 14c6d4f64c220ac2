//! What people see, whole.

use fusion_core::report::Verification;

use super::samples;
use crate::color::Paint;
use crate::output::Document;

#[test]
fn a_report_is_a_table_and_totals() {
    let expected = "\
merged  docker.io/library/a:1  linux/amd64, linux/arm64  sha256:29b992756069
failed  docker.io/library/b:2

fused 1 image into `out.tar` (oci-archive), 1 failed
  blobs  13 unique of 24, 12 written, 1 reused
  bytes  300.0 MiB read, 200.0 MiB unique, 100.0 MiB deduplicated, 190.0 MiB written
  time   1.2 s
";
    assert_eq!(samples::report().human(Paint::PLAIN, 0), expected);
}

#[test]
fn a_plan_tells_more_and_says_would() {
    let expected = "\
would merge  docker.io/library/a:1  sha256:29b992756069
  linux/amd64  40.0 MiB  a.tar  sha256:baf0239e48ff
  linux/arm64  40.0 MiB  b.tar  sha256:b3e3ab55f887

would fuse 1 image into `out.tar` (oci-archive)
  blobs  13 unique of 24, 12 to write, 1 reused
  bytes  300.0 MiB to read, 200.0 MiB unique, 100.0 MiB deduplicated, 190.0 MiB to write
  time   1.2 s
";
    assert_eq!(samples::plan().human(Paint::PLAIN, 0), expected);
}

#[test]
fn a_push_tells_targets_and_what_was_sent() {
    let expected = "\
merged     harbor.local/p/library/a:1  linux/amd64, linux/arm64  sha256:29b992756069
unchanged  harbor.local/p/library/b:2  linux/arm64               sha256:3b7aab8a90bc

pushed 2 images to `harbor.local/p` (registry)
  blobs  13 unique of 24, 9 uploaded, 1 mounted, 3 present
  bytes  300.0 MiB read, 200.0 MiB unique, 100.0 MiB deduplicated, 150.0 MiB sent
  time   1.2 s
";
    assert_eq!(samples::pushed().human(Paint::PLAIN, 0), expected);
}

#[test]
fn a_push_that_is_only_planned_says_what_is_missing() {
    let mut plan = samples::pushed();
    plan.dry_run = true;
    plan.images.pop();
    let expected = "\
would merge  harbor.local/p/library/a:1  sha256:29b992756069
  linux/amd64  40.0 MiB  docker://harbor.local/p/a:1  sha256:baf0239e48ff
  linux/arm64  40.0 MiB  b.tar                        sha256:b3e3ab55f887

would push 1 image to `harbor.local/p` (registry)
  blobs  13 unique of 24, 9 to upload, 1 to mount, 3 present
  bytes  300.0 MiB read, 200.0 MiB unique, 100.0 MiB deduplicated, 150.0 MiB to send
  time   1.2 s
";
    assert_eq!(plan.human(Paint::PLAIN, 0), expected);
}

#[test]
fn a_sync_tells_what_became_of_charts_and_values() {
    let mut report = samples::synced();
    report.images.pop();
    let expected = "\
merged  harbor.local/p/library/a:1  linux/amd64, linux/arm64  sha256:29b992756069

2 charts
  created  kairship 1.0.0  linux/amd64, linux/arm64  https://harbor.local/chartrepo/p/kairship-1.0.0.tgz
  failed   web 1.0.0       linux/amd64, linux/arm64  b.bundle.tar

`bak.yaml`, values of kairship: 2 values changed
  global.imageRegistry  10.0.0.1     -> harbor.local
  ui.image.registry     (not there)  -> harbor.local
  sidecar.image stays `quay.io/acme/proxy`: it names another image, `quay.io/acme/proxy:1`

pushed 1 image to `harbor.local/p` (registry)
  blobs  13 unique of 24, 9 uploaded, 1 mounted, 3 present
  bytes  300.0 MiB read, 200.0 MiB unique, 100.0 MiB deduplicated, 150.0 MiB sent
  time   1.2 s
";
    assert_eq!(report.human(Paint::PLAIN, 0), expected);
    let expected = "\
error: web 1.0.0: `https://harbor.local/chartrepo/p` takes no chart

hint: ask for the right to write
error: in › arm64/web_1.0.0.bundle.tar was left out: `in/arm64/web_1.0.0.bundle.tar`: truncated
";
    assert_eq!(report.failures(Paint::PLAIN), expected);
    assert_eq!(report.status(), 7);
}

#[test]
fn a_sync_that_is_only_planned_says_would() {
    let mut plan = samples::synced();
    plan.dry_run = true;
    plan.values.push(fusion_core::report::CarriedValues {
        path: "other.yaml".into(),
        chart: "web".into(),
        changes: Vec::new(),
        kept: Vec::new(),
    });
    let shown = plan.human(Paint::PLAIN, 0);
    for line in [
        "  would create  kairship 1.0.0  linux/amd64, linux/arm64  https://",
        "  would fail    web 1.0.0 ",
        "`bak.yaml`, values of kairship: 2 values would change\n",
        "`other.yaml`, values of web: nothing to change\n\nwould push 2 images to",
    ] {
        assert!(shown.contains(line), "{line} is missing in:\n{shown}");
    }
}

#[test]
fn an_index_is_made_and_a_layout_written() {
    let mut made = samples::pushed();
    made.command = "index create";
    made.images.pop();
    let shown = made.human(Paint::PLAIN, 0);
    let head = "made 1 index as `harbor.local/p` (registry)\n";
    assert!(shown.contains(head), "{shown}");
    made.destination = Some(fusion_core::report::Destination {
        kind: "oci",
        location: "layout".into(),
    });
    let shown = made.human(Paint::PLAIN, 0);
    assert!(
        shown.contains("made 1 index as `layout` (oci)\n"),
        "{shown}"
    );
    assert!(shown.contains(", 0 written, 3 reused\n"), "{shown}");
}

#[test]
fn warnings_and_failed_images_are_for_standard_error() {
    let report = samples::report();
    assert_eq!(
        report.warnings(Paint::PLAIN),
        "warning[missing-platform]: `docker.io/library/b:2` lacks linux/arm64\n"
    );
    let expected = "\
error: docker.io/library/b:2: `a.tar`: content is not what it goes by

hint: fetch the archive again
";
    assert_eq!(report.failures(Paint::PLAIN), expected);
    assert_eq!(report.status(), 7);
}

#[test]
fn an_inspection_is_a_tree() {
    let expected = "\
a.tar.gz: oci-archive, gzip, 90.0 MiB

(without a name)
  linux/amd64  40.0 MiB  1 layer  sha256:baf0239e48ff
docker.io/library/a:1  sha256:ca978112ca1b
  linux/amd64   40.0 MiB  1 layer  sha256:baf0239e48ff  1 attestation
  linux/arm/v7  40.0 MiB  1 layer  sha256:35df9beb9b1c
  absent: sha256:5ad38304b535

2 images
  blobs  13 unique of 24
  bytes  200.0 MiB unique, 100.0 MiB shared
";
    assert_eq!(samples::inspection().human(Paint::PLAIN, 0), expected);
}

#[test]
fn a_verbose_inspection_has_the_layers() {
    let mut inspection = samples::inspection();
    inspection.images.pop();
    let expected = "\
a.tar.gz: oci-archive, gzip, 90.0 MiB

(without a name)
  linux/amd64  40.0 MiB  1 layer  sha256:baf0239e48ff
    sha256:b79606fb3afe  configuration
    sha256:dac1d7cfa950  application/vnd.oci.image.layer.v1.tar+gzip  39.0 MiB

1 image
  blobs  13 unique of 24
  bytes  200.0 MiB unique, 100.0 MiB shared
";
    assert_eq!(inspection.human(Paint::PLAIN, 1), expected);
}

#[test]
fn a_verification_lists_findings_and_closes() {
    let found = samples::verification();
    let expected = "\
error[digest-mismatch] a.tar: blobs/sha256/00: content is not what it goes by (sha256:00) \
         (at byte 512)
warning[digest-mismatch] a.tar: content is not what it goes by
verified 2 images in 2 sources, 13 blobs (200.0 MiB) in 0.5 s: 1 error, 1 warning
";
    assert_eq!(found.human(Paint::PLAIN, 0), expected);
    assert_eq!(found.status(), 4);

    let fine = Verification::new(vec!["a.tar".into()]);
    let expected = "verified 0 images in 1 source, 0 blobs (0 B) in 0.0 s: nothing wrong\n";
    assert_eq!(fine.human(Paint::PLAIN, 0), expected);
    assert_eq!(fine.status(), 0);
}

#[test]
fn colour_changes_nothing_but_colour() {
    let painted = samples::verification().human(Paint::ALWAYS, 0);
    let mut plain = String::new();
    for (at, part) in painted.split('\x1b').enumerate() {
        let text = if at == 0 {
            Some(part)
        } else {
            part.split_once('m').map(|(_, text)| text)
        };
        plain.push_str(text.expect("a colour"));
    }
    assert_ne!(painted, plain);
    assert_eq!(plain, samples::verification().human(Paint::PLAIN, 0));
}
