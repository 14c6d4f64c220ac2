//! Files that are no images: one copy of what is the same, and a choice for what differs.

use std::path::PathBuf;

use fusion_core::ErrorKind;
use fusion_fixtures::package::{Archive, Item, Package, Wrap};
use fusion_fixtures::{Flavour, Squeeze, synthetic};

use super::super::support::{Scene, fused, try_fuse};
use super::plain::{Node, Tree};
use super::{platforms, warnings};

/// Two packages with an archive each, and whatever `fill` puts beside it.
fn pair(scene: &Scene, fill: impl Fn(&str, Package) -> Package) -> [PathBuf; 2] {
    platforms().map(|platform| {
        let architecture = platform.architecture.as_str();
        let image = synthetic::image(Some("web:1"), &platform, 1, &[2000], 0).unwrap();
        let archive = Archive::new(Flavour::DockerHybrid, vec![image]);
        let package = Package::new().with(format!("images-{architecture}.tar"), archive);
        let path = scene.source(&format!("{architecture}.tar.gz"));
        let wrap = Wrap::Squeezed(Squeeze::gzip());
        fill(architecture, package).write(&path, &wrap).unwrap();
        path
    })
}

/// Files that differ, and one that does not.
fn differing(scene: &Scene) -> [PathBuf; 2] {
    pair(scene, |architecture, package| {
        package
            .with(
                "bin/tool",
                Item::Program(format!("for {architecture}\n").as_str().into()),
            )
            .with(
                "settings.yaml",
                format!("platform: {architecture}\n").as_str(),
            )
            .with("README.md", "the same\n")
    })
}

#[test]
fn what_differs_stands_beside_whatever_the_order() {
    let scene = Scene::new();
    let [amd64, arm64] = differing(&scene);
    for (at, sources) in [[&amd64, &arm64], [&arm64, &amd64]].into_iter().enumerate() {
        let out = scene.out(&format!("{at}.tar"));
        let report = fused(&sources, &out, &[]);
        let tree = Tree::open(&out);
        assert_eq!(tree.text("bin/tool"), "for amd64\n");
        assert_eq!(tree.text("bin/tool.linux-arm64"), "for arm64\n");
        assert_eq!(tree.text("settings.yaml"), "platform: amd64\n");
        assert_eq!(tree.text("settings.linux-arm64.yaml"), "platform: arm64\n");
        assert_eq!(tree.text("README.md"), "the same\n");
        assert_eq!(tree.names().len(), 6, "{:?}", tree.names());
        assert_eq!(warnings(&report, "file-conflict").len(), 2);
    }
}

#[test]
fn first_and_last_keep_the_file_of_that_source() {
    let scene = Scene::new();
    let [amd64, arm64] = differing(&scene);
    for (sources, policy, kept) in [
        ([&amd64, &arm64], "first", "amd64"),
        ([&amd64, &arm64], "last", "arm64"),
        ([&arm64, &amd64], "first", "arm64"),
        ([&arm64, &amd64], "last", "amd64"),
    ] {
        let out = scene.out("out.tar");
        let chosen = [("on-file-conflict", policy), ("on-existing", "replace")];
        let report = fused(&sources, &out, &chosen);
        let tree = Tree::open(&out);
        assert_eq!(tree.text("bin/tool"), format!("for {kept}\n"), "{policy}");
        assert_eq!(
            tree.text("settings.yaml"),
            format!("platform: {kept}\n"),
            "{policy}"
        );
        assert_eq!(tree.names().len(), 4, "nothing beside: {:?}", tree.names());
        let said = warnings(&report, "file-conflict");
        assert_eq!(said.len(), 2, "{said:?}");
        let name = format!("{kept}.tar.gz` was kept");
        assert!(said.iter().all(|said| said.contains(&name)), "{said:?}");
    }
}

#[test]
fn error_refuses_files_that_differ_and_publishes_nothing() {
    let scene = Scene::new();
    let sources = differing(&scene);
    let chosen = [("on-file-conflict", "error")];
    let failure = try_fuse(&sources, &scene.out("out.tar"), &chosen).unwrap_err();
    assert_eq!(failure.error.kind(), ErrorKind::Conflict);
    let said = failure.error.to_string();
    for part in ["bin/tool", "amd64.tar.gz", "arm64.tar.gz"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(
        failure
            .error
            .get_hint()
            .is_some_and(|hint| hint.contains("beside"))
    );
    assert!(scene.published().is_empty());

    // What is the same is none.
    let same = pair(&scene, |_, package| package.with("README.md", "the same\n"));
    fused(&same, &scene.out("out.tar"), &chosen);
}

#[test]
fn links_and_empty_folders_and_permissions_stay() {
    let scene = Scene::new();
    let sources = pair(&scene, |architecture, package| {
        package
            .with("bin/tool-1.2", Item::Program("#!/bin/sh\n".into()))
            .with("bin/tool", Item::Symlink("tool-1.2".to_owned()))
            .with("current", Item::Symlink(format!("releases/{architecture}")))
            .with("spool/", Item::Folder)
    });
    let out = scene.out("out.tar");
    let report = fused(&sources, &out, &[]);
    let tree = Tree::open(&out);
    assert_eq!(*tree.node("bin/tool"), Node::Link("tool-1.2".to_owned()));
    assert_eq!(
        *tree.node("current"),
        Node::Link("releases/amd64".to_owned())
    );
    assert_eq!(
        *tree.node("current.linux-arm64"),
        Node::Link("releases/arm64".to_owned())
    );
    assert_eq!(*tree.node("spool"), Node::Folder);
    assert_eq!(warnings(&report, "file-conflict").len(), 1);
    let mut archive = tar::Archive::new(std::fs::File::open(&out).unwrap());
    let mode = archive.entries().unwrap().find_map(|entry| {
        let entry = entry.unwrap();
        let is_it = entry.path().unwrap().ends_with("tool-1.2");
        is_it.then(|| entry.header().mode().unwrap())
    });
    assert_eq!(mode, Some(0o755), "it can be run");
}

#[test]
fn a_file_gives_way_to_a_folder_of_its_name() {
    for listed in [true, false] {
        let scene = Scene::new();
        let sources = pair(&scene, |architecture, mut package| {
            // Whether the tar has members for folders or not.
            package.folders = listed;
            match architecture {
                "amd64" => package.with("files", "a file\n"),
                _ => package.with("files/list", "in a folder\n"),
            }
        });
        let out = scene.out("out.tar");
        let report = fused(&sources, &out, &[]);
        let tree = Tree::open(&out);
        assert_eq!(
            tree.names(),
            ["files.linux-amd64", "files/list", "images.tar"]
        );
        assert_eq!(tree.text("files.linux-amd64"), "a file\n");
        assert_eq!(tree.text("files/list"), "in a folder\n");
        let said = warnings(&report, "file-conflict");
        assert!(
            said.len() == 1 && said[0].contains("files.linux-amd64"),
            "{said:?}"
        );

        let chosen = [("on-file-conflict", "error"), ("on-existing", "replace")];
        let failure = try_fuse(&sources, &out, &chosen).unwrap_err();
        assert_eq!(failure.error.kind(), ErrorKind::Conflict);
    }
}
