//! Fields that several families share: route distinguishers, label stacks, Ethernet segments and tags.

pub(in crate::bgp) mod dissect;
mod esi;
mod ethernet_tag;
mod labels;
mod mac;
mod route_distinguisher;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

pub use esi::EthernetSegment;
pub use ethernet_tag::EthernetTag;
pub use labels::Labels;
pub use mac::MacAddress;
pub use route_distinguisher::RouteDistinguisher;

/// The address as `inet_ntop` writes it, and so ExaBGP: unlike Rust, it gives the last 32 bits of `::/96` in dotted form.
#[must_use]
pub fn address(address: IpAddr) -> impl fmt::Display {
    struct Text(IpAddr);
    impl fmt::Display for Text {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let IpAddr::V6(v6) = self.0 else {
                return self.0.fmt(f);
            };
            match v6.segments() {
                [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
                    let [a, b] = high.to_be_bytes();
                    let [c, d] = low.to_be_bytes();
                    write!(f, "::{a}.{b}.{c}.{d}")
                }
                _ => v6.fmt(f),
            }
        }
    }
    Text(address)
}

/// An IPv6 address as [`address`] writes it.
#[must_use]
pub fn address6(v6: Ipv6Addr) -> impl fmt::Display {
    address(IpAddr::V6(v6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_inet_ntop_does() {
        for text in [
            "::",
            "::1",
            "::1.2.3.4",
            "::ffff:1.2.3.4",
            "2001:db8::1",
            "10.0.0.1",
        ] {
            assert_eq!(address(text.parse().unwrap()).to_string(), text);
        }
    }
}
