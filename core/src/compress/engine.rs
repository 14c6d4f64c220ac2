//! Decompression as a machine that is fed by whoever holds the bytes: a reader or a writer.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, InBuffer, Operation as _, OutBuffer};

use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::oci::Compression;

/// Decompresses a sequence of gzip members or zstd frames, or passes bytes on.
pub(super) struct Engine {
    state: State,
    /// Bytes taken and bytes given so far.
    consumed: u64,
    produced: u64,
    limited: bool,
}

enum State {
    Plain,
    Gzip(Gzip),
    Zstd {
        decoder: zstd::stream::raw::Decoder<'static>,
        /// The last frame is whole.
        complete: bool,
    },
}

enum Gzip {
    /// Nothing was read yet.
    Start,
    Member(Box<Decompress>),
    /// After a member: another one may follow, or zeros, as on tapes.
    Between,
    /// Zeros up to the end.
    Padding,
}

/// How many bytes one step took and gave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
}

impl Engine {
    pub(super) fn new(compression: Compression) -> Result<Self> {
        let state = match compression {
            Compression::None => State::Plain,
            Compression::Gzip => State::Gzip(Gzip::Start),
            Compression::Zstd => State::Zstd {
                decoder: zstd_decoder().map_err(super::into_error)?,
                complete: false,
            },
        };
        Ok(Self {
            state,
            consumed: 0,
            produced: 0,
            limited: false,
        })
    }

    /// From now on, expansion beyond what the limits allow is an error.
    pub(super) fn limit(&mut self) {
        self.limited = true;
    }

    /// How many compressed bytes were taken.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// How many bytes were given.
    pub(super) fn produced(&self) -> u64 {
        self.produced
    }

    /// Takes some of `input` and gives some `output`, which must not be empty. As long as output is
    /// filled to the brim, more may come without input; input that is there makes progress.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step> {
        let step = match &mut self.state {
            State::Plain => copy(input, output),
            State::Gzip(gzip) => gzip.step(input, output)?,
            State::Zstd { decoder, complete } => {
                if input.is_empty() && *complete {
                    return Ok(Step {
                        read: 0,
                        written: 0,
                    });
                }
                let mut from = InBuffer::around(input);
                let mut to = OutBuffer::around(output);
                let hint = decoder
                    .run(&mut from, &mut to)
                    .map_err(|error| corrupt("zstd", error))?;
                *complete = hint == 0;
                Step {
                    read: from.pos(),
                    written: to.pos(),
                }
            }
        };
        if step.read == 0 && step.written == 0 && !input.is_empty() {
            return Err(corrupt(self.format(), "no progress"));
        }
        self.consumed = self.consumed.saturating_add(step.read as u64);
        self.produced = self.produced.saturating_add(step.written as u64);
        self.check_expansion()?;
        Ok(step)
    }

    /// Whether the input may end here.
    pub(super) fn complete(&self) -> bool {
        match &self.state {
            State::Plain => true,
            State::Gzip(gzip) => matches!(gzip, Gzip::Between | Gzip::Padding),
            State::Zstd { complete, .. } => *complete,
        }
    }

    /// The error of an input that ends while it is not complete.
    pub(super) fn truncated(&self) -> Error {
        let message = format!("truncated {}: it ends too early", self.format());
        Error::new(ErrorKind::InvalidArchive, message)
    }

    fn format(&self) -> &'static str {
        match &self.state {
            State::Plain => "data",
            State::Gzip(_) => "gzip",
            State::Zstd { .. } => "zstd",
        }
    }

    fn check_expansion(&self) -> Result<()> {
        let allowed = self.consumed.saturating_mul(limits::MAX_EXPANSION);
        if !self.limited || self.produced <= allowed.max(limits::FREE_EXPANSION) {
            return Ok(());
        }
        let message = format!(
            "{} of {} bytes expands more than {} times",
            self.format(),
            self.consumed,
            limits::MAX_EXPANSION
        );
        Err(Error::new(ErrorKind::LimitExceeded, message)
            .hint("it may be a bomb; if you trust it, decompress it first"))
    }
}

impl Gzip {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step> {
        loop {
            match self {
                Self::Member(inflate) => {
                    let (read, written) = (inflate.total_in(), inflate.total_out());
                    let status = inflate
                        .decompress(input, output, FlushDecompress::None)
                        .map_err(|error| corrupt("gzip", error))?;
                    let step = Step {
                        read: usize::try_from(inflate.total_in() - read).unwrap_or(usize::MAX),
                        written: usize::try_from(inflate.total_out() - written)
                            .unwrap_or(usize::MAX),
                    };
                    if status == Status::StreamEnd {
                        *self = Self::Between;
                        if step.read == 0 && step.written == 0 && !input.is_empty() {
                            continue;
                        }
                    }
                    return Ok(step);
                }
                Self::Padding => {
                    if input.iter().any(|byte| *byte != 0) {
                        return Err(corrupt("gzip", "garbage after the last member"));
                    }
                    return Ok(Step {
                        read: input.len(),
                        written: 0,
                    });
                }
                Self::Start | Self::Between => match (&self, input.first()) {
                    (_, None) => {
                        return Ok(Step {
                            read: 0,
                            written: 0,
                        });
                    }
                    (Self::Between, Some(0)) => *self = Self::Padding,
                    (Self::Between, Some(&byte)) if byte != 0x1f => {
                        return Err(corrupt("gzip", "garbage after the last member"));
                    }
                    // 15: the largest window that deflate has.
                    _ => *self = Self::Member(Box::new(Decompress::new_gzip(15))),
                },
            }
        }
    }
}

fn zstd_decoder() -> std::io::Result<zstd::stream::raw::Decoder<'static>> {
    let mut decoder = zstd::stream::raw::Decoder::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(limits::MAX_ZSTD_WINDOW_LOG))?;
    Ok(decoder)
}

fn copy(input: &[u8], output: &mut [u8]) -> Step {
    let count = input.len().min(output.len());
    if let (Some(from), Some(to)) = (input.get(..count), output.get_mut(..count)) {
        to.copy_from_slice(from);
    }
    Step {
        read: count,
        written: count,
    }
}

fn corrupt(format: &str, why: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidArchive,
        format!("corrupt {format}: {why}"),
    )
}
