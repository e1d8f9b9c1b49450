//! What can be wrong with a capture file.

use std::io;

use thiserror::Error;

use crate::bgp::hex;

/// Why a capture cannot be read further: the file, the place, what is wrong, what would be right.
#[derive(Debug, Error)]
#[error("{file}: octet {offset}: {kind}")]
pub struct CaptureError {
    /// The file as the user named it, `-` for standard input.
    pub file: String,
    /// Octets from the start of the file to what is wrong.
    pub offset: u64,
    /// The kind of error.
    pub kind: CaptureErrorKind,
}

/// What is wrong with a capture file.
#[derive(Debug, Error)]
pub enum CaptureErrorKind {
    /// The first octets are of no capture format.
    #[error(
        "not a capture: it begins with {}, where pcap begins with d4c3b2a1, a1b2c3d4, 4d3cb2a1 or a1b23c4d, and pcapng with 0a0d0d0a; nor is it an MRT file of BGP",
        hexadecimal(.0)
    )]
    NotACapture(Vec<u8>),
    /// The file is compressed.
    #[error(
        "compressed with {program}: decompress it first, for example `{program} -dc FILE | lockstep … -`"
    )]
    Compressed {
        /// The program that decompresses it.
        program: &'static str,
    },
    /// A compressed file that ends too early.
    #[error("the compressed file ends too early; all before is readable")]
    CompressedTruncated,
    /// The file ends inside something.
    #[error(
        "the file ends inside a {what}: {needed} octets needed, {available} available; all before it is readable"
    )]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Octets needed.
        needed: u64,
        /// Octets left in the file.
        available: u64,
    },
    /// A record claims more octets than any packet has.
    #[error(
        "a packet record claims {length} octets, at most {limit} are possible with this snap length: the file is corrupt from here on"
    )]
    RecordTooLong {
        /// What the record claims.
        length: u64,
        /// The most that is accepted.
        limit: u64,
    },
    /// A pcapng block whose structure is wrong.
    #[error("malformed {block}: {wrong}")]
    Block {
        /// The block's name in the pcapng specification.
        block: &'static str,
        /// What is wrong with it, and what would be right.
        wrong: String,
    },
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl CaptureErrorKind {
    /// Whether the file merely ends too early, as that of an interrupted capture does.
    #[must_use]
    pub const fn is_truncation(&self) -> bool {
        matches!(self, Self::Truncated { .. } | Self::CompressedTruncated)
    }
}

fn hexadecimal(octets: &[u8]) -> String {
    if octets.is_empty() {
        return "nothing (it is empty)".to_owned();
    }
    hex::text(octets)
}
