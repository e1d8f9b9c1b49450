//! What a segment routing policy says (RFC 9830 section 2.4), and ExaBGP's words for it.

use std::net::Ipv6Addr;

use super::segment::{EndpointBehavior, SEGMENT_LIST, Segment, SegmentList};
use super::{SR_POLICY, SubTlv, Tunnel, TunnelEncapsulation};
use crate::bgp::error::DecodeError;
use crate::bgp::text::{TextError, Words};
use crate::bgp::wire::Reader;

const PREFERENCE: u8 = 12;
const BINDING_SID: u8 = 13;
const EXPLICIT_NULL: u8 = 14;
const PRIORITY: u8 = 15;
const SRV6_BINDING_SID: u8 = 20;
const CANDIDATE_PATH_NAME: u8 = 129;
const POLICY_NAME: u8 = 130;
/// Parity: ExaBGP sets the bottom-of-stack bit, which RFC 9830 section 2.4.2 reserves.
const BOTTOM: u32 = 0x100;

/// Parity: ExaBGP's flag of a binding SID that has a label, which RFC 9830 section 2.4.2 leaves unassigned.
const BINDING_SID_IS_LABEL: u8 = 0x10;

/// How much a candidate path is preferred (RFC 9256 section 2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preference(pub u32);

/// What a sub-TLV of a policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubTlvMeaning {
    /// Preference of the candidate path.
    Preference(Preference),
    /// Binding SID: an MPLS label, or none.
    BindingSid(Option<u32>),
    /// Explicit null label policy.
    ExplicitNull(u8),
    /// Priority of the policy.
    Priority(u8),
    /// Binding SID of SRv6.
    Srv6BindingSid(Ipv6Addr),
    /// A path.
    SegmentList(SegmentList),
    /// Name of the candidate path.
    CandidatePathName(String),
    /// Name of the policy.
    PolicyName(String),
    /// Another type.
    Unknown,
}

impl SubTlv {
    /// What it says in a policy.
    ///
    /// # Errors
    /// Where the value is not of its type's form.
    pub fn meaning(&self) -> Result<SubTlvMeaning, DecodeError> {
        let mut reader = Reader::new(&self.value);
        let text = |reader: &mut Reader<'_>| -> Result<String, DecodeError> {
            reader.u8()?;
            Ok(String::from_utf8_lossy(reader.rest()).into_owned())
        };
        Ok(match self.code {
            PREFERENCE => {
                reader.u16()?;
                SubTlvMeaning::Preference(Preference(reader.u32()?))
            }
            BINDING_SID => {
                reader.u16()?;
                SubTlvMeaning::BindingSid(match reader.is_empty() {
                    true => None,
                    false => Some(reader.u32()? >> 12),
                })
            }
            EXPLICIT_NULL => {
                reader.u16()?;
                SubTlvMeaning::ExplicitNull(reader.u8()?)
            }
            PRIORITY => SubTlvMeaning::Priority(reader.u8()?),
            SRV6_BINDING_SID => {
                reader.u16()?;
                SubTlvMeaning::Srv6BindingSid(reader.array::<16>()?.into())
            }
            SEGMENT_LIST => SubTlvMeaning::SegmentList(SegmentList::decode(reader)?),
            CANDIDATE_PATH_NAME => SubTlvMeaning::CandidatePathName(text(&mut reader)?),
            POLICY_NAME => SubTlvMeaning::PolicyName(text(&mut reader)?),
            _ => SubTlvMeaning::Unknown,
        })
    }
}

/// Whether `keyword` belongs to a policy: `preference`, `segment-list`, ….
#[must_use]
pub fn is_policy_keyword(keyword: &str) -> bool {
    matches!(
        keyword,
        "preference"
            | "priority"
            | "binding-sid"
            | "srv6-binding-sid"
            | "enlp"
            | "policy-name"
            | "candidate-path-name"
            | "segment-list"
    )
}

/// What a route's words have said of its policy so far. The sub-TLVs are sent in the order of the words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyWords {
    sub_tlvs: Vec<SubTlv>,
}

