//! A folder served over HTTP, as any web server would.

use std::fs;
use std::path::{Path, PathBuf};

use crate::registry::exchange::Answer;
use crate::registry::serve::Server;

#[derive(Debug)]
pub(crate) struct Files {
    server: Server,
}

impl Files {
    pub(crate) fn serve(folder: &Path) -> Self {
        let folder = folder.to_owned();
        let server = Server::start(move |exchange| {
            let (path, _) = exchange.target();
            let file = file(&folder, &path).and_then(|file| fs::read(file).ok());
            let answer = match file {
                Some(body) => Answer {
                    body,
                    ..Answer::new(200)
                },
                None => Answer::text(404, "there is no such file\n"),
            };
            exchange.answer(&answer)
        });
        Self { server }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.host())
    }
}

/// The file at a path of a URL, which stays in the folder.
fn file(folder: &Path, path: &str) -> Option<PathBuf> {
    // Helm escapes the `+` of versions.
    let path = path.replace("%2B", "+");
    let mut names = path.split('/').filter(|name| !name.is_empty());
    names.try_fold(folder.to_owned(), |at, name| {
        (name != "..").then(|| at.join(name))
    })
}
