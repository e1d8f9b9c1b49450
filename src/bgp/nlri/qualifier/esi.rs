//! Ethernet segment identifier (RFC 7432 section 5): a type octet and nine of value.

use std::fmt;

use crate::bgp::hex;

/// Ten octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EthernetSegment(pub [u8; 10]);

impl fmt::Display for EthernetSegment {
    /// ExaBGP's form: `-` for zero, else hexadecimal octets with colons.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == [0; 10] {
            return f.write_str("-");
        }
        for (at, octet) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(":")?;
            }
            write!(f, "{}", hex::lower(&[*octet]))?;
        }
        Ok(())
    }
}
