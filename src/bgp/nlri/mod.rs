//! Network Layer Reachability Information: a file per family, and the table that knows them all.
//!
//! To add a family: write its file in the shape of [`inet`], and give it one line in the table below.

pub mod inet;
pub mod unknown;

use std::fmt;

use super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::family::Family;
use super::iana::{Afi, Safi};
use super::text::{TextError, Words};
use super::wire::{Reader, Writer};

/// A path identifier (RFC 7911 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(pub u32);

/// What every family's file provides. The path identifier is not the family's business: [`Nlri`] carries it.
pub trait NlriFamily: Sized + Clone + PartialEq + Eq + std::hash::Hash + fmt::Debug {
    /// Decodes one NLRI and leaves `reader` after it.
    ///
    /// # Errors
    /// Where the octets are not of this family's form.
    fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Appends the wire form.
    ///
    /// # Errors
    /// Where a value does not fit its field.
    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError>;

    /// Appends the wire form for a withdraw, where it differs (RFC 8277 section 2.4: the label).
    ///
    /// # Errors
    /// As for [`NlriFamily::encode`].
    fn encode_withdraw(&self, out: &mut Writer) -> Result<(), EncodeError> {
        self.encode(out)
    }

    /// Reads ExaBGP's words for it, up to the first word that is not part of the NLRI.
    ///
    /// # Errors
    /// Where the words are not of this family's form.
    fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError>;

    /// Appends ExaBGP's text for it, as in `show adj-rib out` and the text encoder.
    fn text(&self, out: &mut String);

    /// Appends the members of ExaBGP's JSON object for it, without the braces.
    fn json(&self, out: &mut String);

    /// Appends what makes two routes the same to the Adj-RIBs, where it is less than the whole
    /// wire form (labels are left out: RFC 8277 section 2.5).
    ///
    /// # Errors
    /// As for [`NlriFamily::encode`].
    fn index(&self, out: &mut Writer) -> Result<(), EncodeError> {
        self.encode(out)
    }
}

/// Declares the table of families: `Variant(Type): (AFI, SAFI), …;`. Large types are boxed by their own file.
macro_rules! families {
    ($($(#[$meta:meta])* $variant:ident($type:ty): $(($afi:ident, $safi:ident)),+;)*) => {
        /// The NLRI of any family, without its path identifier.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum NlriValue {
            $($(#[$meta])* $variant($type),)*
            /// A family that no file here knows: its octets as they came.
            Unknown(unknown::Unknown),
        }

        /// Every family that has a file, in the order of the table.
        pub const KNOWN_FAMILIES: &[Family] = &[$($(Family::new(Afi::$afi, Safi::$safi),)+)*];

        impl NlriValue {
            fn decode(family: Family, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match (family.afi, family.safi) {
                    $($((Afi::$afi, Safi::$safi))|+ => <$type>::decode(family, reader).map(Self::$variant),)*
                    _ => unknown::Unknown::decode(family, reader).map(Self::Unknown),
                }
            }

            fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
                match (family.afi, family.safi) {
                    $($((Afi::$afi, Safi::$safi))|+ => <$type>::parse(family, words).map(Self::$variant),)*
                    _ => unknown::Unknown::parse(family, words).map(Self::Unknown),
                }
            }

            /// Appends the wire form.
            ///
            /// # Errors
            /// Where a value does not fit its field.
            pub fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
                match self {
                    $(Self::$variant(value) => value.encode(out),)*
                    Self::Unknown(value) => value.encode(out),
                }
            }

            /// Appends the wire form for a withdraw.
            ///
            /// # Errors
            /// Where a value does not fit its field.
            pub fn encode_withdraw(&self, out: &mut Writer) -> Result<(), EncodeError> {
                match self {
                    $(Self::$variant(value) => value.encode_withdraw(out),)*
                    Self::Unknown(value) => value.encode_withdraw(out),
                }
            }

            fn index(&self, out: &mut Writer) -> Result<(), EncodeError> {
                match self {
                    $(Self::$variant(value) => value.index(out),)*
                    Self::Unknown(value) => value.index(out),
                }
            }

            fn text(&self, out: &mut String) {
                match self {
                    $(Self::$variant(value) => value.text(out),)*
                    Self::Unknown(value) => value.text(out),
                }
            }

            fn json(&self, out: &mut String) {
                match self {
                    $(Self::$variant(value) => value.json(out),)*
                    Self::Unknown(value) => value.json(out),
                }
            }
        }
    };
}

families! {
    /// IPv4 and IPv6 prefixes.
    Inet(inet::Inet): (IPV4, UNICAST), (IPV6, UNICAST), (IPV4, MULTICAST), (IPV6, MULTICAST);
}

/// One route's identity: family, path identifier (where add-path is in force), and the family's own value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Nlri {
    /// The family.
    pub family: Family,
    /// The path identifier, if the route has one.
    pub path_id: Option<PathId>,
    /// The family's value.
    pub value: NlriValue,
}

