//! Path attributes: a file each, and the table that knows them all.
//!
//! To add one: write its file in the shape of [`origin`], and give it one line in the table below.

pub mod generic;
pub mod mp_reach;
pub mod mp_unreach;
pub mod origin;

use std::fmt;

use super::error::{DecodeError, EncodeError, ErrorAction};
use super::family::Families;
use super::text::{TextError, Words};
use super::wire::{Reader, Writer};
pub use generic::Generic;
pub use mp_reach::{MpReach, NextHop};
pub use mp_unreach::MpUnreach;

/// How one direction of a session writes its octets: what the two OPENs agreed on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WireContext {
    /// AS numbers have four octets (RFC 6793).
    pub four_octet_as: bool,
    /// Families whose NLRI carry a path identifier (RFC 7911).
    pub add_path: Families,
    /// Messages may have 65,535 octets instead of 4,096 (RFC 8654).
    pub extended_message: bool,
}

/// Attribute flags (RFC 4271 section 4.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flags(pub u8);

impl Flags {
    /// Optional.
    pub const OPTIONAL: Self = Self(0x80);
    /// Transitive.
    pub const TRANSITIVE: Self = Self(0x40);
    /// Partial.
    pub const PARTIAL: Self = Self(0x20);
    /// The length has two octets.
    pub const EXTENDED_LENGTH: Self = Self(0x10);
    /// Well known: transitive alone.
    pub const WELL_KNOWN: Self = Self(0x40);
    /// Optional and transitive.
    pub const OPTIONAL_TRANSITIVE: Self = Self(0xc0);

    /// Whether every flag of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags(0x{:02x})", self.0)
    }
}

/// What every attribute's file provides.
pub trait PathAttribute: Sized + Clone + PartialEq + Eq + std::hash::Hash + fmt::Debug {
    /// The type code (IANA "BGP Path Attributes").
    const CODE: u8;
    /// The flags it is sent with.
    const FLAGS: Flags;
    /// ExaBGP's keyword for it, also the key in its JSON (`local-preference`).
    const NAME: &'static str;
    /// What a malformed one asks of the session (RFC 7606 section 7).
    const ON_ERROR: ErrorAction = ErrorAction::TreatAsWithdraw;

    /// Decodes the value; `reader` holds it and nothing else.
    ///
    /// # Errors
    /// Where the octets are not of this attribute's form.
    fn decode(context: &WireContext, reader: Reader<'_>) -> Result<Self, DecodeError>;

    /// Appends the value, without flags, code and length.
    ///
    /// # Errors
    /// Where something does not fit its field.
    fn encode(&self, context: &WireContext, out: &mut Writer) -> Result<(), EncodeError>;

    /// Reads ExaBGP's words that follow the keyword.
    ///
    /// # Errors
    /// Where the words are not of this attribute's form.
    fn parse(words: &mut Words<'_>) -> Result<Self, TextError>;

    /// Appends ExaBGP's text for the value, as in `show adj-rib out extensive` and the text encoder.
    fn text(&self, out: &mut String);

    /// Appends ExaBGP's JSON for the value.
    fn json(&self, out: &mut String);
}

/// Declares the table of attributes: `Variant(Type);` in the order of their codes.
macro_rules! attributes {
    ($($variant:ident($type:ty);)*) => {
        /// The value of an attribute.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum AttributeValue {
            $(
                #[doc = concat!("See [`", stringify!($type), "`].")]
                $variant($type),
            )*
            /// See [`MpReach`].
            MpReach(MpReach),
            /// See [`MpUnreach`].
            MpUnreach(MpUnreach),
            /// See [`Generic`].
            Generic(Generic),
        }

        $(
            impl From<$type> for Attribute {
                fn from(value: $type) -> Self {
                    Self { flags: <$type>::FLAGS, value: AttributeValue::$variant(value) }
                }
            }
        )*

        impl AttributeValue {
            /// The type code.
            #[must_use]
            pub const fn code(&self) -> u8 {
                match self {
                    $(Self::$variant(_) => <$type>::CODE,)*
                    Self::MpReach(_) => 0x0e,
                    Self::MpUnreach(_) => 0x0f,
                    Self::Generic(generic) => generic.code,
                }
            }
        }
    };
}

attributes! {
    Origin(origin::Origin);
}

/// One path attribute: flags as sent or received, and the value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// The flags.
    pub flags: Flags,
    /// The value.
    pub value: AttributeValue,
}

/// The path attributes of an UPDATE in wire order, or those of a route in ascending order of code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Attributes(Vec<Attribute>);

impl Attributes {
    /// No attribute.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Puts `attribute` in its place by code, instead of one of the same code.
    pub fn insert(&mut self, attribute: Attribute) {
        let code = attribute.value.code();
        match self.0.binary_search_by_key(&code, |held| held.value.code()) {
            Ok(at) => self.0[at] = attribute,
            Err(at) => self.0.insert(at, attribute),
        }
    }

    /// Appends `attribute`, as it came from the wire.
    pub fn push(&mut self, attribute: Attribute) {
        self.0.push(attribute);
    }

    /// The attribute of type `code`, if there is one.
    #[must_use]
    pub fn by_code(&self, code: u8) -> Option<&Attribute> {
        self.0.iter().find(|held| held.value.code() == code)
    }

    /// The attributes in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Attribute> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
