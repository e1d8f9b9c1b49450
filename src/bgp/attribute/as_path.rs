//! AS_PATH (RFC 4271 section 4.3 and 5.1.2; confederations: RFC 5065; four octets: RFC 6793).
//!
//! ```text
//!  +-----------------------------+
//!  |   Segment Type (1 octet)    |
//!  +-----------------------------+
//!  |   Segment Length (1 octet)  |  in AS numbers
//!  +-----------------------------+
//!  |   AS numbers (2 or 4 octets each)
//!  +-----------------------------+
//!   repeated
//! ```

use smallvec::{SmallVec, smallvec};

use super::as4_path::As4Path;
use super::{Attribute, Flags, PathAttribute, WireContext};
use crate::bgp::asn;
use crate::bgp::dissect::{self, Dissector};
use crate::bgp::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::bgp::json::join;
use crate::bgp::message::error::UpdateErrorKind;
use crate::bgp::message::open::AS_TRANS;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::{Reader, Writer, extend_chunks};

/// The type of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SegmentKind {
    /// Unordered.
    Set = 1,
    /// Ordered, the last AS first.
    Sequence = 2,
    /// Ordered, inside the confederation.
    ConfedSequence = 3,
    /// Unordered, inside the confederation.
    ConfedSet = 4,
}

impl SegmentKind {
    pub(in crate::bgp) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Set,
            2 => Self::Sequence,
            3 => Self::ConfedSequence,
            4 => Self::ConfedSet,
            _ => return None,
        })
    }

    /// Whether the segment belongs to a confederation.
    #[must_use]
    pub const fn is_confederation(self) -> bool {
        matches!(self, Self::ConfedSequence | Self::ConfedSet)
    }

    /// What ExaBGP's text has around the segment. What it reads is the other way round: `[ ]` is a sequence there.
    const fn brackets(self) -> (&'static str, &'static str) {
        match self {
            Self::Set => ("[", "]"),
            Self::Sequence => ("(", ")"),
            Self::ConfedSequence => ("{(", ")}"),
            Self::ConfedSet => ("{[", "]}"),
        }
    }
}

/// A segment of the path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Segment {
    /// Its type.
    pub kind: SegmentKind,
    /// Its AS numbers.
    pub asns: Box<[u32]>,
}

/// The ASes that the route passed, the last one first.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AsPath {
    /// The segments in order: one is what there is, nearly always, and it stays in the attribute itself.
    pub segments: SmallVec<[Segment; 1]>,
}

/// The most AS numbers of one segment; a longer one is cut in several.
const SEGMENT_LIMIT: usize = 255;

impl AsPath {
    /// A path of one sequence.
    #[must_use]
    pub fn sequence(asns: impl Into<Box<[u32]>>) -> Self {
        Self {
            segments: smallvec![Segment {
                kind: SegmentKind::Sequence,
                asns: asns.into(),
            }],
        }
    }

    /// How many ASes the path counts as: a set is one, a confederation's segment none (RFC 4271 section 9.1.2.2, RFC 5065 section 5.3).
    #[must_use]
    pub fn length(&self) -> usize {
        self.segments
            .iter()
            .map(|segment| match segment.kind {
                SegmentKind::Sequence => segment.asns.len(),
                SegmentKind::Set => 1,
                SegmentKind::ConfedSequence | SegmentKind::ConfedSet => 0,
            })
            .sum()
    }

    #[inline]
    pub(super) fn decode_segments(
        four_octet: bool,
        mut reader: Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let mut segments = SmallVec::new();
        while !reader.is_empty() {
            let at = reader;
            let malformed = |needed| at.error(DecodeErrorKind::Value("AS_PATH segment"), needed);
            let [kind, count] = reader.array().map_err(|_| malformed(2))?;
            let kind = SegmentKind::from_code(kind).ok_or_else(|| malformed(1))?;
            // RFC 7606 section 7.2: neither empty nor longer than the attribute.
            let width = if four_octet { 4 } else { 2 };
            let length = width * usize::from(count);
            if count == 0 || length > reader.remaining() {
                return Err(malformed(length + 2));
            }
            let octets = reader.bytes(length)?;
            let asns = if four_octet {
                let (asns, _) = octets.as_chunks::<4>();
                asns.iter().map(|asn| u32::from_be_bytes(*asn)).collect()
            } else {
                let (asns, _) = octets.as_chunks::<2>();
                asns.iter()
                    .map(|asn| u32::from(u16::from_be_bytes(*asn)))
                    .collect()
            };
            segments.push(Segment { kind, asns });
        }
        Ok(Self { segments })
    }

