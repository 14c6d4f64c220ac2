//! A tag that led to a single manifest becomes one of an index over it, where registries forget
//! what no tag leads to.

use std::path::Path;

use serde_json::Value;

use super::{Yard, image, there};
use crate::registry::client::Client;
use crate::registry::docker::DockerRegistry;
use crate::registry::faults::{Fault, Rule, When};
use crate::registry::proxy::Proxy;
use crate::registry::zot_2::Zot2;

const APP: &str = "docker.io/acme/app:1";
const BOTH: [&str; 2] = ["linux/amd64", "linux/arm64"];

/// A registry with the first architecture under the tag, as many times as anybody likes.
struct Scene {
    yard: Yard,
    _behind: DockerRegistry,
    zot: Zot2,
    archives: [std::path::PathBuf; 2],
}

impl Scene {
    fn new(zot: fn(&str) -> Zot2) -> Self {
        let (yard, behind) = (Yard::new(), DockerRegistry::open());
        Self {
            archives: yard.pair(&[APP], 4000),
            zot: zot(behind.host()),
            yard,
            _behind: behind,
        }
    }

    /// Pushes the first architecture, as a client would that puts it under the tag alone.
    fn first(&self, project: &str) -> String {
        let to = format!("{}/{project}", self.zot.host());
        let report = self.yard.push(&[&self.archives[0]], &to, &[]);
        image(&report, "app:1")["digest"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn second(&self) -> [&Path; 1] {
        [&self.archives[1]]
    }

    /// The platforms that the tag leads to. Each is there.
    fn platforms(&self, project: &str) -> Vec<String> {
        let (host, name) = (self.zot.host(), format!("{project}/acme/app"));
        let (_, root) = there(&host, &name, "1").expect("the tag stays");
        let Some(children) = root["manifests"].as_array() else {
            return vec![BOTH[0].to_owned()];
        };
        for child in children {
            let digest = child["digest"].as_str().unwrap();
            assert!(there(&host, &name, digest).is_some(), "{project}: {child}");
        }
        super::listed(&root)
    }

    fn tags(&self, project: &str) -> Vec<String> {
        let path = format!("/v2/{project}/acme/app/tags/list");
        let list: Value = Client::new(&self.zot.host()).ask("GET", &path).json();
        let tags = list["tags"].as_array().unwrap().iter();
        tags.map(|tag| tag.as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn no_moment_finds_the_tag_over_something_that_is_forgotten() {
    for (way, claims, fault) in [
        ("lost", "false", Fault::Drop),
        ("unheard", "false", Fault::Swallow),
        ("claimed", "true", Fault::Drop),
    ] {
        let scene = Scene::new(Zot2::start);
        let mut grown_and_killed = 0;
        for requests in 0.. {
            assert!(requests < 100, "{way}: it never ends");
            let project = format!("{way}{requests}");
            let first = scene.first(&project);
            // Nothing gets through from some request on: whoever is killed then says no more either.
            let dead = Rule::new("*", "*", When::After(requests), fault.clone());
            let proxy = Proxy::start(&scene.zot.host(), vec![dead]);
            let to = format!("{}/{project}", proxy.host());
            let options = [("retries", "0"), ("claim-tags", claims)];
            let outcome = scene.yard.try_push(&scene.second(), &to, &options);
            let platforms = scene.platforms(&project);
            if outcome.is_err() && platforms == BOTH {
                grown_and_killed += 1;
            }
            let spoiled = proxy.spoiled();
            // Rerunning just works.
            let to = format!("{}/{project}", scene.zot.host());
            scene.yard.push(&scene.second(), &to, &options);
            assert_eq!(scene.platforms(&project), BOTH, "{way} {requests}");
            let name = format!("{project}/acme/app");
            assert!(there(&scene.zot.host(), &name, &first).is_some());
            // Nothing stays of the killed run.
            let tags = scene.tags(&project);
            let others = tags.iter().filter(|tag| !tag.contains(".fusion-claim."));
            assert_eq!(others.collect::<Vec<_>>(), ["1"], "{way} {requests}");
            if spoiled == 0 {
                assert!(outcome.is_ok(), "{way} {requests}");
                break;
            }
        }
        // Else no run was killed where it matters.
        assert!(grown_and_killed > 0, "{way}");
    }
}

#[test]
fn what_a_tag_led_to_can_be_had_by_its_digest() {
    let scene = Scene::new(Zot2::start);
    let to = format!("{}/p", scene.zot.host());
    let there = |digest: &str| there(&scene.zot.host(), "p/acme/app", digest).is_some();
    let first = scene.first("p");
    let replace = [("on-existing", "replace")];
    let report = scene.yard.push(&scene.second(), &to, &replace);
    assert_eq!(image(&report, "app:1")["previous_digest"], first);
    assert!(there(&first));
    // An index too, with all that it leads to.
    let index = scene
        .yard
        .push(&scene.archives.each_ref().map(|a| &**a), &to, &[]);
    let index = image(&index, "app:1")["digest"].as_str().unwrap();
    let report = scene.yard.push(&scene.second(), &to, &replace);
    assert_eq!(image(&report, "app:1")["previous_digest"], index);
    assert!(there(index) && there(&first));
    assert_eq!(scene.tags("p"), ["1"]);
}

#[test]
fn a_tag_that_moves_takes_nothing_from_an_index_under_another() {
    let scene = Scene::new(Zot2::start);
    let repository = format!("{}/p/acme/app", scene.zot.host());
    for (tag, archive) in ["1-amd64", "1-arm64"].into_iter().zip(&scene.archives) {
        let rename = format!("docker.io/acme/app:1=acme/app:{tag}");
        let to = format!("{}/p", scene.zot.host());
        scene.yard.push(&[archive], &to, &[("rename", &rename)]);
    }
    let singles = [
        format!("{repository}:1-amd64"),
        format!("{repository}:1-arm64"),
    ];
    let mut sources = vec!["index", "create"];
    let index = format!("{repository}:1");
    sources.push(&index);
    sources.extend(singles.iter().map(String::as_str));
    assert!(scene.yard.fusion(&sources).status().unwrap().success());
    assert_eq!(scene.platforms("p"), BOTH);
    // The next build of one of them, which somebody else has not put into the index yet.
    let next = scene
        .yard
        .archive("next.tar", &[Yard::image(APP, &super::amd64(), 9)]);
    let to = format!("{}/p", scene.zot.host());
    let rename = [("rename", "docker.io/acme/app:1=acme/app:1-amd64")];
    let report = scene.yard.push(&[&next], &to, &rename);
    assert_eq!(image(&report, "app:1-amd64")["action"], "replaced");
    assert_eq!(scene.platforms("p"), BOTH);
}

#[test]
fn a_tag_that_cannot_be_deleted_stays_and_is_told() {
    let scene = Scene::new(Zot2::start);
    scene.first("p");
    let denied = crate::registry::exchange::Answer::error(403, "DENIED", "no deleting");
    let rule = Rule::new("DELETE", "*", When::Always, Fault::Answer(denied));
    let proxy = Proxy::start(&scene.zot.host(), vec![rule]);
    let to = format!("{}/p", proxy.host());
    let report = scene.yard.push(&scene.second(), &to, &[]);
    assert_eq!(image(&report, "app:1")["action"], "merged");
    assert_eq!(scene.platforms("p"), BOTH);
    let warnings = report["warnings"].as_array().unwrap();
    let told = warnings.iter().find(|w| w["code"] == "hold-tag").unwrap();
    let tags = scene.tags("p");
    let left = tags.iter().find(|tag| *tag != "1").unwrap();
    assert!(told["message"].as_str().unwrap().contains(left), "{told}");
    assert_eq!(tags.len(), 2);
}

#[test]
fn what_is_forgotten_nevertheless_is_put_again() {
    let scene = Scene::new(Zot2::early);
    scene.first("p");
    let to = format!("{}/p", scene.zot.host());
    scene.yard.push(&scene.second(), &to, &[]);
    assert_eq!(scene.platforms("p"), BOTH);
    assert_eq!(scene.tags("p"), ["1"]);
}

/// Also by one that forgets what loses its last tag.
#[test]
fn what_a_killed_run_held_is_let_go_of_and_stays() {
    for zot in [Zot2::start, Zot2::early] {
        let scene = Scene::new(zot);
        let first = scene.first("p");
        let cut = Rule::new("DELETE", "*fusion-hold*", When::Always, Fault::Drop);
        let proxy = Proxy::start(&scene.zot.host(), vec![cut]);
        let to = format!("{}/p", proxy.host());
        scene.yard.push(&scene.second(), &to, &[("retries", "0")]);
        assert_eq!(scene.tags("p").len(), 2, "nothing was left");
        // There is nothing else to do, or another build comes.
        let next = Yard::image(APP, &super::arm64(), 9);
        let next = scene.yard.archive("next.tar", &[next]);
        for source in [scene.second()[0], &next] {
            let to = format!("{}/p", scene.zot.host());
            scene.yard.push(&[source], &to, &[]);
            assert_eq!(scene.platforms("p"), BOTH);
            assert_eq!(scene.tags("p"), ["1"]);
            assert!(there(&scene.zot.host(), "p/acme/app", &first).is_some());
        }
    }
}

#[test]
fn nothing_is_held_where_nothing_is_forgotten() {
    let (yard, registry) = (Yard::new(), DockerRegistry::open());
    let [amd, arm] = yard.pair(&[APP], 4000);
    let proxy = Proxy::start(registry.host(), Vec::new());
    let to = format!("{}/p", proxy.host());
    yard.push(&[&amd], &to, &[]);
    yard.push(&[&arm], &to, &[]);
    let asked = proxy.matching("GET", "/v2/_oci/ext/discover").len();
    assert_eq!(asked, 1, "only the second run finds a tag");
    assert_eq!(
        proxy.matching("PUT", "/v2/*/manifests/*fusion-hold*").len(),
        0
    );
    assert_eq!(proxy.matching("DELETE", "*").len(), 0);
}
