//! Configurations that are refused: each with the line and the setting that are to blame.

use super::*;

/// `with` ends in line 4.
const FIFTH: &str = "  containerRegistry: h.local\n";

fn refused(text: &str) -> Error {
    let error = read_with(text, &Settings::default()).expect_err(text);
    let path = error.get_path().expect("a path");
    assert!(path.ends_with("load-image.yaml") && error.get_member().is_none());
    error
}

fn check(rows: &[(String, &str)]) {
    for (text, message) in rows {
        let error = refused(text);
        assert_eq!(error.message(), *message, "{text}");
        assert_eq!(error.kind(), ErrorKind::Usage, "{text}");
    }
}

/// `with`, its repository being `repo`.
fn repo(repo: &str) -> String {
    with(FIFTH).replace(
        "{kind: CHARTMUSEUM, url: 'http://charts.local:8080/'}",
        repo,
    )
}

#[test]
fn names_that_are_none() {
    check(&[
        (
            PAGE.replace("kind:", "kindd:"),
            "line 7: `target.repo.kindd` is no setting: did you mean `kind`?",
        ),
        (
            PAGE.replace("containerRepository", "containerRepositry"),
            "line 5: `target.containerRepositry` is no setting: did you mean `containerRepository`?",
        ),
        (
            PAGE.replace("intermediateBundlesPath", "intermediateBundlePath"),
            "line 2: `source.intermediateBundlePath` is no setting: did you mean `intermediateBundlesPath`?",
        ),
        (
            PAGE.replace("target:", "targets:"),
            "line 3: `targets` is no setting: did you mean `target`?",
        ),
        // Without an `auth:` beside them, nothing tells what they are for.
        (
            PAGE.replace("    auth:\n    username", "    username"),
            "line 9: `target.repo.username` is no setting: did you mean `target.repo.auth.username`?",
        ),
        (
            PAGE.replace(
                "    auth:\n    username",
                "    auth: {username: x}\n    username",
            ),
            "line 10: `target.repo.username` is no setting: did you mean `target.repo.auth.username`?",
        ),
        // charts-syncer's own example has this one.
        (
            with(FIFTH) + "charts:\n  - name: redis\n    version:\n      - 1.2.1\n",
            "line 8: `charts[0].version` is no setting: did you mean `versions`?",
        ),
        (
            with(FIFTH) + "insecure: true\n",
            "line 6: `insecure` is no setting",
        ),
        (
            PAGE.replace("  containers:\n", "  containers:\n    container: x\n"),
            "line 13: `target.containers.container` is no setting",
        ),
        (
            PAGE.replace("source:\n", "source:\n  containers: {auth: {user: a}}\n"),
            "line 2: `source.containers.auth.user` is no setting",
        ),
    ]);
}

#[test]
fn what_excludes_each_other() {
    check(&[
        (
            PAGE.replace(
                "source:\n",
                "source:\n  repo: {kind: HELM, url: 'http://x'}\n",
            ),
            "line 3: `source.intermediateBundlesPath` and `source.repo` (line 2) exclude each other",
        ),
        (
            with("  intermediateBundlesPath: out\n"),
            "line 4: `target.repo` and `target.intermediateBundlesPath` (line 5) exclude each other",
        ),
        (
            with(FIFTH) + "charts: [a]\nskipCharts: [b]\n",
            "line 6: `charts` and `skipCharts` (line 7) exclude each other",
        ),
    ]);
    let twice = refused(&PAGE.replace("    url:", "    kind: OCI\n    url:"));
    assert_eq!(twice.message(), "line 8: the key `kind` is there twice");
}

#[test]
fn what_is_missing() {
    check(&[
        ("target: {}\n".to_owned(), "there is no `source`"),
        ("source:\ntarget: {}\n".to_owned(), "there is no `source`"),
        (
            "source: {}\n".to_owned(),
            "line 1: `source` has no `intermediateBundlesPath`",
        ),
        (
            PAGE.replace("kairship # 节点", "'' #"),
            "line 1: `source` has no `intermediateBundlesPath`",
        ),
        (
            "source: {intermediateBundlesPath: b}\n".to_owned(),
            "there is no `target`",
        ),
        (
            "source: {intermediateBundlesPath: b}\ntarget: {containerRegistry: h.local}\n"
                .to_owned(),
            "line 2: `target` has no `repo`",
        ),
        (
            repo("{url: 'http://x'}"),
            "line 4: `target.repo` has no `kind`",
        ),
        (
            repo("{kind: UNKNOWN}"),
            "line 4: `target.repo` has no `kind`",
        ),
        (repo("{kind: OCI}"), "line 4: `target.repo` has no `url`"),
        (
            with(""),
            "line 3: `target` does not say what images are called",
        ),
        (
            with("  containerRegistry: h.local\n  appendOriginRegistry: true\n"),
            "line 6: `target.appendOriginRegistry` goes with `target.containerPrefixRegistry`, which is not set",
        ),
        (
            with(FIFTH) + "charts:\n- name: a\n- versions: [1]\n",
            "line 8: `charts[1]` has no `name`",
        ),
    ]);
}