    #[inline]
    pub(super) fn encode_segments(&self, four_octet: bool, out: &mut Writer) {
        for segment in &self.segments {
            for asns in segment.asns.chunks(SEGMENT_LIMIT) {
                out.extend_from_slice(&[segment.kind as u8, asns.len() as u8]);
                if four_octet {
                    extend_chunks(out, asns.iter().map(|asn| asn.to_be_bytes()));
                } else {
                    let narrow = |asn: &u32| u16::try_from(*asn).unwrap_or(AS_TRANS);
                    extend_chunks(out, asns.iter().map(|asn| narrow(asn).to_be_bytes()));
                }
            }
        }
    }

    /// Reads `[ 1 2 ]` (a sequence), `( 1 2 )` (a set), `[ { 1 2 } ]` and `( { 1 2 } )` (the same of a confederation), several one after another, or one AS number.
    ///
    /// # Errors
    /// Where the words are not of that form.
    pub fn words(words: &mut Words<'_>) -> Result<Self, TextError> {
        let mut segments = SmallVec::new();
        loop {
            let (close, plain, confederation) = match words.peek() {
                Some("[") => ("]", SegmentKind::Sequence, SegmentKind::ConfedSequence),
                Some("(") => (")", SegmentKind::Set, SegmentKind::ConfedSet),
                _ if segments.is_empty() => return Ok(Self::sequence([number(words)?])),
                _ => return Ok(Self { segments }),
            };
            words.take();
            let kind = if words.peek().is_some_and(|word| word.starts_with('{')) {
                confederation
            } else {
                plain
            };
            let mut asns = Vec::new();
            while !words.accept(close) {
                if words.accept(",") || words.accept("{") || words.accept("}") {
                    continue;
                }
                asns.push(number(words)?);
            }
            let asns = asns.into();
            segments.push(Segment { kind, asns });
        }
    }

    pub(super) fn write_text(&self, out: &mut String) {
        let segments = self.segments.iter().map(|segment| {
            let (open, close) = segment.kind.brackets();
            let mut one = format!("{open} ");
            join(&segment.asns, " ", &mut one);
            one.push(' ');
            one.push_str(close);
            one
        });
        join(segments, " ", out);
    }
}

fn number(words: &mut Words<'_>) -> Result<u32, TextError> {
    let word = words.word("an AS number")?;
    asn::parse(word.text.trim_matches(['{', '}'])).ok_or_else(|| {
        TextError::new(
            word.span.clone(),
            format!("`{}` is not an AS number", word.text),
        )
        .help("write a number from 0 to 4294967295, or two numbers up to 65535 as in 1.1")
    })
}

impl PathAttribute for AsPath {
    const CODE: u8 = 0x02;
    const FLAGS: Flags = Flags::WELL_KNOWN;
    const NAME: &'static str = "as-path";
    const VALUE_ERROR: UpdateErrorKind = UpdateErrorKind::MalformedAsPath;

    #[inline]
    fn decode(context: &WireContext, reader: Reader<'_>) -> Result<Self, DecodeError> {
        Self::decode_segments(context.four_octet_as, reader)
    }

    fn encode(&self, context: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        self.encode_segments(context.four_octet_as, out);
        Ok(())
    }

    /// RFC 6793 section 4.2.2: the segments outside the confederation, where an AS number needs four octets.
    fn companion(&self, _: &WireContext) -> Option<Attribute> {
        let wide = |asn: &u32| *asn > u32::from(u16::MAX);
        if !self
            .segments
            .iter()
            .flat_map(|segment| &*segment.asns)
            .any(wide)
        {
            return None;
        }
        let outside: SmallVec<_> = self
            .segments
            .iter()
            .filter(|segment| !segment.kind.is_confederation())
            .cloned()
            .collect();
        (!outside.is_empty()).then(|| As4Path(Self { segments: outside }).into())
    }

    fn dissect(context: &WireContext, fields: &mut Dissector<'_>) {
        dissect::segments(context.four_octet_as, fields);
    }

    fn parse(words: &mut Words<'_>) -> Result<Self, TextError> {
        Self::words(words)
    }

    fn text(&self, out: &mut String) {
        self.write_text(out);
    }

    fn json(&self, out: &mut String) {
        out.push('{');
        let items = self.segments.iter().enumerate().map(|(position, segment)| {
            // ExaBGP calls a confederation's segments sequences too.
            let element = match segment.kind {
                SegmentKind::Set => "as-set",
                _ => "as-sequence",
            };
            let mut item = format!("\"{position}\": {{\"element\": \"{element}\", \"value\": [");
            join(&segment.asns, ", ", &mut item);
            item.push_str("]}");
            item
        });
        join(items, ", ", out);
        out.push('}');
    }
}
