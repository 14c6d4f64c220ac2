//! Archives of every dialect, whole and damaged.

mod damaged;
mod dialects;
mod written;

use super::*;
use crate::error::{Error, Result};

/// A member with its data.
type Member = (Entry, Vec<u8>);

/// A raw ustar header that tests change field by field; [`seal`] then makes its checksum right.
fn raw(name: &[u8], flag: u8, size: u64) -> [u8; 512] {
    let mut block = [0; 512];
    put(&mut block, 0, name);
    put(&mut block, 100, b"0000644\0");
    put(&mut block, 124, format!("{size:011o}\0").as_bytes());
    block[156] = flag;
    put(&mut block, 257, b"ustar\x0000");
    seal(&mut block);
    block
}

fn put(block: &mut [u8; 512], at: usize, bytes: &[u8]) {
    block[at..at + bytes.len()].copy_from_slice(bytes);
}

fn seal(block: &mut [u8; 512]) {
    put(block, 148, b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    put(block, 148, format!("{sum:06o}\0 ").as_bytes());
}

/// `data`, padded to whole blocks.
fn padded(data: &[u8]) -> Vec<u8> {
    let mut out = data.to_vec();
    out.resize(out.len() + padding(data.len() as u64) as usize, 0);
    out
}

/// A pax extended header, `x` or `g`, with `records` as they are.
fn extended(flag: u8, records: &[u8]) -> Vec<u8> {
    [
        raw(b"pax", flag, records.len() as u64).to_vec(),
        padded(records),
    ]
    .concat()
}

fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    pax::write(&mut out, key, value);
    out
}

fn scanned(archive: &[u8]) -> Result<(Vec<Member>, ScanEnd)> {
    let mut members = Vec::new();
    let end = scan(&archive, &mut |entry| {
        let mut data = vec![0; entry.size as usize];
        archive.read_at(entry.offset, &mut data)?;
        members.push((entry, data));
        Ok(())
    })?;
    Ok((members, end))
}

/// The same through a stream that gives few bytes at a time.
fn streamed(archive: &[u8]) -> Result<(Vec<Member>, ScanEnd)> {
    struct Drip<'a>(&'a [u8], usize);
    impl std::io::Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.1 = self.1 % 97 + 1;
            let count = buffer.len().min(self.1);
            self.0.read(&mut buffer[..count])
        }
    }
    let mut stream = TarStream::new(Drip(archive, 0));
    let mut members = Vec::new();
    while let Some(entry) = stream.next()? {
        assert_eq!(stream.position(), entry.offset);
        let mut data = vec![0; entry.size as usize];
        let mut filled = 0;
        while filled < data.len() {
            filled += stream.read(&mut data[filled..])?;
        }
        assert_eq!(stream.read(&mut [0])?, 0, "a member ends where it ends");
        members.push((entry, data));
    }
    let end = stream.finish()?;
    assert_eq!(stream.position(), archive.len() as u64);
    Ok((members, end))
}

/// The members, read both ways; the ways must agree, even on the error.
fn both(archive: &[u8]) -> Result<(Vec<Member>, ScanEnd)> {
    match (scanned(archive), streamed(archive)) {
        (Ok(scanned), Ok(streamed)) => {
            assert_eq!(scanned, streamed);
            Ok(scanned)
        }
        (Err(scanned), Err(streamed)) => {
            assert_eq!(format!("{scanned:?}"), format!("{streamed:?}"));
            Err(scanned)
        }
        (scanned, streamed) => panic!("scan: {scanned:?}, stream: {streamed:?}"),
    }
}

fn members(archive: &[u8]) -> Vec<Member> {
    both(archive).expect("a good archive").0
}

fn only(archive: &[u8]) -> Entry {
    let mut members = members(archive);
    assert_eq!(members.len(), 1);
    members.remove(0).0
}

fn error(archive: &[u8]) -> Error {
    both(archive).expect_err("a bad archive")
}
