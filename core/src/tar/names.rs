//! Member names and the targets of links, as text.

/// Whether `name` stays inside the tree it is unpacked into: relative, and without `..`.
#[must_use]
pub fn safe_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('/') && name.split('/').all(|part| part != "..")
}

/// Where the symbolic link `member` leads: its `target` taken from the directory of the link,
/// normalised; `None` if that is absolute or leaves the tree.
#[must_use]
pub fn resolve_link(member: &str, target: &str) -> Option<String> {
    if member.starts_with('/') || target.starts_with('/') {
        return None;
    }
    let directory = member
        .rsplit_once('/')
        .map_or("", |(directory, _)| directory);
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    })
}

/// `raw` without leading `./`, trailing `/`, doubled `/` and inner `/./`. `..` stays as it is.
pub(super) fn normalise(raw: &str) -> String {
    if raw.is_empty() {
        return String::new();
    }
    let mut name = String::with_capacity(raw.len());
    if raw.starts_with('/') {
        name.push('/');
    }
    for part in raw.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if !name.is_empty() && !name.ends_with('/') {
            name.push('/');
        }
        name.push_str(part);
    }
    if name.is_empty() {
        name.push('.');
    }
    name
}
