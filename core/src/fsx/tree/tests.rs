use super::*;

#[test]
fn listings_are_in_order_and_errors_name_the_path() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for name in ["b", "a", "c"] {
        std::fs::write(dir.path().join(name), name).expect("written");
    }
    let names = ["a", "b", "c"].map(|name| dir.path().join(name));
    assert_eq!(read_dir_sorted(dir.path()).expect("a folder"), names);
    let none = dir.path().join("none");
    for error in [
        read_dir_sorted(&none).expect_err("nothing there"),
        metadata(&none).expect_err("nothing there"),
        open(&none).expect_err("nothing there"),
        read_small(&none, 1).expect_err("nothing there"),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.get_path(), Some(none.as_path()));
    }
}

#[test]
fn small_files_are_read_up_to_the_cap() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("a");
    std::fs::write(&path, b"12345").expect("written");
    assert_eq!(read_small(&path, 5).expect("small"), b"12345");
    let error = read_small(&path, 4).expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}

#[test]
fn removing_what_is_not_there_is_fine_and_links_are_not_followed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| dir.path().join(name);
    create_dir_all(&at("kept/deep")).expect("created");
    create_dir_all(&at("gone/deep")).expect("created");
    std::os::unix::fs::symlink(at("kept"), at("gone/deep/link")).expect("linked");
    std::os::unix::fs::symlink("nowhere", at("dangling")).expect("linked");
    assert!(exists(&at("dangling")).expect("can be asked"));
    assert!(remove_file_if_exists(&at("dangling")).expect("removed"));
    assert!(!remove_file_if_exists(&at("dangling")).expect("nothing there"));
    remove_dir_all(&at("gone")).expect("removed");
    remove_dir_all(&at("gone")).expect("nothing there");
    assert!(exists(&at("kept/deep")).expect("can be asked"));
    assert!(!exists(&at("gone")).expect("can be asked"));
}
