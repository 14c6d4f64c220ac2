use super::*;
use crate::limits;

fn document(text: &str) -> Document {
    Document::parse(text).expect(text)
}

fn refused(text: &str) -> String {
    Document::parse(text).expect_err(text).to_string()
}

#[test]
fn everything_knows_its_line_and_column() {
    let text = "# top\nimage:\n  registry: r.io # é\n  \"tag\": 'v1'\nlist:\n- a\n- {b: c}\n";
    let document = document(text);
    let root = document.root();
    let at = |path: &[&str]| {
        let node = root.at(path).expect("there");
        (node.line(), node.column())
    };
    assert_eq!(at(&["image", "registry"]), (3, 13));
    assert_eq!(at(&["image", "tag"]), (4, 10));
    let items: Vec<_> = root
        .get("list")
        .and_then(Node::items)
        .expect("a list")
        .collect();
    assert_eq!(items[0].as_str(), Some("a"));
    assert_eq!((items[1].line(), items[1].kind_name()), (7, "a mapping"));
    let keys: Vec<_> = root
        .entries()
        .expect("a mapping")
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(keys, [Some("image"), Some("list")]);
}

#[test]
fn spans_are_bytes_whatever_stands_before_them() {
    for text in [
        "\u{feff}键: 值值\nb: 'ü' # é\nc: \"\\u00e9\"\n",
        "键: 值值\r\nb: 'ü'\r\nc: \"\\u00e9\"\r\n",
        "{键: 值值, b: 'ü', c: \"\\u00e9\"}",
    ] {
        let document = document(text);
        let spelled = |key: &str| {
            let node = document.root().get(key).expect(key);
            let part = document.part(node.number());
            text[part.start..part.end].to_owned()
        };
        assert_eq!(spelled("键"), "值值", "{text:?}");
        assert_eq!(spelled("b"), "'ü'", "{text:?}");
        assert_eq!(spelled("c"), "\"\\u00e9\"", "{text:?}");
        assert_eq!(document.root().get("c").and_then(Node::as_str), Some("é"));
    }
}

#[test]
fn words_mean_what_helm_takes_them_for() {
    use Scalar::{Bool, Float, Int, Null, Str};
    for (text, scalar) in [
        ("~", Null),
        ("", Null),
        ("yes", Bool(true)),
        ("Off", Bool(false)),
        ("1_0", Int("1_0")),
        ("0x1F", Int("0x1F")),
        ("20240101", Int("20240101")),
        ("1.10", Float("1.10")),
        ("1e3", Float("1e3")),
        (".5", Float(".5")),
        ("-.inf", Float("-.inf")),
        ("1.25.3", Str("1.25.3")),
        ("v1", Str("v1")),
        ("'yes'", Str("yes")),
        ("\"\"", Str("")),
        ("!!str 1", Str("1")),
        ("e3", Str("e3")),
        ("0xg", Str("0xg")),
        (".", Str(".")),
    ] {
        let document = document(&format!("a: {text}\n"));
        let node = document.root().get("a").expect("a");
        assert_eq!(node.scalar(), Some(scalar), "{text}");
    }
}

#[test]
fn text_is_as_written_and_null_is_no_text() {
    let document = document("a: 1.10\nb: ~\nc: 007\nd: [x]\n");
    let text = |key: &str| document.root().get(key).and_then(Node::as_str);
    assert_eq!(text("a"), Some("1.10"));
    assert_eq!(text("c"), Some("007"));
    assert_eq!((text("b"), text("d"), text("e")), (None, None, None));
}

#[test]
fn aliases_and_merges_are_looked_through() {
    let text = "base: &base {registry: r, tag: t}\nother: &o {x: 1, tag: u}\n\
                a: *base\nb:\n  <<: [*o, *base]\n  tag: own\n'<<': plain\n";
    let document = document(text);
    let at = |path: &[&str]| document.root().at(path).and_then(Node::as_str);
    assert_eq!(at(&["a", "registry"]), Some("r"));
    assert_eq!(at(&["b", "tag"]), Some("own"));
    assert_eq!(at(&["b", "x"]), Some("1"));
    assert_eq!(at(&["b", "registry"]), Some("r"));
    assert_eq!(at(&["<<"]), Some("plain"));
    let b = document.root().get("b").expect("b");
    let keys: Vec<_> = b
        .entries()
        .expect("a mapping")
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(keys, [Some("tag"), Some("x"), Some("registry")]);
}

