//! The command as a whole, without the engine: its documents, their rendering, the documentation.

mod command;
mod documentation;
mod rendering;
mod samples;
mod schemas;
