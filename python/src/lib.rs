//! The private native module behind `import fusion`.
//!
//! It takes plain values, gives the JSON documents that every face gives, and raises the classes
//! of `fusion.exceptions`. What Python users see is written in Python, around this.

mod command;
mod error;
mod leaving;
mod logging;
mod options;
mod verbs;
mod watch;

use pyo3::prelude::*;

#[pymodule]
mod _fusion {
    use super::*;

    #[pymodule_export]
    use super::command::command;
    #[pymodule_export]
    use super::error::error_kinds;
    #[pymodule_export]
    use super::options::option_names;
    #[pymodule_export]
    use super::verbs::{fuse, import_addon, index_create, inspect, push, sync, verify};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::leaving::watch(module)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