#[test]
fn accounts_that_are_half_there() {
    check(&[
        (
            repo("{kind: CHARTMUSEUM, url: 'http://x', auth: {username: a}}"),
            "line 4: `target.repo.auth` has no `password`",
        ),
        (
            repo("{kind: CHARTMUSEUM, url: 'http://x', auth: {password: a, username: ''}}"),
            "line 4: `target.repo.auth` has no `username`",
        ),
        (
            PAGE.replace("    password:", "    # password:"),
            "line 9: `target.repo.auth` has no `password`",
        ),
        (
            with("  containerRegistry: h.local\n  containers:\n    auth: {username: a}\n"),
            "line 7: `target.containers.auth` has no `password`",
        ),
        (
            with("  containerRegistry: h.local\n  containers:\n    auth: {}\n"),
            "line 7: `target.containers.auth` has neither `username` nor `password`",
        ),
        // A template that nobody filled in.
        (
            with(
                "  containerRegistry: h.local\n  containers:\n    auth: {username: [USERNAME], password: [PASSWORD]}\n",
            ),
            "line 7: `target.containers.auth.username` is a list, where a text is wanted",
        ),
    ]);
    let error = refused(&repo("{kind: OCI, url: 'http://x', auth: {username: a}}"));
    assert_eq!(
        error.get_hint(),
        Some("write it below `target.repo.auth`, or set `TARGET_REPO_AUTH_PASSWORD`")
    );
}

#[test]
fn addresses_that_are_none() {
    check(&[
        (
            PAGE.replace("http://10.16.10.111", "10.16.10.111"),
            "line 8: `target.repo.url` is `10.16.10.111/chartrepo/release.daocloud.io`, which has no scheme",
        ),
        (
            PAGE.replace("http://10.16.10.111", "oci://10.16.10.111"),
            "line 8: `target.repo.url` is `oci://10.16.10.111/chartrepo/release.daocloud.io`, and `oci://` is not for this",
        ),
        (
            PAGE.replace("/chartrepo/release", "/release"),
            "line 8: `target.repo.url` is `http://10.16.10.111/release.daocloud.io`, which names no project of Harbor",
        ),
        (
            with("  containerRegistry: registry\n"),
            "line 5: `target.containerRegistry` is `registry`, which is no registry: it has neither a dot nor a port",
        ),
        (
            with("  containerRegistry: oci://h.local\n"),
            "line 5: `target.containerRegistry` is `oci://h.local`, and `oci://` is not for this",
        ),
        (
            with("  containerRegistry: me:secret@h.local\n"),
            "line 5: `target.containerRegistry` has a user in it",
        ),
        (
            with("  containerPrefixRegistry: h.local/Upper\n"),
            "line 5: `target.containerPrefixRegistry` is `h.local/Upper`, which is no registry: it is malformed",
        ),
        (
            with("  containerRegistry: h.local\n  containerRepository: Upper/p\n"),
            "line 6: `target.containerRepository` is `Upper/p`, which is no path for images",
        ),
        (
            with("  containerRegistry: h.local\n  containerPrefixRepository: p:1\n"),
            "line 6: `target.containerPrefixRepository` is `p:1`, which is no path for images",
        ),
    ]);
    let error = refused(&PAGE.replace("http://10.16.10.111", "10.16.10.111"));
    let hint = error.get_hint().expect("a hint");
    assert!(
        hint.contains("`http://10.16.10.111/chartrepo/release.daocloud.io`"),
        "{hint}"
    );
    let oci = refused(&repo("{kind: OCI, url: h.local/p}"));
    let hint = oci.get_hint().expect("a hint");
    assert!(hint.contains("`oci://h.local/p`"), "{hint}");
    let harbor = refused(&PAGE.replace("/chartrepo/release", "/release"));
    let hint = harbor.get_hint().expect("a hint");
    assert!(
        hint.contains("`kind: OCI`") && hint.contains("/chartrepo/PROJECT"),
        "{hint}"
    );
}

