//! Ethernet tag (RFC 7432 section 5).

/// A broadcast domain: a VLAN identifier or VNI in four octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EthernetTag(pub u32);
