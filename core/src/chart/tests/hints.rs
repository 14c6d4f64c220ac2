//! Hints: their grammar, and the values that they name.

use super::*;
use crate::chart::Hints;

fn hints(text: &str) -> Hints {
    Hints::parse(text, "app.bundle.tar \u{203a} hints.yaml").expect(text)
}

/// What `hint` names with the values of `chart`, or what is wrong.
fn named(chart: &Chart, hint: &str) -> Result<String, String> {
    let hints = Hints::parse(&format!("- \"{hint}\"\n"), "hints.yaml");
    let images = hints.and_then(|hints| hints.images(chart));
    let images = images.map_err(|error| error.to_string())?;
    Ok(images[0].reference.clone())
}

#[test]
fn every_form_of_the_grammar_names_its_image() {
    let digest = format!("sha256:{}", "0".repeat(64));
    let values = format!(
        "r: docker.io\nslash: docker.io/\np: acme/app\nt: 1.10\nq: \"1.10\"\nwhole-number: 2.0\ndate: 20240101\nempty: \"\"\n\
         none:\nd: {digest}\nwhole: docker.io/acme/app:v2\nmy-app: {{im-age: acme/x}}\nyes: true\n"
    );
    let chart = of(&[("values.yaml", &values)]);
    for (hint, name) in [
        ("{{ .r }}/{{ .p }}:{{ .t }}", "docker.io/acme/app:1.1"),
        ("{{ .p }}:{{ .q }}", "acme/app:1.10"),
        ("{{ .p }}:{{ .whole-number }}", "acme/app:2"),
        ("{{.r}}/{{.p}}:{{.date}}", "docker.io/acme/app:20240101"),
        ("{{ .p }}:{{ .t }}", "acme/app:1.1"),
        ("{{ .whole }}", "docker.io/acme/app:v2"),
        ("{{ .p }}", "acme/app"),
        ("{{ .p }}:latest", "acme/app:latest"),
        ("{{ .my-app.im-age }}:1", "acme/x:1"),
        (
            "{{ .r }}/acme/agent:{{ .t }}-ubuntu",
            "docker.io/acme/agent:1.1-ubuntu",
        ),
        ("{{ .slash }}{{ .p }}:1", "docker.io/acme/app:1"),
        ("{{ .empty }}/{{ .p }}:1", "acme/app:1"),
        ("{{ .none }}/{{ .p }}:1", "acme/app:1"),
        ("{{ .p }}:{{ .t }}@{{ .empty }}", "acme/app:1.1"),
        ("{{ .p }}:{{ .yes }}", "acme/app:true"),
        ("host:5000/acme/app:1", "host:5000/acme/app:1"),
    ] {
        assert_eq!(named(&chart, hint).as_deref(), Ok(name), "{hint}");
    }
    let pinned =
        hints("- \"{{ .r }}/{{ .p }}:{{ .t }}@{{ .d }}\"\n- \"{{ .p }}@{{ .d }}\"\n- '{{ .p }}'\n");
    let images = pinned.images(&chart).expect("images");
    assert_eq!(
        images[0].reference,
        format!("docker.io/acme/app:1.1@{digest}")
    );
    let pins: Vec<bool> = images.iter().map(|image| image.pins).collect();
    assert_eq!(pins, [true, true, false]);
    let doubled = hints("- '{{ .slash }}/{{ .p }}:1'\n")
        .images(&chart)
        .expect("images");
    assert_eq!(doubled[0].normalised.to_string(), "docker.io/acme/app:1");
}

#[test]
fn hints_that_are_none_say_the_line() {
    for (text, says) in [
        ("- a: b\n", "line 1: a mapping, where a template"),
        ("- x\n- {{ .a }}\n", "line 2: "),
        ("a: b\n", "line 1: a mapping, where a list"),
        ("- x\n- 5\n", "line 2: a number, where a template"),
        ("- '{{ .a }'\n", "line 1: the hint `{{ .a }` opens"),
        ("- ' .a }}'\n", "closes"),
        ("- '{{ .a }}{{ .b }}/{{ .c }}'\n", "3 keys for registry"),
        ("- '{{ .a }}:{{ .b }}{{ .c }}'\n", "2 keys for the tag"),
        ("- '{{ .a }}@{{ .b }}@{{ .c }}'\n", "two digests"),
        ("- '{{ .Values.a | quote }}'\n", "no key such as"),
        ("- '{{ a.b }}'\n", "`a.b` between"),
        ("- '{{ .a..b }}'\n", "no key"),
        ("- '{{ }}'\n", "no key"),
        ("- &a '{{ .x }}'\n- *a\n- *b\n", "line 3"),
    ] {
        let error = Hints::parse(text, "x.tar \u{203a} hints.yaml").expect_err(text);
        let shown = error.to_string();
        assert!(shown.contains(says), "{text:?}: {shown}");
        assert!(shown.contains("x.tar \u{203a} hints.yaml"), "{shown}");
    }
    for empty in ["", "# none\n", "[]\n", "---\n"] {
        assert!(hints(empty).images(&of(&[])).expect("none").is_empty());
    }
}

