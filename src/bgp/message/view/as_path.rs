//! An AS_PATH where it lies.

use crate::bgp::attribute::as_path::SegmentKind;
use crate::bgp::error::{DecodeError, DecodeErrorKind};
use crate::bgp::wire::Reader;

/// The segments of an AS_PATH, all of them of the right form.
#[derive(Debug, Clone, Copy)]
pub struct Segments<'a> {
    four_octet: bool,
    bytes: &'a [u8],
}

impl<'a> Segments<'a> {
    #[inline]
    pub(super) fn new(four_octet: bool, value: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let malformed = value.error(DecodeErrorKind::Value("AS_PATH segment"), 2);
        let bytes = value.rest();
        let segments = Self { four_octet, bytes };
        let mut rest = segments;
        while !rest.bytes.is_empty() {
            rest.next().ok_or(malformed)?;
        }
        Ok(segments)
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = SegmentView<'a>;

    #[inline]
    fn next(&mut self) -> Option<SegmentView<'a>> {
        let [kind, count, rest @ ..] = self.bytes else {
            return None;
        };
        let kind = SegmentKind::from_code(*kind)?;
        let width = if self.four_octet { 4 } else { 2 };
        let (octets, rest) = rest.split_at_checked(width * usize::from(*count))?;
        if *count == 0 {
            return None;
        }
        self.bytes = rest;
        Some(SegmentView {
            kind,
            four_octet: self.four_octet,
            octets,
        })
    }
}

/// A segment of an AS_PATH.
#[derive(Debug, Clone, Copy)]
pub struct SegmentView<'a> {
    /// Its type.
    pub kind: SegmentKind,
    four_octet: bool,
    octets: &'a [u8],
}

impl<'a> SegmentView<'a> {
    /// Its AS numbers.
    #[inline]
    pub fn asns(&self) -> impl Iterator<Item = u32> + 'a {
        let (wide, _) = self.octets.as_chunks::<4>();
        let (narrow, _) = self.octets.as_chunks::<2>();
        let (wide, narrow) = if self.four_octet {
            (wide, &narrow[..0])
        } else {
            (&wide[..0], narrow)
        };
        let narrow = narrow.iter().map(|asn| u32::from(u16::from_be_bytes(*asn)));
        wide.iter()
            .map(|asn| u32::from_be_bytes(*asn))
            .chain(narrow)
    }
}
