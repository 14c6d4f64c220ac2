//! Archives of charts, read plainly.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The files of a tar by their names.
pub(crate) type Members = BTreeMap<String, Vec<u8>>;

/// What a tar holds; a name twice is a failure.
pub(crate) fn tar(from: impl Read) -> Members {
    let mut archive = tar::Archive::new(from);
    let mut members = Members::new();
    for entry in archive.entries().expect("a tar") {
        let mut entry = entry.expect("a member");
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path().expect("a name").display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("a body");
        assert!(
            members.insert(name.clone(), bytes).is_none(),
            "{name} twice"
        );
    }
    members
}

/// What a packed chart holds, without the folder that everything in it is in.
pub(crate) fn packed(bytes: &[u8]) -> Members {
    let members = tar(flate2::read::MultiGzDecoder::new(bytes));
    let strip = |(name, bytes): (String, Vec<u8>)| {
        let (_, rest) = name.split_once('/').expect("a folder");
        (rest.to_owned(), bytes)
    };
    members.into_iter().map(strip).collect()
}

/// The chart in a bundle.
pub(crate) fn bundled(bundle: &Path) -> Members {
    let members = tar(File::open(bundle).expect("a bundle"));
    let strip = |(name, bytes): (String, Vec<u8>)| {
        let name = name.strip_prefix("original-chart/")?;
        Some((name.to_owned(), bytes))
    };
    members.into_iter().filter_map(strip).collect()
}

/// Writes files into a folder.
pub(crate) fn unpack(members: &Members, folder: &Path) {
    for (name, bytes) in members {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
}
