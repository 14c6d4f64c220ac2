//! Helm charts: read, relocated by hints, packaged, published to chart repositories.

pub(crate) mod repository;
