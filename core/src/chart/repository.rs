//! Where charts are published: HARBOR, CHARTMUSEUM, OCI and LOCAL repositories.
