//! A list of attributes: in wire order as received, ascending by code as built.

use super::{Attribute, AttributeValue, Flags, Listed, WireContext};
use crate::bgp::error::EncodeError;
use crate::bgp::wire::Writer;

/// The path attributes of an UPDATE in wire order, or those of a route in ascending order of code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Attributes(Vec<Attribute>);

impl Attributes {
    /// No attribute.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// No attribute, with room for as many as most UPDATEs have.
    pub(super) fn with_room() -> Self {
        Self(Vec::with_capacity(8))
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
    #[inline]
    pub fn push(&mut self, attribute: Attribute) {
        self.0.push(attribute);
    }

    /// Removes the attribute of type `code`.
    pub fn remove(&mut self, code: u8) -> Option<Attribute> {
        let at = self.0.iter().position(|held| held.value.code() == code)?;
        Some(self.0.remove(at))
    }

    /// Puts `value` where one of the same code stands, and leaves its flags.
    pub fn replace(&mut self, value: AttributeValue) {
        let code = value.code();
        if let Some(held) = self.0.iter_mut().find(|held| held.value.code() == code) {
            held.value = value;
        }
    }

    /// Keeps those for which `keep` says so.
    pub fn retain(&mut self, keep: impl FnMut(&mut Attribute) -> bool) {
        self.0.retain_mut(keep);
    }

    /// The attribute of type `code`, if there is one.
    #[must_use]
    pub fn by_code(&self, code: u8) -> Option<&Attribute> {
        self.0.iter().find(|held| held.value.code() == code)
    }

    /// The value of the attribute of type `T`, if there is one.
    #[must_use]
    pub fn find<T: Listed>(&self) -> Option<&T> {
        self.0.iter().find_map(|held| T::of(&held.value))
    }

    /// The attributes in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Attribute> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends all of them in order. To a peer without four-octet AS numbers, AS4_PATH and AS4_AGGREGATOR are
    /// added where they are needed, right after what they complete, as ExaBGP does (RFC 6793 section 4.2.2).
    ///
    /// # Errors
    /// Where something does not fit its field.
    pub fn encode(&self, context: &WireContext, out: &mut Writer) -> Result<(), EncodeError> {
        Self::encode_all(self.iter(), context, out)
    }

    /// Appends attributes that need not stand in one list, as [`Attributes::encode`] does.
    ///
    /// # Errors
    /// Where something does not fit its field.
    pub fn encode_all<'a>(
        attributes: impl Iterator<Item = &'a Attribute> + Clone,
        context: &WireContext,
        out: &mut Writer,
    ) -> Result<(), EncodeError> {
        for attribute in attributes.clone() {
            attribute.encode(context, out)?;
            if context.four_octet_as {
                continue;
            }
            let Some(companion) = attribute.value.companion(context) else {
                continue;
            };
            let code = companion.value.code();
            if attributes.clone().all(|held| held.value.code() != code) {
                companion.encode(context, out)?;
            }
        }
        Ok(())
    }
}

impl<'a> IntoIterator for &'a Attributes {
    type Item = &'a Attribute;
    type IntoIter = std::slice::Iter<'a, Attribute>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl FromIterator<Attribute> for Attributes {
    /// Each in its place by code.
    fn from_iter<I: IntoIterator<Item = Attribute>>(attributes: I) -> Self {
        let mut list = Self::new();
        attributes
            .into_iter()
            .for_each(|attribute| list.insert(attribute));
        list
    }
}

impl Flags {
    /// These flags with those of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