impl PolicyWords {
    /// Reads what follows `keyword`; `false` where that is no word of a policy.
    ///
    /// # Errors
    /// Where the words are not of the keyword's form, or the keyword stands twice.
    pub fn read(&mut self, keyword: &str, words: &mut Words<'_>) -> Result<bool, TextError> {
        if !is_policy_keyword(keyword) {
            return Ok(false);
        }
        let sub_tlv = match keyword {
            "preference" => {
                let preference: u32 = words.parse("a number of 32 bits")?;
                sub_tlv(PREFERENCE, 2, &preference.to_be_bytes())
            }
            "priority" => {
                let priority: u8 = words.parse("a number from 0 to 255")?;
                sub_tlv(PRIORITY, 0, &[priority, 0])
            }
            "binding-sid" if words.accept("null") => sub_tlv(BINDING_SID, 2, &[]),
            "binding-sid" => {
                words.expect("mpls")?;
                let mut sub_tlv = sub_tlv(
                    BINDING_SID,
                    2,
                    &(label(words)? << 12 | BOTTOM).to_be_bytes(),
                );
                sub_tlv.value[0] = BINDING_SID_IS_LABEL;
                sub_tlv
            }
            "srv6-binding-sid" => {
                let sid: Ipv6Addr = words.parse("an IPv6 address")?;
                sub_tlv(SRV6_BINDING_SID, 2, &sid.octets())
            }
            "enlp" => sub_tlv(EXPLICIT_NULL, 2, &[explicit_null(words)?]),
            "policy-name" => sub_tlv(POLICY_NAME, 1, words.word("a name")?.text.as_bytes()),
            "candidate-path-name" => sub_tlv(
                CANDIDATE_PATH_NAME,
                1,
                words.word("a name")?.text.as_bytes(),
            ),
            _ => segment_list(words)?
                .sub_tlv()
                .map_err(|error| words.error(error.to_string()))?,
        };
        let again = self.sub_tlvs.iter().any(|held| held.code == sub_tlv.code);
        if again && sub_tlv.code != SEGMENT_LIST && sub_tlv.code != SRV6_BINDING_SID {
            return Err(words.error(format!("`{keyword}` stands twice in one policy")));
        }
        self.sub_tlvs.push(sub_tlv);
        Ok(true)
    }

    /// The attribute that says it; `None` where nothing was said.
    #[must_use]
    pub fn finish(self) -> Option<TunnelEncapsulation> {
        (!self.sub_tlvs.is_empty()).then(|| TunnelEncapsulation {
            tunnels: vec![Tunnel {
                kind: SR_POLICY,
                sub_tlvs: self.sub_tlvs,
            }],
        })
    }
}

/// A sub-TLV whose value begins with `zeros` octets of flags and reserved bits.
fn sub_tlv(code: u8, zeros: usize, octets: &[u8]) -> SubTlv {
    let mut value = vec![0; zeros];
    value.extend_from_slice(octets);
    SubTlv { code, value }
}

fn label(words: &mut Words<'_>) -> Result<u32, TextError> {
    let word = words.word("a label")?;
    match word.text.parse() {
        Ok(label) if label < 1 << 20 => Ok(label),
        _ => Err(
            TextError::new(word.span.clone(), format!("`{}` is not a label", word.text))
                .help("a label is a number from 0 to 1048575"),
        ),
    }
}

fn explicit_null(words: &mut Words<'_>) -> Result<u8, TextError> {
    let word = words.word("an explicit null label policy")?;
    match word.text.as_str() {
        "push-ipv4" => Ok(1),
        "push-ipv6" => Ok(2),
        "push-ipv4-ipv6" => Ok(3),
        "no-push" => Ok(4),
        other => Err(TextError::new(
            word.span.clone(),
            format!("`{other}` is not an explicit null label policy"),
        )
        .help("write push-ipv4, push-ipv6, push-ipv4-ipv6 or no-push")),
    }
}

/// Reads `weight 1 segment type-a mpls 16001 segment type-b srv6 fc00::1 endpoint-behavior 65 32 0 16 0`.
fn segment_list(words: &mut Words<'_>) -> Result<SegmentList, TextError> {
    let mut list = SegmentList::default();
    if words.accept("weight") {
        list.weight = Some(words.parse("a number of 32 bits")?);
    }
    while words.accept("segment") {
        let word = words.word("a segment type")?;
        let segment = match word.text.as_str() {
            "type-a" => {
                words.expect("mpls")?;
                Segment::Mpls(label(words)?)
            }
            "type-b" => {
                words.expect("srv6")?;
                let sid = words.parse("an IPv6 address")?;
                let behavior = match words.accept("endpoint-behavior") {
                    true => Some(endpoint_behavior(words)?),
                    false => None,
                };
                Segment::Srv6(sid, behavior)
            }
            other => {
                let message = format!("`{other}` is not a segment type");
                return Err(TextError::new(word.span.clone(), message)
                    .help("write type-a mpls LABEL or type-b srv6 SID"));
            }
        };
        list.segments.push(segment);
    }
    if list.segments.is_empty() {
        return Err(words
            .error("the segment list has no segment")
            .help("write segment type-a mpls LABEL or segment type-b srv6 SID"));
    }
    Ok(list)
}

fn endpoint_behavior(words: &mut Words<'_>) -> Result<EndpointBehavior, TextError> {
    let behavior = words.parse("an endpoint behavior")?;
    let mut structure = [0; 4];
    for bits in &mut structure {
        *bits = words.parse("a number of bits")?;
    }
    Ok(EndpointBehavior {
        behavior,
        structure,
    })
}
