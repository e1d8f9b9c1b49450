//! Capabilities (RFC 5492): a file each, and the table that knows them all.
//!
//! To add one: write its file in the shape of [`four_octet_as`], and give it one line in the table below.

pub mod add_path;
pub mod enhanced_route_refresh;
pub mod extended_message;
pub mod extended_next_hop;
pub mod four_octet_as;
pub mod graceful_restart;
pub mod hostname;
pub mod link_local_next_hop;
pub mod long_lived_graceful_restart;
pub mod multiprotocol;
pub mod multisession;
pub mod operational;
pub mod outbound_route_filtering;
pub mod paths_limit;
pub mod role;
pub mod route_refresh;
pub mod software_version;
pub mod unknown;

use super::error::{DecodeError, EncodeError};
use super::family::Family;
use super::message::error::OpenError;
use super::wire::{Prefix, Reader, Writer, length_prefixed};

pub use add_path::AddPath;
pub use enhanced_route_refresh::EnhancedRouteRefresh;
pub use extended_message::ExtendedMessage;
pub use extended_next_hop::ExtendedNextHop;
pub use four_octet_as::FourOctetAs;
pub use graceful_restart::GracefulRestart;
pub use hostname::Hostname;
pub use link_local_next_hop::LinkLocalNextHop;
pub use long_lived_graceful_restart::LongLivedGracefulRestart;
pub use multiprotocol::Multiprotocol;
pub use multisession::Multisession;
pub use operational::Operational;
pub use outbound_route_filtering::OutboundRouteFiltering;
pub use paths_limit::PathsLimit;
pub use role::Role;
pub use route_refresh::RouteRefresh;
pub use software_version::SoftwareVersion;
pub use unknown::Unknown;

/// What every capability's file provides.
pub trait CapabilityForm: Sized {
    /// The capability code of this value: several codes may share a form.
    fn code(&self) -> u8;

    /// Decodes the value; `reader` holds it and nothing else.
    ///
    /// # Errors
    /// Where the octets are not of this capability's form.
    fn decode(code: u8, reader: Reader<'_>) -> Result<Self, DecodeError>;

    /// Appends the value, without code and length.
    ///
    /// # Errors
    /// Where something does not fit its field.
    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError>;

    /// Appends ExaBGP's JSON for all the instances of one code in an OPEN.
    /// Capabilities that ExaBGP 5.0.15 does not know have its form for those.
    fn json(instances: &[&Self], out: &mut String) {
        if let Some(last) = instances.last() {
            unknown::json(last.code(), &value(*last), out);
        }
    }

    /// Appends ExaBGP's text for all the instances of one code in an OPEN.
    fn text(instances: &[&Self], out: &mut String) {
        if let Some(last) = instances.last() {
            unknown::text(last.code(), out);
        }
    }
}

fn value(capability: &impl CapabilityForm) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What does not fit cannot have come from the wire; nothing is shown for it.
    let _ = capability.encode(&mut bytes);
    bytes
}

/// The values inside `instances` that are of one variant.
macro_rules! of {
    ($instances:expr, $variant:ident) => {
        $instances
            .iter()
            .filter_map(|capability| match capability {
                Capability::$variant(value) => Some(value),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
}
/// Declares the table of capabilities: `Variant: codes;`. The type has the variant's name.
macro_rules! capabilities {
    ($($variant:ident: $($code:literal),+;)*) => {
        /// A capability.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum Capability {
            $(
                #[doc = concat!("See [`", stringify!($variant), "`].")]
                $variant($variant),
            )*
            /// See [`Unknown`].
            Unknown(Unknown),
        }

        $(
            impl From<$variant> for Capability {
                fn from(value: $variant) -> Self {
                    Self::$variant(value)
                }
            }
        )*

        /// Whether a file here knows the capability of this code.
        #[must_use]
        pub const fn is_known(code: u8) -> bool {
            matches!(code, $($($code)|+)|*)
        }

        impl Capability {
            /// The capability code.
            #[must_use]
            pub fn code(&self) -> u8 {
                match self {
                    $(Self::$variant(value) => value.code(),)*
                    Self::Unknown(value) => value.code(),
                }
            }

            fn decode_value(code: u8, reader: Reader<'_>) -> Result<Self, DecodeError> {
                match code {
                    $($($code)|+ => $variant::decode(code, reader).map(Self::$variant),)*
                    _ => Unknown::decode(code, reader).map(Self::Unknown),
                }
            }

            fn encode_value(&self, out: &mut Writer) -> Result<(), EncodeError> {
                match self {
                    $(Self::$variant(value) => value.encode(out),)*
                    Self::Unknown(value) => value.encode(out),
                }
            }

            /// Appends ExaBGP's JSON for `instances`, all of one code.
            fn json_of(instances: &[&Self], out: &mut String) {
                match instances.first() {
                    $(Some(Self::$variant(_)) => $variant::json(&of!(instances, $variant), out),)*
                    Some(Self::Unknown(_)) => Unknown::json(&of!(instances, Unknown), out),
                    None => {}
                }
            }

            /// Appends ExaBGP's text for `instances`, all of one code.
            fn text_of(instances: &[&Self], out: &mut String) {
                match instances.first() {
                    $(Some(Self::$variant(_)) => $variant::text(&of!(instances, $variant), out),)*
                    Some(Self::Unknown(_)) => Unknown::text(&of!(instances, Unknown), out),
                    None => {}
                }
            }
        }
    };
}

capabilities! {
    Multiprotocol: 0x01;
    RouteRefresh: 0x02, 0x80;
    OutboundRouteFiltering: 0x03;
    ExtendedNextHop: 0x05;
    ExtendedMessage: 0x06;
    Role: 0x09;
    GracefulRestart: 0x40;
    FourOctetAs: 0x41;
    Multisession: 0x44, 0x83;
    AddPath: 0x45;
    EnhancedRouteRefresh: 0x46;
    LongLivedGracefulRestart: 0x47;
    Hostname: 0x49;
    SoftwareVersion: 0x4b;
    PathsLimit: 0x4c;
    LinkLocalNextHop: 0x4d;
    Operational: 0xb9;
}

impl Capability {
    /// Decodes the capabilities of one optional parameter.
    ///
    /// # Errors
    /// Where a length is wrong or a capability is not of its form.
    pub fn decode_all(mut reader: Reader<'_>) -> Result<Vec<Self>, OpenError> {
        let mut capabilities = Vec::new();
        while !reader.is_empty() {
            let mut header = || {
                let code = reader.u8()?;
                let length = usize::from(reader.u8()?);
                Ok((code, reader.sub(length)?))
            };
            let (code, value) = header().map_err(OpenError::Parameters)?;
            let capability = Self::decode_value(code, value)
                .map_err(|error| OpenError::Capability { code, error })?;
            capabilities.push(capability);
        }
        Ok(capabilities)
    }

    /// Appends code, length and value.
    ///
    /// # Errors
    /// Where something does not fit its field.
    pub fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        out.push(self.code());
        length_prefixed(out, "capability length", Prefix::U8, |out| {
            self.encode_value(out)
        })
    }
}

/// ExaBGP's JSON for the capabilities of an OPEN: (code, object), once for each code, in order of first appearance.
#[must_use]
pub fn json<'a>(capabilities: impl Iterator<Item = &'a Capability>) -> Vec<(u8, String)> {
    each_code(capabilities, Capability::json_of)
}

