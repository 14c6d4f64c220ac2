//! The header is written from the doc comments here, and committed. `FUSION_BLESS=1 cargo test -p
//! fusion-ffi` writes it anew.

use std::fs;
use std::path::Path;

use cbindgen::{Builder, Config, DocumentationStyle, Language};

/// The source files in the order in which the header tells things.
const FILES: &[&str] = &[
    "version", "status", "error", "log", "progress", "stop", "report", "options", "verbs", "charts",
];

const HEADER: &str = "\
/*
 * fusion.h - the C interface of fusion, which fuses per-architecture container image archives
 * into multi-architecture ones.
 *
 *     const char *sources[] = {\"images-amd64.tar\", \"images-arm64.tar\"};
 *     fusion_report *report = NULL;
 *     fusion_error *error = NULL;
 *     if (fusion_fuse(sources, 2, \"images.tar\", NULL, &report, &error) != FUSION_STATUS_OK)
 *         fprintf(stderr, \"error: %s\\n\", fusion_error_message(error));
 *     else
 *         puts(fusion_report_json(report));
 *     fusion_report_free(report);
 *     fusion_error_free(error);
 *
 * What holds for all of it:
 *
 * - Handles are made by this library and freed by the function that ends in _free, once. Freeing
 *   NULL does nothing. Nothing else is ever the caller's to free.
 * - A string that is returned belongs to the handle it was taken from, and lives as long.
 * - What is passed in is copied or used during the call only.
 * - Outputs are written only on success, an error only on failure: set both to NULL first.
 * - No function keeps anything for a thread; errors are values.
 * - A pointer that may not be NULL is looked at: FUSION_STATUS_NULL_ARGUMENT.
 * - A bug inside is FUSION_STATUS_PANIC, never the end of the process. (What went wrong is
 *   printed to standard error as well.)
 *
 * Written from the sources of fusion: do not edit.
 */";

/// The header as it should be.
fn generate() -> String {
    let version = |part: &str, value: &str| {
        format!(
            "/** The {} version of this header. */\n#define FUSION_VERSION_{part} {value}\n",
            part.to_lowercase()
        )
    };
    let versions = [
        version("MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        version("MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        version("PATCH", env!("CARGO_PKG_VERSION_PATCH")),
        format!(
            "/** The version of this header as text. */\n\
             #define FUSION_VERSION_STRING \"{}\"\n\
             /** The version of this header: MAJOR * 1000000 + MINOR * 1000 + PATCH. */\n\
             #define FUSION_VERSION_NUMBER {}\n",
            env!("CARGO_PKG_VERSION"),
            crate::version::NUMBER
        ),
    ];
    let config = Config {
        language: Language::C,
        header: Some(HEADER.to_owned()),
        include_guard: Some("FUSION_H".to_owned()),
        no_includes: true,
        sys_includes: vec!["stddef.h".to_owned(), "stdint.h".to_owned()],
        after_includes: Some(format!("\n{}", versions.concat())),
        cpp_compat: true,
        documentation_style: DocumentationStyle::Doxy,
        usize_is_size_t: true,
        line_length: 100,
        tab_width: 4,
        ..Config::default()
    };
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut builder = Builder::new().with_config(config);
    for file in FILES {
        builder = builder.with_src(sources.join(file).with_extension("rs"));
    }
    let mut text = Vec::new();
    builder
        .generate()
        .expect("the sources are valid")
        .write(&mut text);
    String::from_utf8(text).expect("the sources are UTF-8")
}

#[test]
fn the_committed_header_is_what_the_sources_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/fusion.h");
    let expected = generate();
    if std::env::var_os("FUSION_BLESS").is_some() {
        fs::write(&path, &expected).expect("the header can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == expected,
        "include/fusion.h is not current: FUSION_BLESS=1 cargo test -p fusion-ffi writes it anew"
    );
}
