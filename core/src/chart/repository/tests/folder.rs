//! LOCAL.

use std::fs;
use std::path::Path;

use super::*;
use crate::error::ErrorKind;

fn at(path: &Path) -> Repository {
    let spec = RepositorySpec {
        path: Some(path.to_owned()),
        username: None,
        password: None,
        ..spec(RepositoryKind::Local, "")
    };
    Repository::open(&spec, Keys::SYNC, &connect(), Stop::new()).unwrap()
}

fn publish(repository: &Repository, version: &str, bytes: &[u8]) {
    let metadata = json!({"apiVersion": "v2", "name": "app", "version": version});
    repository
        .publish("app", version, bytes, &metadata, true)
        .unwrap();
}

/// The names in a folder.
fn listed(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn charts_and_an_index_come_into_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/charts");
    let repository = at(&path);
    for dry_run in [true, false] {
        repository.check(None, dry_run).unwrap();
        assert_eq!(repository.get("app", "1.0.0").unwrap(), None);
        assert_eq!(
            listed(folder.path()),
            [] as [&str; 0],
            "nothing is made yet"
        );
    }
    publish(&repository, "1.0.0", b"one");
    publish(&repository, "1.10.0", b"ten");
    repository.settle().unwrap();
    assert_eq!(
        listed(&path),
        ["app-1.0.0.tgz", "app-1.10.0.tgz", "index.yaml"]
    );
    let index = fs::read_to_string(path.join("index.yaml")).unwrap();
    let (one, ten) = (index.find("app-1.0.0.tgz"), index.find("app-1.10.0.tgz"));
    assert!(ten < one && one.is_some(), "{index}");

    // Another run, to which one of them is new: the same, and nothing is written.
    let before = fs::metadata(path.join("index.yaml")).unwrap();
    let repository = at(&path);
    assert_eq!(repository.get("app", "1.0.0").unwrap().unwrap(), b"one");
    publish(&repository, "1.0.0", b"one");
    repository.settle().unwrap();
    let after = fs::metadata(path.join("index.yaml")).unwrap();
    use std::os::unix::fs::MetadataExt;
    assert_eq!(before.ino(), after.ino());
    let text = fs::read_to_string(path.join("index.yaml")).unwrap();
    assert_eq!(text, index);
}

#[test]
fn other_content_needs_to_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let repository = at(folder.path());
    publish(&repository, "1.0.0+b", b"one");
    let error = (repository.publish("app", "1.0.0+b", b"two", &metadata(), false)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DestinationExists);
    assert_eq!(
        fs::read(folder.path().join("app-1.0.0+b.tgz")).unwrap(),
        b"one"
    );
    publish(&repository, "1.0.0+b", b"two");
    repository.settle().unwrap();
    let index = fs::read_to_string(folder.path().join("index.yaml")).unwrap();
    let digest = crate::oci::Digest::of(b"two").hex();
    assert_eq!(index.matches("digest:").count(), 1, "{index}");
    assert!(index.contains(&digest), "{index}");
}

#[test]
fn a_chart_that_a_killed_run_left_out_of_the_index_comes_in() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app-1.0.0.tgz"), "one").unwrap();
    let repository = at(folder.path());
    publish(&repository, "1.0.0", b"one");
    repository.settle().unwrap();
    let index = fs::read_to_string(folder.path().join("index.yaml")).unwrap();
    assert!(index.contains("- app-1.0.0.tgz"), "{index}");
}

#[test]
fn two_runs_do_not_write_one_index() {
    let folder = tempfile::tempdir().unwrap();
    let first = at(folder.path());
    first.check(None, false).unwrap();
    let second = at(folder.path()).check(None, false).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::Busy);
    first.settle().unwrap();
    assert_eq!(listed(folder.path()), [] as [&str; 0]);
    at(folder.path()).check(None, false).unwrap();
}

#[test]
fn what_is_in_the_way_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for path in ["file", "file/below"] {
        for dry_run in [true, false] {
            let error = at(&folder.path().join(path))
                .check(None, dry_run)
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
            assert!(error.get_path().unwrap().ends_with("file"), "{error}");
        }
    }
    std::os::unix::fs::symlink("gone", folder.path().join("link")).unwrap();
    for path in ["link", "link/below"] {
        let error = at(&folder.path().join(path)).check(None, true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        assert!(error.get_path().unwrap().ends_with("link"), "{error}");
    }
    fs::write(folder.path().join("index.yaml"), "- no index").unwrap();
    let error = at(folder.path()).check(None, true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArchive);
    assert!(error.get_path().unwrap().ends_with("index.yaml"), "{error}");
    fs::create_dir(folder.path().join("app-1.tgz")).unwrap();
    let error = at(folder.path()).get("app", "1").unwrap_err();
    assert!(error.get_path().unwrap().ends_with("app-1.tgz"), "{error}");
}
