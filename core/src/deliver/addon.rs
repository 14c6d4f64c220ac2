//! `import-addon`: packages of charts and images, to where an installer's configuration says.

#![cfg_attr(not(test), expect(dead_code, reason = "the engine comes next"))]

mod config;
