//! How a connection's octets fall into messages, as far as a probe wants to know: whether one was cut.

/// Counts through a stream of messages (RFC 4271 section 4.1: a marker, a length, a type).
#[derive(Debug, Clone, Default)]
pub struct Framer {
    /// Octets of the message that has begun.
    passed: usize,
    /// Its length, once that has passed.
    length: [u8; 2],
}

const HEADER: usize = 19;

impl Framer {
    /// Takes in what one call moved; says whether it ends within a message.
    pub fn cuts(&mut self, mut octets: &[u8]) -> bool {
        while let Some((first, rest)) = octets.split_first() {
            if let 16 | 17 = self.passed {
                self.length[self.passed - 16] = *first;
            }
            self.passed += 1;
            octets = rest;
            if self.passed < HEADER {
                continue;
            }
            let length = usize::from(u16::from_be_bytes(self.length)).max(HEADER);
            let more = (length - self.passed).min(octets.len());
            self.passed += more;
            octets = &octets[more..];
            if self.passed == length {
                self.passed = 0;
            }
        }
        self.passed > 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(body: usize) -> Vec<u8> {
        let mut message = vec![0xff; 16];
        message.extend(u16::try_from(19 + body).unwrap().to_be_bytes());
        message.push(2);
        message.resize(19 + body, 0);
        message
    }

    proptest! {
        #[test]
        fn a_cut_is_seen_wherever_it_is(bodies in prop::collection::vec(0_usize..60, 1..6), at in 0_usize..400) {
            let messages: Vec<Vec<u8>> = bodies.into_iter().map(message).collect();
            let stream = messages.concat();
            let at = at.min(stream.len());
            let mut ends = vec![0];
            for message in &messages {
                ends.push(ends.last().unwrap() + message.len());
            }
            let mut framer = Framer::default();
            prop_assert_eq!(framer.cuts(&stream[..at]), !ends.contains(&at));
            prop_assert!(!framer.cuts(&stream[at..]));
        }
    }
}
