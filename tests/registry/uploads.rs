//! What a registry's access log tells about uploads.

use std::collections::BTreeMap;

use super::words::values;

/// One request in the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) method: String,
    /// The path, without the query.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) status: u16,
}

impl Line {
    /// The requests in a log that has other lines too.
    pub(crate) fn all(log: &str) -> Vec<Self> {
        let parse = |line: &str| match line.starts_with('{') {
            true => Self::parse_json(line),
            false => Self::parse(line),
        };
        log.lines().filter_map(parse).collect()
    }

    /// As zot writes it: `{"method":"PUT","path":"TARGET","statusCode":201,…,"message":"HTTP API"}`
    fn parse_json(line: &str) -> Option<Self> {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        let status = line["statusCode"].as_u64()?;
        Self::of(
            line["method"].as_str()?,
            line["path"].as_str()?,
            u16::try_from(status).ok()?,
        )
    }

    /// `ADDRESS - USER [TIME] "METHOD TARGET HTTP/1.1" STATUS BYTES …`
    fn parse(line: &str) -> Option<Self> {
        let (_, rest) = line.split_once("] \"")?;
        let (request, rest) = rest.split_once(" HTTP/1.1\" ")?;
        let (method, target) = request.split_once(' ')?;
        Self::of(method, target, rest.split(' ').next()?.parse().ok()?)
    }

    fn of(method: &str, target: &str, status: u16) -> Option<Self> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Some(Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            status,
        })
    }

    /// The repository and what follows `part` (`/blobs/uploads/`, `/manifests/`) in the path.
    fn within(&self, part: &str) -> Option<(&str, &str)> {
        self.path.strip_prefix("/v2/")?.split_once(part)
    }
}

/// Counts of the requests that change a registry. Those that it refused count apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Uploads {
    /// Blobs that arrived whole, by repository and digest, and how often they did.
    pub(crate) blobs: BTreeMap<(String, String), usize>,
    /// Blobs that were mounted, likewise.
    pub(crate) mounts: BTreeMap<(String, String), usize>,
    /// Manifests and indexes, by repository and tag or digest, and how often they arrived.
    pub(crate) manifests: BTreeMap<(String, String), usize>,
    /// Upload sessions that began, mounts that became one among them.
    pub(crate) sessions: usize,
    /// PATCH requests of upload sessions.
    pub(crate) patches: usize,
    /// Upload sessions that were cancelled.
    pub(crate) cancelled: usize,
    /// Uploads of any kind that got an error, 401 to those who had not logged in yet apart.
    pub(crate) refused: usize,
}

impl Uploads {
    pub(crate) fn count(lines: &[Line]) -> Self {
        let mut uploads = Self::default();
        for line in lines {
            uploads.add(line);
        }
        uploads
    }

    fn add(&mut self, line: &Line) {
        let upload = line.within("/blobs/uploads/");
        let manifest = line.within("/manifests/");
        let counted = match (line.method.as_str(), upload, manifest) {
            ("POST" | "PATCH" | "PUT", Some(_), _) | ("PUT", _, Some(_)) => line.status != 401,
            ("DELETE", Some(_), _) => line.status < 400,
            _ => false,
        };
        if !counted {
            return;
        }
        if line.status >= 400 {
            self.refused += 1;
            return;
        }
        let one = |map: &mut BTreeMap<_, usize>, name: &str, what: &str| {
            *map.entry((name.to_owned(), what.to_owned())).or_default() += 1;
        };
        let named = |key: &str| values(&line.query, key).into_iter().next();
        match (line.method.as_str(), upload, manifest) {
            ("PUT", None, Some((name, reference))) => one(&mut self.manifests, name, reference),
            ("DELETE", ..) => self.cancelled += 1,
            ("PATCH", ..) => self.patches += 1,
            ("POST", ..) if line.status == 202 => self.sessions += 1,
            ("POST", Some((name, _)), _) => match (named("mount"), named("digest")) {
                (Some(digest), _) => one(&mut self.mounts, name, &digest),
                (None, Some(digest)) => one(&mut self.blobs, name, &digest),
                (None, None) => {}
            },
            ("PUT", Some((name, _)), _) => {
                one(&mut self.blobs, name, &named("digest").unwrap_or_default());
            }
            _ => {}
        }
    }

