//! The engine of fusion.
