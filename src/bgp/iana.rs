//! Code points: newtypes that keep unknown values and give them back unchanged.

/// Declares a registry: a newtype, a constant for each code with its RFC, its name in ExaBGP's words.
/// After the representation may stand the format of codes without a name, if it is not `unknown-7`.
macro_rules! registry {
    ($(#[$meta:meta])* $name:ident($repr:ty) { $($body:tt)* }) => {
        $crate::bgp::iana::registry! { $(#[$meta])* $name($repr, "unknown-{}") { $($body)* } }
    };
    ($(#[$meta:meta])* $name:ident($repr:ty, $unknown:literal) { $($(#[$item:meta])* $constant:ident = $code:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $repr);

        impl $name {
            $($(#[$item])* pub const $constant: Self = Self($code);)*

            /// Every code that has a name, in the order of the registry.
            pub const KNOWN: &'static [Self] = &[$(Self::$constant),*];

            /// The name, if the code has one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, $unknown, self.0),
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::bgp::iana::UnknownName;

            fn from_str(text: &str) -> Result<Self, $crate::bgp::iana::UnknownName> {
                match text {
                    $($text => Ok(Self::$constant),)*
                    _ => $crate::bgp::iana::unknown_code($unknown, text)
                        .and_then(|code| <$repr>::try_from(code).ok())
                        .map(Self)
                        .ok_or($crate::bgp::iana::UnknownName),
                }
            }
        }
    };
}

pub(crate) use registry;

/// The code in a text of `format`, which has one `{}` or `{:#x}` at its end.
pub(in crate::bgp) fn unknown_code(format: &str, text: &str) -> Option<u32> {
    let (prefix, _) = format.split_once('{')?;
    let code = text.strip_prefix(prefix)?;
    match code.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => code.parse().ok(),
    }
}

/// A name that the registry does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a name of this registry")]
pub struct UnknownName;

registry! {
    /// Address Family Numbers (IANA; RFC 4760).
    Afi(u16, "unknown-afi-{:#x}") {
        /// IP version 4.
        IPV4 = 1, "ipv4";
        /// IP version 6.
        IPV6 = 2, "ipv6";
        /// Layer 2 VPN information (RFC 4761, 7432).
        L2VPN = 25, "l2vpn";
        /// BGP-LS (RFC 9552).
        BGP_LS = 16388, "bgp-ls";
    }
}

registry! {
    /// Subsequent Address Family Identifiers (IANA; RFC 4760).
    Safi(u8, "unknown safi {}") {
        /// Unicast forwarding (RFC 4760).
        UNICAST = 1, "unicast";
        /// Multicast forwarding (RFC 4760).
        MULTICAST = 2, "multicast";
        /// MPLS labels (RFC 8277).
        NLRI_MPLS = 4, "nlri-mpls";
        /// Multicast VPN (RFC 6514).
        MCAST_VPN = 5, "mcast-vpn";
        /// VPLS (RFC 4761).
        VPLS = 65, "vpls";
        /// EVPN (RFC 7432).
        EVPN = 70, "evpn";
        /// BGP-LS (RFC 9552).
        BGP_LS = 71, "bgp-ls";
        /// BGP-LS-VPN (RFC 9552).
        BGP_LS_VPN = 72, "bgp-ls-vpn";
        /// SR policy (RFC 9830).
        SR_POLICY = 73, "sr-policy";
        /// Mobile user plane (draft-ietf-bess-mup-safi).
        MUP = 85, "mup";
        /// MPLS-labelled VPN address (RFC 4364, 4659).
        MPLS_VPN = 128, "mpls-vpn";
        /// Multicast for BGP/MPLS IP VPNs (RFC 6513).
        MCAST_MPLS_VPN = 129, "multicast-vpn";
        /// Route target constraint (RFC 4684).
        RTC = 132, "rtc";
        /// Flow specification (RFC 8955).
        FLOW = 133, "flow";
        /// Flow specification for VPNs (RFC 8955).
        FLOW_VPN = 134, "flow-vpn";
    }
}

registry! {
    /// BGP Message Types (IANA; RFC 4271).
    MessageType(u8) {
        /// RFC 4271.
        OPEN = 1, "open";
        /// RFC 4271.
        UPDATE = 2, "update";
        /// RFC 4271.
        NOTIFICATION = 3, "notification";
        /// RFC 4271.
        KEEPALIVE = 4, "keepalive";
        /// RFC 2918.
        ROUTE_REFRESH = 5, "refresh";
        /// draft-ietf-idr-operational-message, as ExaBGP has it.
        OPERATIONAL = 6, "operational";
    }
}

registry! {
    /// BGP Path Attributes (IANA).
    AttributeCode(u8) {
        /// RFC 4271.
        ORIGIN = 0x01, "ORIGIN";
        /// RFC 4271.
        AS_PATH = 0x02, "AS_PATH";
        /// RFC 4271.
        NEXT_HOP = 0x03, "NEXT_HOP";
        /// RFC 4271.
        MULTI_EXIT_DISC = 0x04, "MULTI_EXIT_DISC";
        /// RFC 4271.
        LOCAL_PREF = 0x05, "LOCAL_PREF";
        /// RFC 4271.
        ATOMIC_AGGREGATE = 0x06, "ATOMIC_AGGREGATE";
        /// RFC 4271.
        AGGREGATOR = 0x07, "AGGREGATOR";
        /// RFC 1997.
        COMMUNITIES = 0x08, "COMMUNITIES";
        /// RFC 4456.
        ORIGINATOR_ID = 0x09, "ORIGINATOR_ID";
        /// RFC 4456.
        CLUSTER_LIST = 0x0a, "CLUSTER_LIST";
        /// RFC 4760.
        MP_REACH_NLRI = 0x0e, "MP_REACH_NLRI";
        /// RFC 4760.
        MP_UNREACH_NLRI = 0x0f, "MP_UNREACH_NLRI";
        /// RFC 4360.
        EXTENDED_COMMUNITIES = 0x10, "EXTENDED COMMUNITIES";
        /// RFC 6793.
        AS4_PATH = 0x11, "AS4_PATH";
        /// RFC 6793.
        AS4_AGGREGATOR = 0x12, "AS4_AGGREGATOR";
        /// RFC 6514.
        PMSI_TUNNEL = 0x16, "PMSI_TUNNEL";
        /// RFC 9012.
        TUNNEL_ENCAPSULATION = 0x17, "TUNNEL_ENCAPSULATION";
        /// RFC 5543.
        TRAFFIC_ENGINEERING = 0x18, "TRAFFIC_ENGINEERING";
        /// RFC 5701.
        IPV6_EXTENDED_COMMUNITIES = 0x19, "IPV6 EXTENDED COMMUNITIES";
        /// RFC 7311.
        AIGP = 0x1a, "AIGP";
        /// RFC 9552.
        BGP_LS = 0x1d, "BGP-LS";
        /// RFC 8092.
        LARGE_COMMUNITY = 0x20, "LARGE_COMMUNITY";
        /// RFC 8205.
        BGPSEC_PATH = 0x21, "BGPSEC_PATH";
        /// RFC 9234.
        OTC = 0x23, "OTC";
        /// RFC 9015.
        D_PATH = 0x24, "D-PATH";
        /// RFC 9015.
        SFP = 0x25, "SFP";
        /// RFC 9026.
        BFD_DISCRIMINATOR = 0x26, "BFD_DISCRIMINATOR";
        /// RFC 8669.
        PREFIX_SID = 0x28, "PREFIX-SID";
        /// RFC 6368.
        ATTR_SET = 0x80, "ATTR_SET";
    }
}