#[test]
fn hints_without_values_name_the_nearest_key() {
    let chart = of(&[
        (
            "values.yaml",
            "image:\n  registry: r.io\n  repository: x\n  tag: ''\nlist: [1]\n",
        ),
        ("charts/db/Chart.yaml", "name: db\nversion: 1.0.0\n"),
        ("charts/db/values.yaml", "image: {repository: acme/db}\n"),
    ]);
    for (hint, says) in [
        (
            "{{ .image.registri }}/x",
            "needs `.image.registri`, which no values have; the nearest is `.image.registry`",
        ),
        ("{{ .imag.registry }}/x", "the nearest is `.image`"),
        (
            "{{ .db.image.repositry }}",
            "the nearest is `.db.image.repository`",
        ),
        (
            "{{ .image.registry.host }}",
            "the nearest is `.image.registry`",
        ),
        ("{{ .quite.different }}", "which no values have"),
        (
            "{{ .image }}",
            "needs a text at `.image`, which is a mapping in `values.yaml`, line 2",
        ),
        ("{{ .list }}", "which is a list in `values.yaml`, line 5"),
        (
            "{{ .image.repository }}:{{ .image.tag }}",
            "needs a tag, but `.image.tag` is empty",
        ),
        ("{{ .image.repository }}:-", "gives no name of an image"),
    ] {
        let shown = named(&chart, hint).expect_err(hint);
        assert!(shown.contains(says), "{hint}: {shown}");
        assert!(
            shown.contains(&format!("line 1: the hint `{hint}`")),
            "{shown}"
        );
        assert!(shown.contains("hints.yaml"), "{shown}");
    }
}

#[test]
fn the_outer_chart_and_its_globals_override() {
    let inner = of(&[
        ("Chart.yaml", "name: inner\nversion: 1.0.0\n"),
        ("values.yaml", "r: inner.io\np: acme/inner\n"),
    ]);
    let packed = inner.packed().expect("packed");
    let mut all = files(&[
        (
            "Chart.yaml",
            "name: app\nversion: 1.0.0\ndependencies:\n- {name: db, version: 1.x, alias: base}\n- {name: plain, version: 1.x}\n",
        ),
        (
            "values.yaml",
            "global: {registry: outer.io}\nbase:\n  t: outer\nplain: {global: {other: outer}, inner: {r: over.io}}\n",
        ),
        ("charts/db/Chart.yaml", "name: db\nversion: 1.0.0\n"),
        (
            "charts/db/values.yaml",
            "p: acme/db\nt: db\nglobal: {registry: own.io, own: x}\n",
        ),
        ("charts/folder/Chart.yaml", "name: plain\nversion: 1.0.0\n"),
        (
            "charts/folder/values.yaml",
            "t: plain\nglobal: {other: own}\n",
        ),
        ("charts/_ignored/Chart.yaml", "name: ignored\n"),
        ("charts/README.md", "text"),
    ]);
    all.insert("charts/folder/charts/inner-1.0.0.tgz".to_owned(), packed);
    let chart = Chart::from_files(all, "app").expect("a chart");
    for (hint, name) in [
        // By the alias, and by the name that has it.
        ("{{ .base.p }}:{{ .base.t }}", "acme/db:outer"),
        ("{{ .db.p }}:{{ .db.t }}", "acme/db:outer"),
        ("{{ .global.registry }}/{{ .db.p }}:1", "outer.io/acme/db:1"),
        (
            "{{ .db.global.registry }}/{{ .db.p }}:1",
            "outer.io/acme/db:1",
        ),
        ("{{ .db.p }}:{{ .db.global.own }}", "acme/db:x"),
        ("x:{{ .plain.t }}-{{ .plain.t }}", ""),
        ("x:{{ .plain.global.other }}", "x:outer"),
        (
            "{{ .plain.inner.r }}/{{ .plain.inner.p }}:1",
            "over.io/acme/inner:1",
        ),
    ] {
        match name {
            "" => assert!(named(&chart, hint).is_err()),
            name => assert_eq!(named(&chart, hint).as_deref(), Ok(name), "{hint}"),
        }
    }
}

#[test]
fn a_chart_may_bring_its_own_hints() {
    assert!(of(&[]).own_hints().is_none());
    let chart = of(&[(".relok8s-images.yaml", "- 'acme/app:1'\n")]);
    let hints = chart.own_hints().expect("there").expect("hints");
    assert_eq!(
        hints.images(&chart).expect("images")[0].reference,
        "acme/app:1"
    );
    let chart = of(&[(".relok8s-images.yaml", "- x\n- {a: b}\n")]);
    let error = chart.own_hints().expect("there").expect_err("no hints");
    let shown = error.to_string();
    assert!(
        shown.contains(&format!("{}/.relok8s-images.yaml", chart.place())),
        "{shown}"
    );
    assert!(shown.contains("line 2"), "{shown}");
}
