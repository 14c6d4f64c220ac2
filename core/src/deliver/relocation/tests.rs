//! Names, as charts-syncer v0.0.23 makes them from the same rules.

use super::*;

const HOST: &str = "10.16.10.111";

fn rules(registry: &str, repository: &str, prefix: &str, path: &str, append: bool) -> Rules {
    let base = |text: &str| (!text.is_empty()).then(|| Base::parse(text).expect("a registry"));
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Rules {
        registry: base(registry),
        repository: text(repository),
        prefix_registry: base(prefix),
        prefix_repository: text(path),
        append_origin: append,
    }
}

/// Registry and repository with a blank between them, so that it shows which part is which.
fn placed(relocation: &Relocation, spelled: &str) -> String {
    let reference: Reference = spelled.parse().expect("a reference");
    let (registry, repository) = relocation.place(&reference, spelled).expect("a place");
    format!("{registry} {repository}")
}

#[test]
fn a_registry_alone_leaves_paths_alone() {
    let relocation = Relocation::Rules(rules(HOST, "", "", "", false));
    for (spelled, expected) in [
        ("ghcr.io/acme/tools/app:1", "acme/tools/app"),
        ("docker.io/bitnami/redis:7", "bitnami/redis"),
        ("docker.io/nginx:1", "nginx"),
        ("docker.io/library/nginx:1", "library/nginx"),
        ("nginx:1", "library/nginx"),
        ("bitnami/redis:7", "bitnami/redis"),
        ("localhost/app:1", "app"),
        ("localhost:5000/app:1", "app"),
    ] {
        assert_eq!(
            placed(&relocation, spelled),
            format!("{HOST} {expected}"),
            "{spelled}"
        );
    }
}

#[test]
fn a_repository_keeps_last_components_only() {
    let path = "release.daocloud.io/kairship";
    let relocation = Relocation::Rules(rules(HOST, path, "", "", false));
    for (spelled, last) in [
        ("ghcr.io/acme/tools/app:1", "app"),
        ("nginx:1", "nginx"),
        (
            "localhost/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "app",
        ),
    ] {
        assert_eq!(
            placed(&relocation, spelled),
            format!("{HOST} {path}/{last}"),
            "{spelled}"
        );
    }
    // It goes before every other rule for paths, and the registry's own stays without a rule.
    let both = Relocation::Rules(rules("", "p", "", "q", false));
    assert_eq!(placed(&both, "ghcr.io/a/b/app:1"), "ghcr.io p/app");
    let all = Relocation::Rules(rules("", "p", HOST, "q", false));
    assert_eq!(placed(&all, "ghcr.io/a/b/app:1"), format!("{HOST} p/app"));
    let appended = Relocation::Rules(rules("", "p", HOST, "", true));
    for (spelled, expected) in [
        ("ghcr.io/a/b/app:1", "/ghcr.io p/app"),
        ("docker.io/nginx:1", "/index.docker.io p/nginx"),
    ] {
        assert_eq!(placed(&appended, spelled), format!("{HOST}{expected}"));
    }
}

#[test]
fn a_prefix_registry_moves_the_own_one_into_the_path() {
    // It wins over the other.
    let relocation = Relocation::Rules(rules("other.local", "", HOST, "", false));
    for (spelled, expected) in [
        ("ghcr.io/acme/app:1", "ghcr.io/acme/app"),
        ("nginx:1", "index.docker.io/library/nginx"),
        ("docker.io/nginx:1", "index.docker.io/library/nginx"),
        ("localhost/app:1", "index.docker.io/localhost/app"),
        // charts-syncer fails here: no path has a colon in it.
        ("Reg.local:5000/acme/app:1", "reg.local-5000/acme/app"),
    ] {
        assert_eq!(
            placed(&relocation, spelled),
            format!("{HOST} {expected}"),
            "{spelled}"
        );
    }
}

#[test]
fn a_prefix_repository_goes_before_the_whole_path() {
    let alone = Relocation::Rules(rules("", "", "", "p/q", false));
    assert_eq!(placed(&alone, "ghcr.io/a/app:1"), "ghcr.io p/q/a/app");
    assert_eq!(placed(&alone, "nginx:1"), "docker.io p/q/library/nginx");
    assert_eq!(
        placed(&alone, "localhost/app:1"),
        "localhost p/q/localhost/app"
    );
    let there = Relocation::Rules(rules(HOST, "", "", "p/q", false));
    assert_eq!(
        placed(&there, "docker.io/nginx:1"),
        format!("{HOST} p/q/library/nginx")
    );
    let behind = Relocation::Rules(rules("", "", HOST, "p", false));
    assert_eq!(
        placed(&behind, "ghcr.io/a/app:1"),
        format!("{HOST} ghcr.io/p/a/app")
    );
}

#[test]
fn an_appended_registry_is_part_of_the_registry() {
    for prefix_path in ["", "ignored"] {
        let relocation = Relocation::Rules(rules("", "", HOST, prefix_path, true));
        for (spelled, expected) in [
            ("ghcr.io/acme/app:1", "/ghcr.io acme/app"),
            ("docker.io/nginx:1", "/index.docker.io nginx"),
            ("nginx:1", "/index.docker.io library/nginx"),
            ("reg.local:5000/app:1", "/reg.local-5000 app"),
        ] {
            let expected = format!("{HOST}{expected}");
            assert_eq!(placed(&relocation, spelled), expected, "{spelled}");
        }
    }
}

#[test]
fn what_is_sent_goes_by_the_registrys_own_names() {
    let reference: Reference = "ghcr.io/acme/app:1".parse().expect("a reference");
    let target = |relocation: &Relocation| {
        let target = relocation.target(&reference, "ghcr.io/acme/app:1");
        target.expect("a target")
    };
    let appended = Relocation::Rules(rules("", "", "harbor.local:8443/p", "", true));
    let sent = target(&appended);
    assert_eq!(sent.host, "harbor.local:8443");
    assert_eq!(sent.to_string(), "harbor.local:8443/p/ghcr.io/acme/app:1");
    let below = Relocation::Rules(rules("harbor.local/p", "", "", "", false));
    assert_eq!(target(&below).to_string(), "harbor.local/p/acme/app:1");
    assert_eq!(below.base().expect("a place").prefix, "p");
    let nowhere = Relocation::Rules(rules("", "p", "", "", false));
    assert_eq!(nowhere.base(), None);
}

#[test]
fn names_are_those_of_push() {
    for (names, expected) in [
        (Names::Path, "h.local p/a/b/app"),
        (Names::Last, "h.local p/app"),
        (Names::Origin, "h.local p/ghcr.io/a/b/app"),
    ] {
        let base = Base::parse("h.local/p").expect("a place");
        let relocation = Relocation::Names { base, names };
        assert_eq!(placed(&relocation, "ghcr.io/a/b/app:1"), expected);
    }
}

#[test]
fn only_what_moves_an_image_is_a_rule() {
    assert!(!rules("", "", "", "", true).any());
    assert!(rules(HOST, "", "", "", false).any());
    assert!(rules("", "p", "", "", false).any());
    assert!(rules("", "", HOST, "", false).any());
    assert!(rules("", "", "", "p", false).any());
}