    /// How often blobs were uploaded that the registry already had whole in that repository.
    pub(crate) fn repeated(&self) -> usize {
        self.blobs.values().map(|count| count - 1).sum()
    }

    /// How often a blob arrived whole, whatever the repository.
    pub(crate) fn times(&self, digest: &str) -> usize {
        let found = self.blobs.iter().filter(|((_, known), _)| known == digest);
        found.map(|(_, count)| count).sum()
    }
}

#[test]
fn an_access_log_is_counted_by_what_its_requests_did() {
    let log = r#"
time="2026-01-02T03:04:05Z" level=info msg="listening on 127.0.0.1:40123"
127.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "POST /v2/a/b/blobs/uploads/ HTTP/1.1" 401 87 "" "x"
127.0.0.1 - u [02/Jan/2026:03:04:05 +0000] "POST /v2/a/b/blobs/uploads/ HTTP/1.1" 202 0 "" "x"
127.0.0.1 - u [02/Jan/2026:03:04:05 +0000] "PATCH /v2/a/b/blobs/uploads/1?_state=s HTTP/1.1" 202 0 "" "x"
127.0.0.1 - u [02/Jan/2026:03:04:05 +0000] "PUT /v2/a/b/blobs/uploads/1?_state=s&digest=sha256%3Aaa HTTP/1.1" 201 0 "" "x"
127.0.0.1 - u [02/Jan/2026:03:04:05 +0000] "PUT /v2/a/b/blobs/uploads/2?_state=s&digest=sha256%3Aaa HTTP/1.1" 201 0 "" "x"
127.0.0.1 - u [02/Jan/2026:03:04:05 +0000] "PUT /v2/a/b/blobs/uploads/3?_state=s&digest=sha256%3Abb HTTP/1.1" 400 0 "" "x"
127.0.0.1 - u [02/Jan/2026:03:04:05 +0000] "POST /v2/c/blobs/uploads/?from=a%2Fb&mount=sha256%3Aaa HTTP/1.1" 201 0 "" "x"
127.0.0.1 - u [02/Jan/2026:03:04:05 +0000] "POST /v2/c/blobs/uploads/?from=a%2Fb&mount=sha256%3Acc HTTP/1.1" 202 0 "" "x"
127.0.0.1 - u [02/Jan/2026:03:04:05 +0000] "DELETE /v2/c/blobs/uploads/4?_state=s HTTP/1.1" 204 0 "" "x"
127.0.0.1 - u [02/Jan/2026:03:04:05 +0000] "HEAD /v2/a/b/blobs/sha256:aa HTTP/1.1" 200 9 "" "x"
127.0.0.1 - u [02/Jan/2026:03:04:05 +0000] "PUT /v2/a/b/manifests/1.0 HTTP/1.1" 201 0 "" "x"
127.0.0.1 - u [02/Jan/2026:03:04:05 +0000] "DELETE /v2/a/b/manifests/1.0 HTTP/1.1" 202 0 "" "x"
"#;
    let lines = Line::all(log);
    assert_eq!(lines.len(), 12);
    let one = |name: &str, what: &str| ((name.to_owned(), what.to_owned()), 1);
    let expected = Uploads {
        blobs: BTreeMap::from([(("a/b".to_owned(), "sha256:aa".to_owned()), 2)]),
        mounts: BTreeMap::from([one("c", "sha256:aa")]),
        manifests: BTreeMap::from([one("a/b", "1.0")]),
        sessions: 2,
        patches: 1,
        cancelled: 1,
        refused: 1,
    };
    let uploads = Uploads::count(&lines);
    assert_eq!(uploads, expected);
    assert_eq!((uploads.repeated(), uploads.times("sha256:aa")), (1, 2));
}
