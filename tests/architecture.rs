//! The layers of the engine: a module uses only what stands above it.
