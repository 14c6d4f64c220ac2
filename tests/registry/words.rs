//! Small encodings: percent, base64, query strings, and patterns with `*`.

/// `text` with `%XX` undone; `+` means a space in query strings and forms.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (first, hex.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The pairs of a query string or a form.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    let words = query.split('&').filter(|word| !word.is_empty());
    words
        .map(|word| word.split_once('=').unwrap_or((word, "")))
        .map(|(name, value)| (percent_decoded(name), percent_decoded(value)))
        .collect()
}

/// The values that `name` has in a query string, in its order.
pub(crate) fn values(query: &str, name: &str) -> Vec<String> {
    let found = pairs(query).into_iter().filter(|(known, _)| known == name);
    found.map(|(_, value)| value).collect()
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let group = (0..3).fold(0, |group, at| {
            group << 8 | u32::from(three.get(at).copied().unwrap_or_default())
        });
        for at in 0..4 {
            match at <= three.len() {
                true => text.push(LETTERS[(group >> (18 - 6 * at) & 63) as usize].into()),
                false => text.push('='),
            }
        }
    }
    text
}

/// What a standard base64 text stands for; nothing if it is none.
pub(crate) fn base64_decoded(text: &str) -> Option<Vec<u8>> {
    let (mut group, mut bits, mut bytes) = (0u32, 0, Vec::new());
    for letter in text.trim_end_matches('=').bytes() {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        group = group << 6 | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(group >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// The user and password of an `Authorization: Basic …`.
pub(crate) fn basic(authorization: &str) -> Option<(String, String)> {
    let bytes = base64_decoded(authorization.strip_prefix("Basic ")?)?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Whether `text` fits `pattern`, whose `*` stands for anything, slashes too.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|tail| {
            let mut ends = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
            ends.any(|at| fits(rest, &tail[at..]))
        }),
    }
}

#[test]
fn the_small_encodings_are_right() {
    assert_eq!(base64(b"robot$a+b:x"), "cm9ib3QkYStiOng=");
    for text in ["", "a", "ab", "abc", "robot$p+ci:sec:ret"] {
        assert_eq!(
            base64_decoded(&base64(text.as_bytes())).unwrap(),
            text.as_bytes()
        );
    }
    assert_eq!(base64_decoded("a_b"), None);
    assert_eq!(
        basic("Basic cm9ib3QkYStiOng="),
        Some(("robot$a+b".into(), "x".into()))
    );
    assert_eq!(basic("Bearer abc"), None);
    assert_eq!(percent_decoded("a%2Fb+c%zz%"), "a/b c%zz%");
    assert_eq!(values("scope=a&x&scope=b%3Ac", "scope"), ["a", "b:c"]);
    assert!(fits("/v2/*/blobs/*", "/v2/a/b/blobs/uploads/") && fits("*", ""));
    assert!(!fits("/v2/*/blobs/", "/v2/a/blobs/x") && !fits("", "a"));
}
