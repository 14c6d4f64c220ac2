//! Every touch of the file system: guarded maps, staging beside the destination, atomic
//! publication, free space, positioned reads and writes. Every error names its path.
//!
//! Nothing else in the engine calls `std::fs`; `core/clippy.toml` says so.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the module that the others are sent to"
)]

mod copy;
mod map;
mod pipe;
mod publish;
mod space;
mod staging;
mod sys;
mod tree;

pub use copy::{Place, copy_range, pread_exact, pwrite_all};
pub use map::Mapped;
pub use pipe::{readable, standard_input, standard_output, writable};
pub use publish::{
    create_file, rename, rename_noreplace, replace_file, start_writeback, sync_dir, sync_file,
    write_new,
};
pub use space::{enrich_no_space, ensure_free, free_bytes, human_bytes, same_filesystem};
pub use staging::{INSIDE, Staging};
pub use tree::{
    absent, create_dir_all, ensure_may_create, exists, metadata, metadata_if_any, open,
    read_dir_sorted, read_link, read_small, remove_dir_all, remove_dir_if_empty,
    remove_file_if_exists, symlink_metadata,
};

#[cfg(test)]
pub(crate) mod testing;