#[test]
fn documents_without_content_are_nothing() {
    for text in [
        "",
        "# only a comment\n",
        "---\n",
        "null",
        "--- # x\n...\n",
        "\u{feff}",
    ] {
        let document = document(text);
        assert!(document.root().is_null(), "{text:?}");
        assert!(document.root().entries().is_none());
    }
}

#[test]
fn what_is_no_one_document_says_the_line() {
    for (text, message) in [
        ("a: 1\nb: 2\n'a': 3\n", "line 3: the key `a` is there twice"),
        ("a: {x: 1, x: 2}\n", "line 1: the key `x` is there twice"),
        (
            "a: 1\n---\nb: 2\n",
            "line 2: a second document begins here, where one is expected",
        ),
        (
            "a: &x\n  - *x\n",
            "line 2: an alias within the value that it stands for",
        ),
    ] {
        assert_eq!(refused(text), message);
    }
    for (text, line) in [
        ("a: *b\n", 1),
        ("a:\n  b: [1\nc: 2\n", 3),
        ("a: 'x\n", 2),
        ("a: b: c\n", 1),
    ] {
        let problem = Document::parse(text).expect_err(text);
        assert_eq!(problem.line, line, "{text:?}: {problem}");
    }
}

#[test]
fn helm_reads_the_last_of_two_and_the_first_document() {
    let text = "a: 1\nb: {a: 0}\na: 2\n---\nc: 3\n";
    let document = Document::parse_as_helm(text).expect(text);
    let text = |key: &str| document.root().get(key).and_then(Node::as_str);
    assert_eq!((text("a"), text("c")), (Some("2"), None));
    let keys: Vec<_> = (document.root().entries().expect("a mapping"))
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(keys, [(Some("b"), None), (Some("a"), Some("2"))]);
}

#[test]
fn a_billion_laughs_cost_nothing() {
    let mut text = "l0: &l0 {a: lol}\n".to_owned();
    for level in 1..=60 {
        let below = level - 1;
        text += &format!(
            "l{level}: &l{level}\n  <<: [*l{below}, *l{below}, *l{below}]\n  b{level}: *l{below}\n"
        );
    }
    let document = document(&text);
    let root = document.root();
    assert_eq!(root.at(&["l60", "a"]).and_then(Node::as_str), Some("lol"));
    assert!(root.at(&["l60", "missing"]).is_none());
    assert_eq!(
        root.get("l60")
            .and_then(Node::entries)
            .expect("a mapping")
            .count(),
        61
    );
}

#[test]
fn what_asks_for_too_much_is_refused() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let block: String = (0..500)
        .map(|level| format!("{}a:\n", " ".repeat(level)))
        .collect();
    let wide = format!("[&a x{}]", ",*a".repeat(limits::MAX_YAML_NODES));
    let long = "#".repeat(limits::MAX_JSON as usize + 1);
    for text in [deep, block, wide, long] {
        let problem = Document::parse(&text).expect_err("too much");
        assert!(problem.limit, "{problem}");
        let error = problem.into_error(ErrorKind::Usage);
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    }
    let aliases = format!("[&a {{x: 1}}{}]", ",*a".repeat(300_000));
    let document = document(&aliases);
    assert_eq!(document.root().items().expect("a list").count(), 300_001);
}

#[test]
fn large_mappings_and_many_merges_have_an_end() {
    let mut large: String = (0..1000).map(|key| format!("k{key}: {key}\n")).collect();
    large += "k7: again\n";
    let document = Document::parse_as_helm(&large).expect("large");
    let text = |key| document.root().get(key).and_then(Node::as_str);
    assert_eq!(
        (text("k999"), text("k7"), text("k1000")),
        (Some("999"), Some("again"), None)
    );
    let merges = format!("a: &a {{x: 1}}\nb:\n  <<: [*a{}]\n", ", *a".repeat(1000));
    let problem = Document::parse(&merges).expect_err("too many");
    assert!(problem.limit, "{problem}");
}
