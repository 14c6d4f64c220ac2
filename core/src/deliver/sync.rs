//! `sync`: charts and their images, from bundles to a registry and a chart repository.

#![cfg_attr(not(test), expect(dead_code, reason = "the engine comes next"))]

mod config;
