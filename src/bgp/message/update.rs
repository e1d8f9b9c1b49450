//! UPDATE (RFC 4271 section 4.3), with the error handling of RFC 7606 and the End-of-RIB of RFC 4724.
//!
//! ```text
//!  +------------------------------------------+
//!  |   Withdrawn Routes Length (2 octets)     |
//!  +------------------------------------------+
//!  |   Withdrawn Routes (variable)            |  IPv4 unicast
//!  +------------------------------------------+
//!  |   Total Path Attribute Length (2 octets) |
//!  +------------------------------------------+
//!  |   Path Attributes (variable)             |  MP_REACH_NLRI and MP_UNREACH_NLRI among them
//!  +------------------------------------------+
//!  |   NLRI (variable)                        |  IPv4 unicast
//!  +------------------------------------------+
//! ```

use super::error::{MessageError, UpdateError, UpdateErrorKind};
use crate::bgp::attribute::as_path::AsPath;
use crate::bgp::attribute::next_hop::NextHopAddress;
use crate::bgp::attribute::origin::Origin;
use crate::bgp::attribute::{
    AttributeValue, Attributes, Codes, Malformed, MpReach, MpUnreach, NextHop, PathAttribute,
    WireContext,
};
use crate::bgp::error::{DecodeError, EncodeError, ErrorAction};
use crate::bgp::family::Family;
use crate::bgp::nlri::Nlri;
use crate::bgp::wire::{Prefix, Reader, Writer, length_prefixed};

/// Routes announced and withdrawn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Update {
    /// The Withdrawn Routes field: IPv4 unicast.
    pub withdrawn_routes: Vec<Nlri>,
    /// The path attributes in wire order, MP_REACH_NLRI and MP_UNREACH_NLRI in their places.
    pub attributes: Attributes,
    /// The NLRI field: IPv4 unicast.
    pub nlri: Vec<Nlri>,
    /// Attributes of a received UPDATE that were malformed; they are not in `attributes`.
    pub malformed: Vec<Malformed>,
}

impl Update {
    /// The End-of-RIB marker of `family` (RFC 4724 section 2).
    #[must_use]
    pub fn of_end_of_rib(family: Family) -> Self {
        let mut update = Self::default();
        if family != Family::IPV4_UNICAST {
            let unreach = MpUnreach {
                family,
                nlri: Vec::new(),
            };
            update.attributes.push(unreach.into());
        }
        update
    }

