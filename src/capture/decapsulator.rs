//! From a captured packet to the TCP segment in it, whatever it is wrapped in and in however many fragments it came.

use super::envelope::{Found, reassembled};
use super::fragments::{Fragment, Fragments};
use super::internet::Segment;
use super::layer::Layer;
use super::link;
use super::packet::Packet;
use super::tally::Skipped;

/// Packets in fragments of packets in fragments that are put together.
const MAX_NESTED: usize = 4;

/// Takes packets out of what they are wrapped in, and puts fragments together.
#[derive(Debug, Default)]
pub struct Decapsulator {
    fragments: Fragments,
    /// The payload of the last packet that was put together.
    whole: Vec<u8>,
}

impl Decapsulator {
    /// The TCP segment that `packet` carries; `None` where it is a fragment of one that is not whole yet.
    ///
    /// # Errors
    /// Why there is none.
    #[inline]
    pub fn segment<'a>(&'a mut self, packet: &Packet<'a>) -> Result<Option<Segment<'a>>, Skipped> {
        let cut = (packet.original as usize).saturating_sub(packet.octets.len());
        match link::open(packet.link, Layer::new(packet.octets, cut))? {
            Found::Segment(segment) => Ok(Some(segment)),
            Found::Fragment(fragment) => self.reassemble(packet.time, &fragment),
        }
    }

    #[cold]
    fn reassemble(
        &mut self,
        time: u64,
        fragment: &Fragment<'_>,
    ) -> Result<Option<Segment<'_>>, Skipped> {
        let Self { fragments, whole } = self;
        let mut of = fragment.of;
        let Some(payload) = fragments.take(time, fragment)? else {
            return Ok(None);
        };
        *whole = payload;
        // A tunnel's packet may be a fragment itself.
        for _ in 0..MAX_NESTED {
            let nested = match reassembled(&of, whole)? {
                Found::Segment(_) => break,
                Found::Fragment(nested) => nested,
            };
            let nested_of = nested.of;
            let Some(payload) = fragments.take(time, &nested)? else {
                return Ok(None);
            };
            of = nested_of;
            *whole = payload;
        }
        match reassembled(&of, whole)? {
            Found::Segment(segment) => Ok(Some(segment)),
            Found::Fragment(_) => Err(Skipped::Malformed),
        }
    }

    /// No more packets come. Gives how many fragments were put together, and how many were of packets never seen whole.
    pub fn finish(&mut self) -> (u64, u64) {
        self.fragments.finish();
        (self.fragments.complete, self.fragments.incomplete)
    }
}
