//! Proof that a written file shows what was sliced.

use super::{Limits, ReadError, open};
use crate::slice::{Control, Layer, StreamError, stream};

/// Why a written file is not what was sliced.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReadBackError {
    /// The file can't be read.
    #[error("the written file can't be read back")]
    Read(#[from] ReadError),
    /// A layer can't be decoded, or the caller asked to stop.
    #[error("the written file can't be decoded")]
    Decode(#[from] StreamError<Difference>),
}

/// A layer that is not the one that was sliced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// Another number of layers.
    #[error("{written} layers were written, {read} are in the file; write it again")]
    Count {
        /// Sliced.
        written: usize,
        /// In the file.
        read: u32,
    },
    /// Another picture.
    #[error("layer {index} in the file is not the one that was sliced; write it again")]
    Picture {
        /// Which layer.
        index: u32,
    },
}

/// Reads a print file and compares every layer with the digests of what was sliced.
///
/// # Errors
/// The first difference, or why the file can't be read.
pub fn check_read_back(
    bytes: &[u8],
    digests: &[u64],
    limits: &Limits,
    control: Control<'_>,
) -> Result<(), ReadBackError> {
    let file = open(bytes, limits)?;
    let read = file.layer_count();
    if usize::try_from(read) != Ok(digests.len()) {
        let count = Difference::Count { written: digests.len(), read };
        return Err(ReadBackError::Decode(StreamError::Deliver(count)));
    }
    let mut expected = digests.iter();
    let seen = |layer: &Layer| (layer.index, layer.digest());
    stream(file.as_ref(), control, seen, |(index, digest)| match expected.next() {
        Some(&sliced) if sliced == digest => Ok(()),
        Some(_) | None => Err(Difference::Picture { index }),
    })?;
    Ok(())
}