    /// The family of which this is the End-of-RIB marker, if it is one.
    #[must_use]
    pub fn end_of_rib(&self) -> Option<Family> {
        if !self.withdrawn_routes.is_empty() || !self.nlri.is_empty() || !self.malformed.is_empty()
        {
            return None;
        }
        let mut attributes = self.attributes.iter();
        match (attributes.next(), attributes.next()) {
            (None, _) => Some(Family::IPV4_UNICAST),
            (Some(only), None) => match &only.value {
                AttributeValue::MpUnreach(unreach) if unreach.nlri.is_empty() => {
                    Some(unreach.family)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// MP_REACH_NLRI, if there is one.
    #[must_use]
    pub fn mp_reach(&self) -> Option<&MpReach> {
        self.attributes
            .iter()
            .find_map(|attribute| match &attribute.value {
                AttributeValue::MpReach(reach) => Some(&**reach),
                _ => None,
            })
    }

    /// MP_UNREACH_NLRI, if there is one.
    #[must_use]
    pub fn mp_unreach(&self) -> Option<&MpUnreach> {
        self.attributes
            .iter()
            .find_map(|attribute| match &attribute.value {
                AttributeValue::MpUnreach(unreach) => Some(&**unreach),
                _ => None,
            })
    }

    /// The strongest action that its malformed attributes ask for (RFC 7606 section 3 (h)).
    #[must_use]
    pub fn action(&self) -> Option<ErrorAction> {
        self.malformed.iter().map(|one| one.action).max()
    }

    /// What a session answers to an attribute that it does not survive.
    pub(super) fn reset(&self) -> Result<(), UpdateError> {
        let fatal = |one: &&Malformed| one.action == ErrorAction::SessionReset;
        match self.malformed.iter().find(fatal) {
            None => Ok(()),
            Some(malformed) => Err(UpdateError {
                kind: malformed.kind,
                data: malformed.bytes.clone(),
                cause: malformed.cause,
            }),
        }
    }

    /// Whether its routes count as withdrawn (RFC 7606 section 2).
    #[must_use]
    pub fn is_treated_as_withdraw(&self) -> bool {
        self.action() == Some(ErrorAction::TreatAsWithdraw)
    }

    /// Every route that it announces and its next hop: NLRI field first, then MP_REACH_NLRI; none where it is treated as a withdraw.
    pub fn announced(&self) -> impl Iterator<Item = (&Nlri, NextHop)> {
        let effective = !self.is_treated_as_withdraw();
        let classic = self
            .attributes
            .find::<NextHopAddress>()
            .map_or(NextHop::None, |next_hop| NextHop::from(next_hop.0));
        let reach = self.mp_reach();
        let multiprotocol = reach.map_or(NextHop::None, |reach| reach.next_hop.clone());
        self.nlri
            .iter()
            .map(move |nlri| (nlri, classic.clone()))
            .chain(
                reach
                    .into_iter()
                    .flat_map(|reach| &reach.nlri)
                    .map(move |nlri| (nlri, multiprotocol.clone())),
            )
            .filter(move |_| effective)
    }

    /// Every route that it withdraws: Withdrawn Routes field first, then MP_UNREACH_NLRI; those that it announces too where it is treated as a withdraw.
    pub fn withdrawn(&self) -> impl Iterator<Item = &Nlri> {
        let treated = self.is_treated_as_withdraw();
        let announced = self
            .nlri
            .iter()
            .chain(self.mp_reach().into_iter().flat_map(|reach| &reach.nlri))
            .filter(move |_| treated);
        self.withdrawn_routes
            .iter()
            .chain(
                self.mp_unreach()
                    .into_iter()
                    .flat_map(|unreach| &unreach.nlri),
            )
            .chain(announced)
    }

    pub(super) fn decode(
        context: &WireContext,
        mut reader: Reader<'_>,
    ) -> Result<Self, MessageError> {
        let whole = super::Header::SIZE + reader.remaining();
        if reader.remaining() < 4 {
            return Err(MessageError::bad_length(whole as u16));
        }
        let add_path = context.add_path.contains(Family::IPV4_UNICAST);
        let field = |reader| Nlri::decode_all(Family::IPV4_UNICAST, add_path, reader);
        let (withdrawn, attributes) = fields(&mut reader).map_err(malformed_list)?;
        let mut malformed = Vec::new();
        let withdrawn_routes = field(withdrawn).map_err(invalid_network)?;
        let (attributes, seen) = Attributes::read(context, attributes, &mut malformed)?;
        let nlri = field(reader).map_err(invalid_network)?;
        let mut update = Self {
            withdrawn_routes,
            attributes,
            nlri,
            malformed,
        };
        update.check_mandatory(context, seen);
        Ok(update)
    }

    /// RFC 7606 section 3 (d): a missing well-known attribute. LOCAL_PREF depends on the session and is its business.
    /// `seen` are the codes of those that are there, malformed or not.
    #[inline]
    fn check_mandatory(&mut self, context: &WireContext, seen: Codes) {
        const BGPSEC_PATH: u8 = 33;
        let classic = !self.nlri.is_empty();
        let multiprotocol = || self.mp_reach().is_some_and(|reach| !reach.nlri.is_empty());
        if !(classic || seen.contains(MpReach::CODE) && multiprotocol()) {
            return;
        }
        let next_hop = classic.then_some(NextHopAddress::CODE);
        for code in [Origin::CODE, AsPath::CODE].into_iter().chain(next_hop) {
            let is_secured = code == AsPath::CODE && context.bgpsec && seen.contains(BGPSEC_PATH);
            if !seen.contains(code) && !is_secured {
                self.malformed.push(Malformed::missing(code));
            }
        }
    }

    pub(super) fn encode(
        &self,
        context: &WireContext,
        out: &mut Writer,
    ) -> Result<(), EncodeError> {
        let add_path = context.add_path.contains(Family::IPV4_UNICAST);
        length_prefixed(out, "Withdrawn Routes Length", Prefix::U16, |out| {
            self.withdrawn_routes
                .iter()
                .try_for_each(|nlri| nlri.encode_withdraw(add_path, out))
        })?;
        length_prefixed(out, "Total Path Attribute Length", Prefix::U16, |out| {
            self.attributes.encode(context, out)
        })?;
        self.nlri
            .iter()
            .try_for_each(|nlri| nlri.encode(add_path, out))
    }
}

#[inline]
pub(super) fn fields<'a>(reader: &mut Reader<'a>) -> Result<(Reader<'a>, Reader<'a>), DecodeError> {
    let length = usize::from(reader.u16()?);
    let withdrawn = reader.sub(length)?;
    let length = usize::from(reader.u16()?);
    Ok((withdrawn, reader.sub(length)?))
}

pub(super) const fn malformed_list(cause: DecodeError) -> UpdateError {
    UpdateError {
        kind: UpdateErrorKind::MalformedAttributeList,
        data: Vec::new(),
        cause: Some(cause),
    }
}

const fn invalid_network(cause: DecodeError) -> UpdateError {
    UpdateError {
        kind: UpdateErrorKind::InvalidNetworkField,
        data: Vec::new(),
        cause: Some(cause),
    }
}
