//! Every decoder against every encoder, the library's own and damaged data.

use std::io::{self, Read, Write};

use super::*;
use crate::error::{ErrorKind, Result};
use crate::limits;
use crate::oci::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

const FORMATS: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];
const COMPRESSED: [Compression; 2] = [Compression::Gzip, Compression::Zstd];

/// Bytes that compress somewhat: words out of a small generator.
fn sample(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut out = Vec::with_capacity(length + 16);
    while out.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let word = format!("{:x} ", state >> (12 + state % 11));
        out.extend_from_slice(word.as_bytes());
    }
    out.truncate(length);
    out
}

fn encoded(compression: Compression, jobs: usize, piece: usize, data: &[u8]) -> Vec<u8> {
    let level = default_level(compression);
    let mut encoder = Encoder::new(compression, level, jobs, Vec::new()).expect("an encoder");
    for piece in data.chunks(piece) {
        encoder.write_all(piece).expect("written");
        encoder.flush().expect("flushed");
    }
    encoder.finish().expect("finished")
}

/// Pulled through a decoder whose input comes in small pieces.
fn pulled(compression: Compression, data: &[u8]) -> io::Result<Vec<u8>> {
    struct Drip<'a>(&'a [u8]);
    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(1021);
            self.0.read(&mut buffer[..count])
        }
    }
    let mut out = Vec::new();
    decoder(compression, Drip(data))
        .expect("a decoder")
        .read_to_end(&mut out)?;
    Ok(out)
}

fn pushed(compression: Compression, data: &[u8]) -> Result<Vec<u8>> {
    let mut inflater = Inflater::new(compression, Vec::new())?;
    inflater.push(&[])?;
    for piece in data.chunks(1021) {
        inflater.push(piece)?;
    }
    inflater.finish()
}

/// Decompressed both ways, which must agree, even on the kind of error.
fn decoded(compression: Compression, data: &[u8]) -> Result<Vec<u8>> {
    match (pulled(compression, data), pushed(compression, data)) {
        (Ok(pulled), Ok(pushed)) => {
            assert!(pulled == pushed, "pulled and pushed differ");
            Ok(pulled)
        }
        (Err(pulled), Err(pushed)) => {
            // What exactly is wrong depends on where the pieces are cut.
            let gist = |error: &Error| error.message().split(':').next().map(str::to_owned);
            assert_eq!(gist(&into_error(pulled)), gist(&pushed));
            Err(pushed)
        }
        (pulled, pushed) => panic!("pulled: {:?}, pushed: {:?}", pulled.err(), pushed.err()),
    }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).expect("written");
    encoder.finish().expect("finished")
}

#[test]
fn what_is_compressed_is_decompressed() {
    for compression in FORMATS {
        for length in [0, 1, 1000, 128 << 10, 1 << 20, (1 << 20) + 1, 5_000_000] {
            let data = sample(length);
            let bytes = encoded(compression, 2, 300_000, &data);
            assert!(decoded(compression, &bytes).expect("whole") == data);
            assert!(length == 0 || Compression::sniff(&bytes) == compression);
        }
    }
}

#[test]
fn the_bytes_do_not_depend_on_threads_or_writes() {
    for length in [0, 10, 1 << 20, 3 << 20, 7_654_321] {
        let data = sample(length);
        for compression in COMPRESSED {
            let one = encoded(compression, 1, usize::MAX, &data);
            for jobs in [1, 2, 8] {
                for piece in [4093, 1 << 20, 2_500_000] {
                    assert!(encoded(compression, jobs, piece, &data) == one);
                }
            }
        }
    }
}

#[test]
fn gzip_is_one_member_that_others_read() {
    for level in [0, 1, 6, 9, 99] {
        let data = sample(2_345_678);
        let mut encoder = ParallelGzip::new(Vec::new(), level, 3);
        encoder.write_all(&data).expect("written");
        let bytes = encoder.finish().expect("finished");
        let mut out = Vec::new();
        let mut single = GzDecoder::new(&bytes[..]);
        single.read_to_end(&mut out).expect("one member");
        assert!(out == data);
    }
}

#[test]
fn what_does_not_shrink_fits_too() {
    let mut state = 7u64;
    let mut noise = |from: u8| -> Vec<u8> {
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005);
            state = state.wrapping_add(1);
            from | (state >> 56) as u8
        })
        .take(2_500_000)
        .collect()
    };
    // The second has only bytes that static codes spend nine bits on.
    for noise in [noise(0), noise(0xc0)] {
        for level in 0..10 {
            let mut encoder = ParallelGzip::new(Vec::new(), level, 2);
            encoder.write_all(&noise).expect("written");
            let bytes = encoder.finish().expect("finished");
            assert!(decoded(Compression::Gzip, &bytes).expect("whole") == noise);
        }
    }
}

