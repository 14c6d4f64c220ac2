//! `index create`, as `docker manifest create`, `annotate` and `push`.

use fusion_core::ErrorKind;
use fusion_core::deliver::index_create;
use fusion_core::progress::Stop;
use serde_json::{Value, json};

use super::{Yard, amd64, arm64, children, image, platforms, there};
use crate::registry::client::Client;
use crate::registry::docker::DockerRegistry;

impl Yard {
    pub(super) fn index(&self, target: &str, sources: &[&str], chosen: &[(&str, &str)]) -> Value {
        let options = self.options(chosen);
        match index_create(target, sources, &options, None, &Stop::new()) {
            Ok(report) => serde_json::from_str(&report.to_json()).unwrap(),
            Err(failure) => panic!("{target}: {:?}", failure.error),
        }
    }
}

/// Two images under names of their own, as build machines push them.
fn built(yard: &Yard, host: &str) {
    let app = |arch: &str| format!("docker.io/t/app-linux-{arch}:1.5");
    let one = yard.archive("1.tar", &[Yard::image(&app("amd64"), &amd64(), 1)]);
    let other = yard.archive("2.tar", &[Yard::image(&app("arm64"), &arm64(), 1)]);
    yard.push(&[&one, &other], host, &[]);
}

#[test]
fn one_step_instead_of_three() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let host = registry.host();
    built(&yard, host);
    let target = format!("{host}/t/app:1.5");
    let sources = ["amd64", "arm64"].map(|arch| format!("{host}/t/app-linux-{arch}:1.5"));
    let sources = [sources[0].as_str(), sources[1].as_str()];
    let made = yard.index(&target, &sources, &[("annotation", "a.b=c")]);
    assert_eq!(made["command"], "index create");
    assert_eq!(image(&made, "t/app:1.5")["action"], "created");
    // The blobs were there, in other repositories.
    assert_eq!(made["bytes"]["uploaded"], 0, "{made}");
    assert_eq!(
        children(host, "t/app", "1.5"),
        ["linux/amd64", "linux/arm64"]
    );
    assert_eq!(
        there(host, "t/app", "1.5").unwrap().1["annotations"]["a.b"],
        "c"
    );

    let again = yard.index(&target, &sources, &[("annotation", "a.b=c")]);
    assert_eq!(image(&again, "t/app:1.5")["action"], "unchanged");
}

#[test]
fn platforms_are_overridden_added_and_taken_off() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let host = registry.host();
    built(&yard, host);
    let target = format!("{host}/t/app:1.5");
    let amd = format!("{host}/t/app-linux-amd64:1.5");
    let arm = format!("{host}/t/app-linux-arm64:1.5");
    // One platform is an index too: it was asked for.
    yard.index(&target, &[&amd], &[]);
    assert_eq!(children(host, "t/app", "1.5"), ["linux/amd64"]);
    yard.index(
        &target,
        &[&format!("{arm}=linux/arm64/v9")],
        &[("append", "true")],
    );
    assert_eq!(
        children(host, "t/app", "1.5"),
        ["linux/amd64", "linux/arm64/v9"]
    );
    // What the index says of a platform stays, whatever the configuration says.
    let added = yard.index(&target, &[&arm], &[("append", "true")]);
    assert_eq!(
        platforms(image(&added, "t/app:1.5")),
        ["linux/amd64", "linux/arm64", "linux/arm64/v9"]
    );
    yard.index(&target, &[], &[("remove", "linux/arm64/v9,linux/amd64")]);
    assert_eq!(children(host, "t/app", "1.5"), ["linux/arm64"]);
    // Without `append` the tag is made anew, and what it loses is said.
    let anew = yard.index(&target, &[&amd], &[]);
    assert_eq!(children(host, "t/app", "1.5"), ["linux/amd64"]);
    assert!(
        anew["warnings"].to_string().contains("linux/arm64"),
        "{anew}"
    );
}

#[test]
fn what_an_index_says_of_itself_stays_when_it_grows() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let host = registry.host();
    built(&yard, host);
    let amd = format!("{host}/t/app-linux-amd64:1.5");
    let arm = format!("{host}/t/app-linux-arm64:1.5");
    let target = format!("{host}/t/app:1.5");
    let says = || there(host, "t/app", "1.5").unwrap().1["annotations"].clone();
    yard.index(&target, &[&amd], &[("annotation", "a=1")]);
    assert_eq!(says(), json!({"a": "1"}));
    // By way of `push`, and of `index create`, which may change it.
    let arm_archive = yard.path("2.tar");
    let rename = "docker.io/t/app-linux-arm64=t/app";
    yard.push(&[&arm_archive], host, &[("rename", rename)]);
    assert_eq!(
        children(host, "t/app", "1.5"),
        ["linux/amd64", "linux/arm64"]
    );
    assert_eq!(says(), json!({"a": "1"}));
    let append = [("append", "true"), ("annotation", "b=3")];
    let changed = yard.index(&target, &[&arm], &append);
    assert_eq!(image(&changed, "t/app:1.5")["action"], "merged");
    assert_eq!(says(), json!({"a": "1", "b": "3"}));
    let same = yard.index(&target, &[&arm], &append);
    assert_eq!(image(&same, "t/app:1.5")["action"], "unchanged");
    let append = [("append", "true"), ("annotation", "a=2")];
    yard.index(&target, &[&arm], &append);
    assert_eq!(says(), json!({"a": "2", "b": "3"}));
    yard.index(&target, &[], &[("remove", "linux/amd64")]);
    assert_eq!(says(), json!({"a": "2", "b": "3"}));
    // One that is made anew says what is asked for, and no more.
    yard.index(&target, &[&amd, &arm], &[]);
    assert_eq!(says(), Value::Null);

    let layout = format!("oci:{}:t/app:1.5", yard.path("layout").display());
    yard.index(&layout, &[&amd], &[("annotation", "a=1")]);
    yard.index(&layout, &[&arm], &[("append", "true")]);
    yard.index(&target, &[&layout], &[]);
    assert_eq!(
        children(host, "t/app", "1.5"),
        ["linux/amd64", "linux/arm64"]
    );
    assert_eq!(says(), json!({"a": "1"}));
}

