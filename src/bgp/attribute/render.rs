//! ExaBGP's text and JSON for a list of attributes.

use super::next_hop::NextHopAddress;
use super::{Attribute, AttributeValue, Attributes, Flags, MpReach, MpUnreach, PathAttribute};

impl Attributes {
    /// The attributes as ExaBGP holds them after it received them: four-octet AS numbers merged,
    /// unknown attributes that are not transitive left out, the others marked partial, empty paths left out.
    #[must_use]
    pub fn received(&self) -> Self {
        let mut received = self.clone();
        received.merge_four_octet();
        received.retain(|attribute| match &mut attribute.value {
            AttributeValue::Generic(generic) => {
                generic.flags = generic.flags.with(Flags::PARTIAL);
                attribute.flags = generic.flags;
                generic.flags.contains(Flags::TRANSITIVE)
            }
            // ExaBGP does not know these either.
            AttributeValue::TunnelEncapsulation(_) | AttributeValue::OnlyToCustomer(_) => {
                attribute.flags = attribute.flags.with(Flags::PARTIAL);
                attribute.flags.contains(Flags::TRANSITIVE)
            }
            AttributeValue::AsPath(path) => !path.segments.is_empty(),
            AttributeValue::As4Path(path) => !path.0.segments.is_empty(),
            _ => true,
        });
        received
    }

    /// ExaBGP's text: ` origin igp local-preference 100`, each attribute with a space before it, ascending by code; NEXT_HOP and the multiprotocol attributes are told with the routes.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for attribute in self.told() {
            let code = attribute.value.code();
            let value = attribute.text();
            match attribute.name() {
                Some(name) if value.is_empty() => out.push_str(&format!(" {name}")),
                Some(name) => out.push_str(&format!(" {name} {value}")),
                None => {
                    let flags = attribute.flags.0;
                    out.push_str(&format!(
                        " attribute [ 0x{code:02X} 0x{flags:02X} {value} ]"
                    ));
                }
            }
        }
        out
    }

    /// ExaBGP's JSON: the members of the `attribute` object, without its braces.
    #[must_use]
    pub fn json(&self) -> String {
        let members = self.told().into_iter().map(|attribute| {
            let value = attribute.json();
            match attribute.name() {
                Some(name) => format!("\"{name}\": {value}"),
                None => {
                    let (code, flags) = (attribute.value.code(), attribute.flags.0);
                    format!("\"attribute-0x{code:02X}-0x{flags:02X}\": {value}")
                }
            }
        });
        members.collect::<Vec<_>>().join(", ")
    }

    fn told(&self) -> Vec<&Attribute> {
        let mut told: Vec<&Attribute> = self
            .iter()
            .filter(|attribute| {
                !matches!(
                    attribute.value.code(),
                    NextHopAddress::CODE | MpReach::CODE | MpUnreach::CODE
                )
            })
            .collect();
        told.sort_by_key(|attribute| attribute.value.code());
        told
    }
}
