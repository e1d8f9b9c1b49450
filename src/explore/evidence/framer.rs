//! A direction of a connection, cut into BGP messages (RFC 4271 section 4.1: a marker, a length, a type).

/// Length of a message header in octets.
pub const HEADER: usize = 19;
/// Octets kept of a message that arrives in pieces: the header, and the fixed fields of NOTIFICATION and OPEN.
const KEPT: usize = HEADER + 10;
/// RFC 4271 section 4.2.
pub const OPEN: u8 = 1;

/// Splits a stream of octets into messages. It keeps the beginning of each, and the whole of an OPEN.
#[derive(Debug, Clone, Default)]
pub struct Framer {
    /// Octets received of the current message.
    passed: usize,
    /// Its first octets.
    kept: Vec<u8>,
}

impl Framer {
    /// Takes the octets of one read or write and passes on the beginning of each message that they complete: the whole
    /// of an OPEN, or of a message that arrived in one piece.
    ///
    /// A length below that of a header counts as that of a header: malformed messages are the peer's to judge.
    pub fn take(&mut self, mut octets: &[u8], mut message: impl FnMut(&[u8])) {
        while !octets.is_empty() {
            if self.passed == 0
                && let Some(length) = length(octets)
                && octets.len() >= length
            {
                let (whole, rest) = octets.split_at(length);
                message(whole);
                octets = rest;
                continue;
            }
            let missing = match length(&self.kept) {
                Some(length) => length - self.passed,
                None => HEADER - self.passed,
            };
            let (more, rest) = octets.split_at(missing.min(octets.len()));
            let room = match self.kept.get(18) {
                Some(&OPEN) => more.len(),
                _ => KEPT.saturating_sub(self.kept.len()).min(more.len()),
            };
            self.kept.extend_from_slice(&more[..room]);
            self.passed += more.len();
            octets = rest;
            if length(&self.kept) == Some(self.passed) {
                message(&self.kept);
                self.kept.clear();
                self.passed = 0;
            }
        }
    }

    /// Whether a message has begun and is not complete.
    #[must_use]
    pub const fn is_within_a_message(&self) -> bool {
        self.passed > 0
    }
}

/// The length of the message that begins with `octets`, once its header is there.
fn length(octets: &[u8]) -> Option<usize> {
    let header = octets.get(..HEADER)?;
    Some(usize::from(u16::from_be_bytes([header[16], header[17]])).max(HEADER))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u8, body: usize) -> Vec<u8> {
        let mut message = vec![0xff; 16];
        message.extend(u16::try_from(19 + body).unwrap().to_be_bytes());
        message.push(kind);
        message.extend((0..body).map(|at| at as u8));
        message
    }

    proptest! {
        #[test]
        fn messages_are_found_however_they_are_cut(
            messages in prop::collection::vec((1_u8..6, 0_usize..60), 1..6),
            cuts in prop::collection::vec(0_usize..400, 0..8),
        ) {
            let messages: Vec<Vec<u8>> = messages.into_iter().map(|(kind, body)| message(kind, body)).collect();
            let stream = messages.concat();
            let mut ends = vec![0];
            for message in &messages {
                ends.push(ends.last().unwrap() + message.len());
            }
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.push(stream.len());
            cuts.sort_unstable();
            let (mut framer, mut found, mut from) = (Framer::default(), Vec::new(), 0);
            for cut in cuts {
                framer.take(&stream[from..cut], |octets| found.push(octets.to_vec()));
                prop_assert_eq!(framer.is_within_a_message(), !ends.contains(&cut));
                from = cut;
            }
            prop_assert_eq!(found.len(), messages.len());
            for (found, message) in found.iter().zip(&messages) {
                let kept = if message[18] == OPEN { message.len() } else { message.len().min(KEPT) };
                prop_assert!(message.starts_with(found) && found.len() >= kept);
            }
        }
    }
}