#[test]
fn members_and_frames_may_follow_each_other() {
    let (one, two) = (sample(200_000), sample(50));
    let whole = [&one[..], &two].concat();
    for compression in COMPRESSED {
        let members = [
            encoded(compression, 1, 999, &one),
            encoded(compression, 1, 999, &[]),
            encoded(compression, 1, 999, &two),
        ];
        assert!(decoded(compression, &members.concat()).expect("whole") == whole);
    }
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let frame = encoded(Compression::Zstd, 1, 999, &two);
    let frames = [&skippable[..], &frame, &skippable].concat();
    assert_eq!(decoded(Compression::Zstd, &frames).expect("whole"), two);
}

#[test]
fn after_gzip_zeros_may_follow_but_nothing_else() {
    let data = sample(3000);
    let member = gzip(&data);
    let padded = [&member[..], &[0; 5000]].concat();
    assert_eq!(decoded(Compression::Gzip, &padded).expect("whole"), data);
    for garbage in [&b"x"[..], &[0, 0, 1], &[0x1f, 0x8c, 8], &[0x1f, 0x8b, 9, 0]] {
        let spoiled = [&member[..], garbage].concat();
        let error = decoded(Compression::Gzip, &spoiled).expect_err("garbage");
        assert_eq!(error.kind(), ErrorKind::InvalidArchive);
    }
    let frame = encoded(Compression::Zstd, 1, 999, &data);
    assert!(decoded(Compression::Zstd, &[&frame[..], b"garbage"].concat()).is_err());
}

#[test]
fn every_cut_is_an_error() {
    for compression in COMPRESSED {
        let bytes = encoded(compression, 1, 999, &sample(900));
        for length in 0..bytes.len() {
            let error = decoded(compression, &bytes[..length]).expect_err("cut");
            assert_eq!(error.kind(), ErrorKind::InvalidArchive);
            assert!(error.message().starts_with("truncated"), "{error}");
            let error = pulled(compression, &bytes[..length]).expect_err("cut");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}

#[test]
fn every_flipped_byte_is_an_error_or_does_no_harm() {
    let data = sample(900);
    for compression in COMPRESSED {
        let bytes = encoded(compression, 1, 999, &data);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x55;
            match decoded(compression, &flipped) {
                // Times and flags of the header are covered by no checksum.
                Ok(out) => assert!(at < 10 && out == data),
                Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArchive),
            }
        }
    }
}

#[test]
fn windows_past_the_limit_are_refused() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
    let beyond = limits::MAX_ZSTD_WINDOW_LOG + 1;
    encoder.window_log(beyond).expect("known");
    encoder.write_all(b"a").expect("written");
    let bytes = encoder.finish().expect("finished");
    assert!(decoded(Compression::Zstd, &bytes).is_err());
}

#[test]
fn bombs_are_refused() {
    let mut bomb = Vec::new();
    // 1.125 GiB of zeros: the same 64 MiB frame time and again.
    let frame = zstd::encode_all(&vec![0; 64 << 20][..], 1).expect("encoded");
    for _ in 0..18 {
        bomb.extend_from_slice(&frame);
    }
    let mut limited = LimitedExpansion::new(Compression::Zstd, &bomb[..]).expect("a decoder");
    let error = into_error(io::copy(&mut limited, &mut io::sink()).expect_err("a bomb"));
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(limited.produced() > limits::FREE_EXPANSION);
    assert!(limited.consumed() <= bomb.len() as u64);

    let mut inflater = Inflater::new(Compression::Zstd, io::sink()).expect("an inflater");
    inflater.push(&bomb).expect("not limited");
    let inflater = Inflater::new(Compression::Zstd, io::sink()).expect("an inflater");
    let error = inflater.limited().push(&bomb).expect_err("a bomb");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}

#[test]
fn a_readers_and_a_writers_error_come_back() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other(Error::cancelled()))
        }
    }
    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let data = sample(4 << 20);
    for compression in FORMATS {
        let mut reader = decoder(compression, Failing).expect("a decoder");
        let error = into_error(reader.read(&mut [0; 9]).expect_err("fails"));
        assert_eq!(error.kind(), ErrorKind::Cancelled);

        let mut encoder = Encoder::new(compression, 1, 2, Failing).expect("an encoder");
        let written = encoder.write_all(&data).and_then(|()| encoder.finish());
        let error = into_error(written.err().expect("fails"));
        assert_eq!(error.kind(), ErrorKind::NoSpace);
    }
}

#[test]
fn an_encoder_that_is_dropped_leaves_nothing_behind() {
    let mut encoder = ParallelGzip::new(Vec::new(), 6, 4);
    encoder.write_all(&sample(6 << 20)).expect("written");
    drop(encoder); // and does not hang
}