#[test]
fn kinds_that_are_none() {
    check(&[
        (
            repo("{kind: harbor, url: 'http://x'}"),
            "line 4: `target.repo.kind` is `harbor`, which is no kind of repository: did you mean `HARBOR`?",
        ),
        (
            repo("{kind: NEXUS, url: 'http://x'}"),
            "line 4: `target.repo.kind` is `NEXUS`, which is no kind of repository",
        ),
        (
            repo("{kind: 9, url: 'http://x'}"),
            "line 4: `target.repo.kind` is `9`, which is no kind of repository",
        ),
        (
            repo("{kind: HELM, url: 'http://x'}"),
            "line 4: `target.repo.kind` is `HELM`, to which nothing can be published",
        ),
        (
            with("  containerRegistry: h.local\n  containers: {kind: HARBUR}\n"),
            "line 6: `target.containers.kind` is `HARBUR`, which is no kind of repository: did you mean `HARBOR`?",
        ),
        (
            PAGE.replace("source:\n", "source:\n  containers: {kind: harbor}\n"),
            "line 2: `source.containers.kind` is `harbor`, which is no kind of repository: did you mean `HARBOR`?",
        ),
    ]);
    let hint = refused(&repo("{kind: HELM, url: 'http://x'}"));
    let hint = hint.get_hint().expect("a hint").to_owned();
    for kind in ["HARBOR", "CHARTMUSEUM", "OCI", "LOCAL"] {
        assert!(hint.contains(kind), "{hint}");
    }
}

#[test]
fn what_comes_later_or_never() {
    for (text, message, hint) in [
        (
            "source:\n  repo: {kind: HELM, url: 'http://x'}\n".to_owned(),
            "line 2: `source.repo` is a chart repository: as a source, they come later",
            "source.intermediateBundlesPath",
        ),
        (
            "source: {intermediateBundlesPath: b}\ntarget:\n  intermediateBundlesPath: out\n"
                .to_owned(),
            "line 3: `target.intermediateBundlesPath` asks for bundles: as a target, they come later",
            "fusion fuse",
        ),
        (
            repo("{kind: JFROG, url: 'http://x'}"),
            "line 4: `target.repo.kind` is `JFROG`: Artifactory is reached as a registry",
            "`kind: OCI`",
        ),
    ] {
        let error = refused(&text);
        assert_eq!(error.message(), message);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.get_hint().is_some_and(|said| said.contains(hint)));
    }
}

#[test]
fn values_of_the_wrong_kind() {
    check(&[
        (
            with("  containerRegistry: h.local\n  appendOriginRegistry: maybe\n"),
            "line 6: `target.appendOriginRegistry` is text, where `true` or `false` is wanted",
        ),
        (
            with(FIFTH) + "charts: redis\n",
            "line 6: `charts` is text, where a list is wanted",
        ),
        (
            with(FIFTH) + "charts:\n  - [a]\n",
            "line 7: `charts[0]` is a list, where a block of settings is wanted",
        ),
        (
            with(FIFTH) + "charts:\n  - name: a/b\n",
            "line 7: `charts[0].name` is `a/b`, which is no name of a chart",
        ),
        (
            with(FIFTH) + "charts:\n  - name: a\n    versions: ['>1.0']\n",
            "line 8: `charts[0].versions[0]` is `>1.0`, which is no version of a chart",
        ),
        (
            with(FIFTH) + "skipCharts:\n  - {name: a}\n",
            "line 7: `skipCharts[0]` is a mapping, where a text is wanted",
        ),
        (
            repo("[HARBOR]"),
            "line 4: `target.repo` is a list, where a block of settings is wanted",
        ),
        (
            with("  containerRegistry: {host: h}\n"),
            "line 5: `target.containerRegistry` is a mapping, where a text is wanted",
        ),
        (
            with(FIFTH) + "relocateContainerImages: 1\n",
            "line 6: `relocateContainerImages` is a number, where `true` or `false` is wanted",
        ),
    ]);
}

#[test]
fn what_is_no_yaml() {
    for (text, line) in [
        ("source:\n\tintermediateBundlesPath: a\n", "line 2: "),
        ("source: {a: b\n", "line "),
        ("source: 'a\n", "line "),
        ("a: 1\n---\nb: 2\n", "line "),
    ] {
        let error = refused(text);
        assert!(error.message().starts_with(line), "{error}");
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
}
