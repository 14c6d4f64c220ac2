use super::*;

fn edited(text: &str, edits: &[(&str, &str)]) -> Result<String, String> {
    let document = Document::parse(text).expect(text);
    let mut changes = document.edit();
    for (path, value) in edits {
        let path: Vec<&str> = path.split('/').collect();
        changes.set(&path, value);
    }
    changes.apply().map_err(|problem| problem.to_string())
}

/// A document, what is set in it, and what becomes of it.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

fn becomes(cases: &[Case<'_>]) {
    for (text, edits, expected) in cases {
        assert_eq!(edited(text, edits).as_deref(), Ok(*expected), "{text:?}");
    }
}

#[test]
fn a_value_is_replaced_and_nothing_else() {
    becomes(&[
        (
            "# top\nimage:\n  registry:   docker.io   # ours\n  tag: 1.10 \n\n# end",
            &[("image/registry", "r.io:5000/x")],
            "# top\nimage:\n  registry:   r.io:5000/x   # ours\n  tag: 1.10 \n\n# end",
        ),
        (
            "\u{feff}a: 'x'\r\nb: \"y\" #\tz\r\n",
            &[("a", "it's"), ("b", "q\"\\")],
            "\u{feff}a: 'it''s'\r\nb: \"q\\\"\\\\\" #\tz\r\n",
        ),
        (
            "a: {b: x, c: [1, 2]}\n",
            &[("a/b", "h/r")],
            "a: {b: h/r, c: [1, 2]}\n",
        ),
        ("a: {b: x}\n", &[("a/b", "h:1/r")], "a: {b: \"h:1/r\"}\n"),
        (
            "a: one\n  two\nb: 1\n",
            &[("a", "three")],
            "a: three\nb: 1\n",
        ),
        (
            "a: |\n  x\n  w\n\nb: 1\n",
            &[("a", "z")],
            "a: \"z\"\n\nb: 1\n",
        ),
        (
            "a: # | no\n  >-\n  x\nb: 1\n",
            &[("a", "z")],
            "a: # | no\n  \"z\"\nb: 1\n",
        ),
        ("a: x", &[("a", "")], "a: \"\""),
        ("a: !!int 5\n", &[("a", "x")], "a: x\n"),
        (
            "l:\n- r: x # 1\n- r: 'y'\n",
            &[("l/1/r", "")],
            "l:\n- r: x # 1\n- r: ''\n",
        ),
        (
            "a:\nb : ~\n\"c\":   # c\n",
            &[("a", "x"), ("b", "w"), ("c", "z")],
            "a: x\nb : w\n\"c\": z   # c\n",
        ),
        (
            "{a, b: , c: }",
            &[("a", "x"), ("b", "w"), ("c", "z")],
            "{a: x, b: w , c: z }",
        ),
        ("? a\n: b\n", &[("a", "c")], "? a\n: c\n"),
    ]);
}

#[test]
fn a_text_that_would_mean_something_else_gets_quotes() {
    for value in [
        "1.10",
        "20240101",
        "true",
        "no",
        "null",
        "~",
        "0x1f",
        "1e3",
        "12:30:45",
        "2024-01-01",
        "y",
        "<<",
        "a: b",
        "a #b",
        "- a",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "a:",
        " a",
        "a ",
        "[a",
        "{a}",
        "a\nb",
        "a\tb",
        "\u{7}",
        "\u{feff}",
        "é",
        "'",
        "\"",
        "\\",
        "---",
        "...",
        "?",
        "=",
        "|",
        ">",
    ] {
        for text in [
            "a: x\n",
            "a: 'x'\n",
            "a: \"x\"\n",
            "{a: x}\n",
            "a: |\n  x\n",
            "a:\n",
            "b: 1\n",
            "{b: 1}\n",
        ] {
            let result = edited(text, &[("a", value)]).expect(value);
            let document = Document::parse(&result).expect(&result);
            let scalar = document.root().get("a").and_then(Node::scalar);
            assert_eq!(scalar, Some(Scalar::Str(value)), "{text:?} {result:?}");
        }
    }
}

#[test]
fn what_says_it_already_stays_as_it_is() {
    for text in ["tag: 1.10\n", "tag: '1.10'\n", "tag: \"1\\x2e10\"\n"] {
        assert_eq!(edited(text, &[("tag", "1.10")]).as_deref(), Ok(text));
    }
}

#[test]
fn missing_keys_are_added_where_their_siblings_stand() {
    becomes(&[
        (
            "image:\n    # the repository\n    repository: x # here\n    # the end\nb: 1\n",
            &[("image/registry", "r"), ("image/digest", "")],
            "image:\n    # the repository\n    repository: x # here\n    registry: r\n    digest: \"\"\n    # the end\nb: 1\n",
        ),
        (
            "a: 1\r\n",
            &[("b/c", "x"), ("b/d", "w")],
            "a: 1\r\nb:\r\n  c: x\r\n  d: w\r\n",
        ),
        ("a: 1", &[("b", "x")], "a: 1\nb: x"),
        (
            "a: {}\n",
            &[("a/b", "x"), ("a/c", "w")],
            "a: {b: x, c: w}\n",
        ),
        (
            "a: { b: 1 }\n",
            &[("a/c/d", "x")],
            "a: { c: {d: x}, b: 1 }\n",
        ),
        (
            "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n",
            &[("a/c", "x")],
            "{\n  \"a\": {\n    c: x, \"b\": 1\n  }\n}\n",
        ),
        (
            "a:\n  b: |\n    x\n\nc: 1\n",
            &[("a/d", "x")],
            "a:\n  d: x\n  b: |\n    x\n\nc: 1\n",
        ),
        (
            "a:\n  e: 1\n  b: |+\n    x\n\nc: 1\n",
            &[("a/d", "x")],
            "a:\n  e: 1\n  d: x\n  b: |+\n    x\n\nc: 1\n",
        ),
        (
            "a:   # none\n  # b: x\nc: 1\n",
            &[("a/b", "w")],
            "a:   # none\n  b: w\n  # b: x\nc: 1\n",
        ),
        ("a: ~\n", &[("a/b/c", "w")], "a: {b: {c: w}}\n"),
        (
            "a:\n  b:\nc: 1\n",
            &[("a/b", "x"), ("a/d", "w")],
            "a:\n  b: x\n  d: w\nc: 1\n",
        ),
        (
            "a:\n  b:\n    - c\n    -\nd: 1\n",
            &[("a/e", "w")],
            "a:\n  b:\n    - c\n    -\n  e: w\nd: 1\n",
        ),
        (
            "a:\n  b:\n    c: 1",
            &[("a/b/x", "1.0"), ("a/d", "2"), ("z", "v")],
            "a:\n  b:\n    c: 1\n    x: \"1.0\"\n  d: \"2\"\nz: v",
        ),
        ("", &[("a/b", "x")], "a:\n  b: x\n"),
        ("# nothing here", &[("a", "x")], "# nothing here\na: x\n"),
        ("---\n# x\n", &[("a", "x")], "---\n# x\na: x\n"),
        ("---\na: 1\n...\n", &[("b", "x")], "---\na: 1\nb: x\n...\n"),
        (
            "a:\n- b: 1\n  c: 2\n- d\n",
            &[("a/0/e", "x")],
            "a:\n- b: 1\n  c: 2\n  e: x\n- d\n",
        ),
        (
            "a: 1\n",
            &[("1.10", "x"), ("b c", "w")],
            "a: 1\n\"1.10\": x\n\"b c\": w\n",
        ),
    ]);
}

#[test]
fn aliases_elsewhere_keep_their_value() {
    becomes(&[
        // All alike: the definition changes, and they follow.
        (
            "a: &r x\nb: *r\nc: *r\n",
            &[("a", "w"), ("b", "w"), ("c", "w")],
            "a: &r w\nb: *r\nc: *r\n",
        ),
        // Some go their own way.
        (
            "a: &r x\nb: *r\nc: *r\n",
            &[("b", "w")],
            "a: &r x\nb: w\nc: *r\n",
        ),
        ("a: &r 'x'\nb: *r\n", &[("a", "w")], "a: 'w'\nb: 'x'\n"),
        (
            "a: &r x\nb: *r\nc: *r\n",
            &[("a", "w"), ("c", "w")],
            "a: &r w\nb: x\nc: *r\n",
        ),
        ("a: &r\nb: *r\n", &[("a", "w")], "a: w\nb: null\n"),
        (
            "a: &i\n  r: x\n  t: 1.10\nb: *i\n",
            &[("b/r", "w")],
            "a: &i\n  r: x\n  t: 1.10\nb: {r: w, t: 1.10}\n",
        ),
        (
            "a: &i\n  r: x\n  t: 1\nb: *i\n",
            &[("a/r", "w")],
            "a: &i\n  r: w\n  t: 1\nb: {r: x, t: 1}\n",
        ),
        (
            "a: &i\n  r: x\nb: *i\n",
            &[("a/r", "w"), ("b/r", "w")],
            "a: &i\n  r: w\nb: *i\n",
        ),
        (
            "d: &d {r: x, s: z}\nb:\n  <<: *d\n  t: 1\n",
            &[("b/r", "w")],
            "d: &d {r: x, s: z}\nb:\n  <<: *d\n  t: 1\n  r: w\n",
        ),
        (
            "d: &d {r: x}\nb: {<<: *d}\n",
            &[("d/r", "w")],
            "d: &d {r: w}\nb: {<<: {r: x}}\n",
        ),
        (
            "d: &d {i: {r: x, t: 1}}\nb:\n  <<: *d\n",
            &[("b/i/r", "w")],
            "d: &d {i: {r: x, t: 1}}\nb:\n  <<: *d\n  i: {r: w, t: 1}\n",
        ),
        ("a: &k x\n*k : 1\n", &[("a", "w")], "a: w\nx : 1\n"),
    ]);
}

#[test]
fn what_cannot_be_is_a_problem_with_its_line() {
    for (text, path, message) in [
        (
            "a: 1\nb: x\n",
            "b/c",
            "line 2: text, where a mapping is to go",
        ),
        (
            "a:\n  b: {}\n",
            "a/b",
            "line 2: a mapping, where a text is to go",
        ),
        ("a: [1]\n", "a/b", "line 1: the list has no item b"),
        ("- 1\n", "a", "line 1: the list has no item a"),
    ] {
        assert_eq!(edited(text, &[(path, "v")]), Err(message.to_owned()));
    }
}

#[test]
fn laughs_that_would_have_to_be_written_out_are_refused() {
    let mut text = "l0: &l0 {a: lol}\n".to_owned();
    for level in 1..=60 {
        let below = level - 1;
        text += &format!("l{level}: &l{level} {{a: *l{below}, b: *l{below}}}\n");
    }
    // The first is an alias of few, the last one of all.
    let result = edited(&text, &[("l60/a/new", "x")]).expect_err("too much");
    assert!(result.contains("too much"), "{result}");
    assert!(edited(&text, &[("l2/a/a/a", "x")]).is_ok());
}
