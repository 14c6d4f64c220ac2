//! zot, a registry that shares no code with distribution, where `tests/programs.sh` has built it:
//! that takes Go.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::json;

use super::authority::Pair;
use super::docker::{DockerRegistry, Files, Make, Options};
use crate::programs;

/// Starts one, unless there is no Go on this machine to build it with. That is said aloud.
///
/// It always deletes what it is asked to, and its places are always paths.
pub(crate) fn start(options: &Options) -> Option<DockerRegistry> {
    let make = Make {
        name: "zot",
        program: vec![programs::built("zot")?.into()],
        file: "config.json",
        configuration,
        listening,
    };
    Some(DockerRegistry::launch(make, options))
}

/// A plain and open one.
pub(crate) fn open() -> Option<DockerRegistry> {
    start(&Options::default())
}

fn configuration(folder: &Path, address: SocketAddr, _: &Options, files: &Files) -> String {
    let port = address.port().to_string();
    let mut http = json!({ "address": address.ip(), "port": port });
    if let Some(Pair { certificate, key }) = &files.server {
        http["tls"] = json!({ "cert": certificate, "key": key });
    }
    if let Some(trusted) = &files.trusted {
        http["tls"]["cacert"] = json!(trusted);
    }
    if let Some(users) = &files.users {
        http["auth"] = json!({ "htpasswd": { "path": users } });
    }
    let configuration = json!({
        "distSpecVersion": "1.0.1-dev",
        "storage": { "rootDirectory": folder.join("data"), "gc": false },
        "http": http,
        "log": { "level": "info" },
    });
    configuration.to_string()
}

/// The port in `{"level":"info","port":40123,…,"message":"port is unspecified, …"}`, if none was asked
/// for.
fn listening(log: &str, asked: SocketAddr) -> Option<SocketAddr> {
    if asked.port() != 0 {
        return Some(asked);
    }
    let mut lines = log.lines();
    let line = lines.find(|line| line.contains("port is unspecified"))?;
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let port = u16::try_from(line["port"].as_u64()?).ok()?;
    Some(SocketAddr::new(asked.ip(), port))
}