/// ExaBGP's text for the capabilities of an OPEN, in the same way.
#[must_use]
pub fn text<'a>(capabilities: impl Iterator<Item = &'a Capability>) -> Vec<(u8, String)> {
    each_code(capabilities, Capability::text_of)
}

fn each_code<'a>(
    capabilities: impl Iterator<Item = &'a Capability>,
    write: impl Fn(&[&'a Capability], &mut String),
) -> Vec<(u8, String)> {
    let mut groups: Vec<(u8, Vec<&Capability>)> = Vec::new();
    for capability in capabilities {
        let code = capability.code();
        match groups.iter_mut().find(|(known, _)| *known == code) {
            Some((_, group)) => group.push(capability),
            None => groups.push((code, vec![capability])),
        }
    }
    groups
        .into_iter()
        .map(|(code, group)| {
            let mut out = String::new();
            write(&group, &mut out);
            (code, out)
        })
        .collect()
}

/// The families in order of first appearance, each with what was last said of it.
fn by_family<T>(entries: impl Iterator<Item = (Family, T)>) -> Vec<(Family, T)> {
    let mut known: Vec<(Family, T)> = Vec::new();
    for (family, said) in entries {
        match known.iter_mut().find(|(one, _)| *one == family) {
            Some((_, before)) => *before = said,
            None => known.push((family, said)),
        }
    }
    known
}

/// The name of a capability code as it is shown to people: ExaBGP's where it has one, else that of IANA "Capability Codes".
#[must_use]
pub fn title(code: u8) -> String {
    let title = match code {
        0x07 => "bgpsec",
        0x08 => "multiple-labels",
        0x09 => "role",
        0x47 => "long-lived-graceful-restart",
        0x48 => "routing-policy-distribution",
        0x4c => "paths-limit",
        0x4d => "link-local-next-hop",
        _ => return name(code),
    };
    title.to_owned()
}

/// ExaBGP's name for a capability code, as its JSON has it (`multiprotocol`, `unassigned-0x47`).
#[must_use]
pub fn name(code: u8) -> String {
    let name = match code {
        0x00 => "reserved",
        0x01 => "multiprotocol",
        0x02 => "route-refresh",
        0x03 => "outbound-route-filtering",
        0x04 => "multiple-routes",
        0x05 => "nexthop",
        0x06 => "extended-message",
        0x40 => "graceful-restart",
        0x41 => "asn4",
        0x43 => "dynamic-capability",
        0x44 => "multi-session",
        0x45 => "add-path",
        0x46 => "enhanced-route-refresh",
        0x49 => "hostname",
        0x4b => "software-version",
        0x80 => "cisco-route-refresh",
        0x83 => "cisco-multi-sesion",
        0xb9 => "operational",
        _ => return format!("{}-{code:#x}", unnamed(code)),
    };
    name.to_owned()
}

const fn unnamed(code: u8) -> &'static str {
    match code {
        70..=127 => "unassigned",
        128..=255 => "reserved",
        _ => "capability",
    }
}

#[cfg(test)]
mod tests;
