//! Writing headers: the same arguments give the same bytes.

use super::{BLOCK, EntryKind, pax};

/// The two zero blocks that end an archive.
pub const END: [u8; 2 * BLOCK as usize] = [0; 2 * BLOCK as usize];

/// The first size that eleven octal digits do not hold.
const OCTAL_END: u64 = 1 << 33;

/// How many zeros follow `size` bytes of data up to the next block.
#[must_use]
pub const fn padding(size: u64) -> u64 {
    (BLOCK - size % BLOCK) % BLOCK
}

/// The header of a member: a ustar header, with a pax extended header before it where the name, the
/// target or the size asks for one. Data, [`padding`] and in the end [`END`] are up to the caller.
///
/// The owner is 0 and has no name. `name` and targets must not contain NULs, which tar has no way
/// to write: they end the name. Directories get the `/` that they are known by.
#[must_use]
pub fn header(name: &str, kind: &EntryKind, size: u64, mode: u32, mtime: u64) -> Vec<u8> {
    let directory = *kind == EntryKind::Directory && !name.ends_with('/');
    let name = if directory {
        format!("{name}/")
    } else {
        name.to_owned()
    };
    let (flag, link) = match kind {
        EntryKind::File => (b'0', ""),
        EntryKind::HardLink(target) => (b'1', target.as_str()),
        EntryKind::SymLink(target) => (b'2', target.as_str()),
        EntryKind::Directory => (b'5', ""),
        EntryKind::Other(flag) => (*flag, ""),
    };

    let mut records = Vec::new();
    if needs_record(&name) {
        pax::write(&mut records, "path", name.as_bytes());
    }
    if needs_record(link) {
        pax::write(&mut records, "linkpath", link.as_bytes());
    }
    if size >= OCTAL_END {
        pax::write(&mut records, "size", size.to_string().as_bytes());
    }

    let mut out = Vec::with_capacity(3 * BLOCK as usize);
    if !records.is_empty() {
        let length = records.len() as u64;
        block(&mut out, "././@PaxHeader", b'x', "", length, 0o644, mtime);
        out.extend_from_slice(&records);
        out.resize(out.len() + padding(length) as usize, 0);
    }
    block(&mut out, &name, flag, link, size, mode, mtime);
    out
}

/// Whether a name fits neither its field nor what every reader takes it for.
fn needs_record(name: &str) -> bool {
    name.len() > 100 || !name.is_ascii()
}

fn block(out: &mut Vec<u8>, name: &str, flag: u8, link: &str, size: u64, mode: u32, mtime: u64) {
    let start = out.len();
    // Where a pax record says the size, the field is 0, as Go and Python write it.
    let size = if size < OCTAL_END { size } else { 0 };
    text(out, name, 100);
    octal(out, u64::from(mode & 0o7777), 8);
    octal(out, 0, 8); // user
    octal(out, 0, 8); // group
    octal(out, size, 12);
    octal(out, mtime.min(OCTAL_END - 1), 12);
    let checksum = out.len();
    out.extend_from_slice(b"        ");
    out.push(flag);
    text(out, link, 100);
    out.extend_from_slice(b"ustar\x0000");
    text(out, "", 64); // names of user and group
    octal(out, 0, 8); // device
    octal(out, 0, 8);
    out.resize(start + BLOCK as usize, 0);

    let sum: u64 = out.iter().skip(start).map(|byte| u64::from(*byte)).sum();
    let digits = format!("{sum:06o}\0 ");
    for (place, digit) in out.iter_mut().skip(checksum).zip(digits.bytes()) {
        *place = digit;
    }
}

/// As much of `value` as the field holds, filled up with NULs. What is not ASCII has a pax record,
/// and headers that are not ASCII no defined meaning.
fn text(out: &mut Vec<u8>, value: &str, width: usize) {
    let end = out.len() + width;
    let ascii = |byte: u8| if byte.is_ascii() { byte } else { b'_' };
    out.extend(value.bytes().take(width).map(ascii));
    out.resize(end, 0);
}

/// Octal digits that fill the field but for the NUL behind them.
fn octal(out: &mut Vec<u8>, value: u64, width: usize) {
    let digits = width - 1;
    out.extend_from_slice(format!("{value:0digits$o}\0").as_bytes());
}