impl Nlri {
    /// Decodes one NLRI; `add_path` says whether a path identifier stands before it (RFC 7911 section 3).
    ///
    /// # Errors
    /// Where the octets are not of the family's form.
    pub fn decode(
        family: Family,
        add_path: bool,
        reader: &mut Reader<'_>,
    ) -> Result<Self, DecodeError> {
        let path_id = if add_path {
            Some(PathId(reader.u32()?))
        } else {
            None
        };
        Ok(Self {
            family,
            path_id,
            value: NlriValue::decode(family, reader)?,
        })
    }

    /// Decodes NLRI until nothing is left.
    ///
    /// # Errors
    /// As for [`Nlri::decode`].
    pub fn decode_all(
        family: Family,
        add_path: bool,
        mut reader: Reader<'_>,
    ) -> Result<Vec<Self>, DecodeError> {
        let mut all = Vec::new();
        while !reader.is_empty() {
            let before = reader.remaining();
            all.push(Self::decode(family, add_path, &mut reader)?);
            if reader.remaining() == before {
                // A family that takes nothing would never end.
                return Err(reader.error(DecodeErrorKind::Length, 1));
            }
        }
        Ok(all)
    }

    /// Appends the wire form; with `add_path` a route without a path identifier is sent with 0.
    ///
    /// # Errors
    /// Where a value does not fit its field.
    pub fn encode(&self, add_path: bool, out: &mut Writer) -> Result<(), EncodeError> {
        self.encode_path_id(add_path, out);
        self.value.encode(out)
    }

    /// Appends the wire form for a withdraw.
    ///
    /// # Errors
    /// Where a value does not fit its field.
    pub fn encode_withdraw(&self, add_path: bool, out: &mut Writer) -> Result<(), EncodeError> {
        self.encode_path_id(add_path, out);
        self.value.encode_withdraw(out)
    }

    fn encode_path_id(&self, add_path: bool, out: &mut Writer) {
        if add_path {
            let id = self.path_id.map_or(0, |id| id.0);
            out.extend_from_slice(&id.to_be_bytes());
        }
    }

    /// Reads ExaBGP's words for an NLRI of `family`.
    ///
    /// # Errors
    /// Where the words are not of the family's form.
    pub fn parse(family: Family, words: &mut Words<'_>) -> Result<Self, TextError> {
        Ok(Self {
            family,
            path_id: None,
            value: NlriValue::parse(family, words)?,
        })
    }

    /// What makes two routes the same to the Adj-RIBs: family, path identifier, and the value without labels.
    ///
    /// # Errors
    /// Where a value does not fit its field.
    pub fn index(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::with_capacity(24);
        out.extend_from_slice(&self.family.afi.0.to_be_bytes());
        out.push(self.family.safi.0);
        if let Some(id) = self.path_id {
            out.push(1);
            out.extend_from_slice(&id.0.to_be_bytes());
        } else {
            out.push(0);
        }
        self.value.index(&mut out)?;
        Ok(out)
    }

    /// ExaBGP's text for it (`10.0.0.0/8 path-information 0.0.0.1`).
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.value.text(&mut out);
        if let Some(PathId(id)) = self.path_id {
            let id = std::net::Ipv4Addr::from(id);
            out.push_str(&format!(" path-information {id}"));
        }
        out
    }

    /// ExaBGP's JSON object for it.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = String::from("{ ");
        self.value.json(&mut out);
        if let Some(PathId(id)) = self.path_id {
            let id = std::net::Ipv4Addr::from(id);
            out.push_str(&format!(", \"path-information\": \"{id}\""));
        }
        out.push_str(" }");
        out
    }
}