#[test]
fn one_image_may_be_named_for_several_platforms() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let host = registry.host();
    built(&yard, host);
    let amd = format!("{host}/t/app-linux-amd64:1.5");
    let [i386, arm] = ["linux/386", "linux/arm64"].map(|platform| format!("{amd}={platform}"));
    let target = format!("{host}/t/app:1.5");
    let layout = format!("oci:{}:t/app:1.5", yard.path("layout").display());
    for target in [&target, &layout] {
        let made = yard.index(target, &[&amd, &i386], &[]);
        let images = made["images"].as_array().unwrap();
        assert_eq!(
            platforms(&images[0]),
            ["linux/386", "linux/amd64"],
            "{target}"
        );
    }
    yard.index(&target, &[&i386, &arm], &[]);
    assert_eq!(children(host, "t/app", "1.5"), ["linux/386", "linux/arm64"]);
}

#[test]
fn what_makes_no_sense_is_said() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let host = registry.host();
    built(&yard, host);
    let amd = format!("{host}/t/app-linux-amd64:1.5");
    let arm = format!("{host}/t/app-linux-arm64:1.5");
    let target = format!("{host}/t/app:1.5");
    let said = |sources: &[&str], chosen: &[(&str, &str)]| {
        let made = index_create(&target, sources, &yard.options(chosen), None, &Stop::new());
        made.unwrap_err().error
    };
    let error = said(&[&format!("{amd}=linux/x/y/z/w")], &[]);
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    assert!(error.to_string().contains("linux/x/y/z/w"), "{error}");
    let error = said(&[&amd, &arm], &[("remove", "linux/amd64")]);
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    assert!(error.to_string().contains("linux/amd64"), "{error}");
    yard.index(&target, &[&amd, &arm], &[]);
    let error = said(&[&format!("{target}=linux/arm64")], &[]);
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert!(error.to_string().contains("several images"), "{error}");
    // Not even where it should not stand.
    let error = said(&[&format!("docker://me:s3cret@{amd}")], &[]);
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}

/// What no specification has yet stays as well.
#[test]
fn what_an_index_says_of_a_child_stays_when_it_grows() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let host = registry.host();
    built(&yard, host);
    let target = format!("{host}/t/app:1.5");
    yard.index(&target, &[&format!("{host}/t/app-linux-amd64:1.5")], &[]);
    let (_, mut index) = there(host, "t/app", "1.5").unwrap();
    let child = &mut index["manifests"][0];
    child["annotations"] = json!({"com.acme.note": "x"});
    child["aFuture"] = json!({"field": [1, null]});
    let child = child.clone();
    let kind = "application/vnd.oci.image.index.v1+json";
    let bytes = index.to_string();
    let place = "/v2/t/app/manifests/1.5";
    let put = Client::new(host).give("PUT", place, kind, bytes.as_bytes());
    assert_eq!(put.status(), 201);
    let source = format!("{host}/t/app-linux-arm64:1.5");
    yard.index(&target, &[&source], &[("append", "true")]);
    let (_, grown) = there(host, "t/app", "1.5").unwrap();
    assert_eq!(grown["manifests"][0], child);
    assert_eq!(grown["manifests"].as_array().map(Vec::len), Some(2));
}

#[test]
fn layouts_are_sources_and_targets() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let host = registry.host();
    built(&yard, host);
    let amd = format!("{host}/t/app-linux-amd64:1.5");
    let arm = format!("{host}/t/app-linux-arm64:1.5");
    let layout = format!("oci:{}:h.local/t/app:1", yard.path("layout").display());
    let made = yard.index(&layout, &[&amd, &arm], &[]);
    let root = &made["images"][0];
    assert_eq!(root["reference"], "h.local/t/app:1");
    assert_eq!(platforms(root), ["linux/amd64", "linux/arm64"]);
    // Another image joins the layout, and leaves the first alone.
    let other = format!("oci:{}:h.local/t/other:1", yard.path("layout").display());
    yard.index(&other, &[&amd], &[]);
    let target = format!("{host}/from/layout:1");
    yard.index(&target, &[&layout], &[]);
    assert_eq!(
        children(host, "from/layout", "1"),
        ["linux/amd64", "linux/arm64"]
    );
    yard.index(&layout, &[], &[("remove", "linux/amd64")]);
    yard.index(&target, &[&layout], &[]);
    assert_eq!(children(host, "from/layout", "1"), ["linux/arm64"]);
    yard.index(&target, &[&other], &[("append", "true")]);
    assert_eq!(
        children(host, "from/layout", "1"),
        ["linux/amd64", "linux/arm64"]
    );
}
