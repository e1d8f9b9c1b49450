//! rustbgpd-wire: owned values.

use bytes::Bytes;
use rustbgpd_wire::{
    Afi, AsPathSegment, BgpLsNlri, BgpLsNlriType, BgpLsTlv, DecodeError, EvpnEadPerEs,
    EvpnEadPerEvi, EvpnIpPrefixValue, EvpnRoute, FlowSpecComponent, FlowSpecPrefix,
    Ipv4UnicastMode, Message, NlriEntry, ParsedUpdate, PathAttribute, Prefix, Safi, UpdateMessage,
    VpnPrefix, decode_bgpls_tlvs, decode_message, encode_message,
};

use crate::families::told;
use crate::{Session, Visitor};

/// Decodes.
pub fn decode(session: Session, bytes: Bytes) -> Result<ParsedUpdate, String> {
    let mut bytes = bytes;
    let families = [(Afi::Ipv4, Safi::Unicast), (Afi::Ipv6, Safi::Unicast)];
    let families = if session.add_path { &families[..] } else { &[] };
    match decode_message(&mut bytes, 4096) {
        Ok(Message::Update(update)) => update
            .parse(session.four_octet_as, session.add_path, families)
            .map_err(|error| error.to_string()),
        Ok(_) => Err("not an UPDATE".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Appends the whole message.
pub fn encode(session: Session, update: &ParsedUpdate, out: &mut Vec<u8>) -> Result<(), String> {
    let built = UpdateMessage::try_build(
        &update.announced,
        &update.withdrawn,
        &update.attributes,
        session.four_octet_as,
        session.add_path,
        Ipv4UnicastMode::Body,
    );
    built
        .and_then(|message| message.encode(out))
        .map_err(|error| error.to_string())
}

/// Reads a message of any type and writes it again; `None` where it keeps the value of an attribute as octets.
pub fn rewrite(session: Session, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let message = decode_message(&mut Bytes::copy_from_slice(bytes), 4096)
        .map_err(|error| error.to_string())?;
    if !matches!(message, Message::Update(_)) {
        let out = encode_message(&message).map_err(|error| error.to_string())?;
        return Ok(Some(out.to_vec()));
    }
    let update = decode(session, Bytes::copy_from_slice(bytes))?;
    let unknown = |attribute: &PathAttribute| matches!(attribute, PathAttribute::Unknown(_));
    if update.attributes.iter().any(unknown) {
        return Ok(None);
    }
    let mut out = Vec::new();
    encode(session, &update, &mut out)?;
    Ok(Some(out))
}

/// Tells everything.
pub fn walk(session: Session, update: &ParsedUpdate, visitor: &mut impl Visitor) {
    let path = |id: u32| session.add_path.then_some(id);
    for route in &update.withdrawn {
        visitor.withdraw(
            route.prefix.addr.into(),
            route.prefix.len,
            path(route.path_id),
        );
    }
    for attribute in &update.attributes {
        tell(session, attribute, visitor);
    }
    for route in &update.announced {
        visitor.announce(
            route.prefix.addr.into(),
            route.prefix.len,
            path(route.path_id),
        );
    }
}

fn route(session: Session, route: &NlriEntry) -> (std::net::IpAddr, u8, Option<u32>) {
    let path = session.add_path.then_some(route.path_id);
    match route.prefix {
        Prefix::V4(prefix) => (prefix.addr.into(), prefix.len, path),
        Prefix::V6(prefix) => (prefix.addr.into(), prefix.len, path),
    }
}

fn tell(session: Session, attribute: &PathAttribute, visitor: &mut impl Visitor) {
    match attribute {
        PathAttribute::Origin(origin) => visitor.origin(*origin as u8),
        PathAttribute::AsPath(path) => {
            for segment in &path.segments {
                match segment {
                    AsPathSegment::AsSet(asns) => visitor.segment(1, asns.iter().copied()),
                    AsPathSegment::AsSequence(asns) => visitor.segment(2, asns.iter().copied()),
                }
            }
        }
        PathAttribute::NextHop(next_hop) => visitor.next_hop((*next_hop).into()),
        PathAttribute::Med(med) => visitor.med(*med),
        PathAttribute::LocalPref(preference) => visitor.local_pref(*preference),
        PathAttribute::AtomicAggregate => visitor.atomic_aggregate(),
        PathAttribute::Aggregator(one) => visitor.aggregator(one.asn, one.router_id),
        PathAttribute::Communities(communities) => {
            for community in communities {
                visitor.community(*community);
            }
        }
        PathAttribute::LargeCommunities(communities) => {
            for one in communities {
                visitor.large_community([one.global_admin, one.local_data1, one.local_data2]);
            }
        }
        PathAttribute::OriginatorId(id) => visitor.originator_id(*id),
        PathAttribute::ClusterList(clusters) => {
            for cluster in clusters {
                visitor.cluster(*cluster);
            }
        }
        PathAttribute::MpReachNlri(reach) => {
            visitor.next_hop(reach.next_hop);
            if let Some(link_local) = reach.link_local_next_hop {
                visitor.next_hop(link_local.into());
            }
            for entry in &reach.announced {
                let (address, length, path) = route(session, entry);
                visitor.announce(address, length, path);
            }
        }
        PathAttribute::MpUnreachNlri(unreach) => {
            for entry in &unreach.withdrawn {
                let (address, length, path) = route(session, entry);
                visitor.withdraw(address, length, path);
            }
        }
        _ => {}
    }
}
/// Tells the routes of MP_REACH_NLRI, of whatever family; `None` where this codec keeps them as octets.
pub fn routes(update: &ParsedUpdate) -> Result<Option<Vec<String>>, String> {
    let reach = update.attributes.iter().find_map(|one| match one {
        PathAttribute::MpReachNlri(reach) => Some(reach),
        _ => None,
    });
    let Some(reach) = reach else {
        return Ok(None);
    };
    let mut all = Vec::new();
    for entry in &reach.announced {
        all.push(prefix(&entry.prefix));
    }
    for entry in &reach.labeled_announced {
        let of = prefix(&entry.nlri.prefix);
        all.push(told::labelled(
            entry.nlri.labels.iter().map(|one| one.label),
            &of,
        ));
    }
    for entry in &reach.vpn_announced {
        let of = match entry.nlri.prefix {
            VpnPrefix::V4 { addr, len } => told::prefix(addr, len),
            VpnPrefix::V6 { addr, len } => told::prefix(addr, len),
        };
        let labelled = told::labelled(entry.nlri.labels.iter().map(|one| one.label), &of);
        all.push(told::vpn(&entry.nlri.route_distinguisher.0, &labelled));
    }
    for one in &reach.rtc_announced {
        all.push(if one.is_default() {
            "rtc all".to_owned()
        } else {
            told::membership(one.origin_as, &one.route_target_bits.to_be_bytes())
        });
    }
    for rule in &reach.flowspec_announced {
        let components: Vec<String> = rule.components.iter().map(component).collect();
        all.push(format!("flow {components:?}"));
    }
    all.extend(reach.evpn_announced.iter().map(evpn));
    for one in &reach.bgpls_announced {
        all.push(link_state(one).map_err(|error| error.to_string())?);
    }
    Ok((!all.is_empty()).then_some(all))
}

fn prefix(prefix: &Prefix) -> String {
    match prefix {
        Prefix::V4(one) => told::prefix(one.addr, one.len),
        Prefix::V6(one) => told::prefix(one.addr, one.len),
    }
}

fn component(component: &FlowSpecComponent) -> String {
    let of = |prefix: &FlowSpecPrefix| match prefix {
        FlowSpecPrefix::V4(one) => format!("{} from 0", told::prefix(one.addr, one.len)),
        FlowSpecPrefix::V6(one) => {
            let prefix = told::prefix(one.prefix.addr, one.prefix.len);
            format!("{prefix} from {}", one.offset)
        }
    };
    let value = match component {
        FlowSpecComponent::DestinationPrefix(one) | FlowSpecComponent::SourcePrefix(one) => of(one),
        FlowSpecComponent::TcpFlags(tests) | FlowSpecComponent::Fragment(tests) => tests
            .iter()
            .map(|one| {
                let bits = u8::from(one.and_bit) << 6
                    | u8::from(one.not_bit) << 1
                    | u8::from(one.match_bit);
                told::test(true, bits, one.value.into())
            })
            .collect::<Vec<_>>()
            .join(" "),
        FlowSpecComponent::IpProtocol(tests)
        | FlowSpecComponent::Port(tests)
        | FlowSpecComponent::DestinationPort(tests)
        | FlowSpecComponent::SourcePort(tests)
        | FlowSpecComponent::IcmpType(tests)
        | FlowSpecComponent::IcmpCode(tests)
        | FlowSpecComponent::PacketLength(tests)
        | FlowSpecComponent::Dscp(tests)
        | FlowSpecComponent::FlowLabel(tests) => tests
            .iter()
            .map(|one| {
                let bits = u8::from(one.and_bit) << 6
                    | u8::from(one.lt) << 2
                    | u8::from(one.gt) << 1
                    | u8::from(one.eq);
                told::test(false, bits, one.value)
            })
            .collect::<Vec<_>>()
            .join(" "),
        _ => "unknown".to_owned(),
    };
    told::component(component.type_code(), &value)
}

fn evpn(route: &EvpnRoute) -> String {
    match route {
        EvpnRoute::EadPerEs(EvpnEadPerEs {
            rd,
            esi,
            ethernet_tag,
            label,
        })
        | EvpnRoute::EadPerEvi(EvpnEadPerEvi {
            rd,
            esi,
            ethernet_tag,
            label,
        }) => told::evpn(
            1,
            &rd.0,
            &[&told::hex(&esi.0), &ethernet_tag.0, &label.value()],
        ),
        EvpnRoute::MacIp(one) => told::evpn(
            2,
            &one.rd.0,
            &[
                &told::hex(&one.esi.0),
                &one.ethernet_tag.0,
                &told::hex(&one.mac.0),
                &told::optional(one.ip),
                &one.label1.value(),
            ],
        ),
        EvpnRoute::Imet(one) => {
            told::evpn(3, &one.rd.0, &[&one.ethernet_tag.0, &one.originator_ip])
        }
        EvpnRoute::Es(one) => {
            told::evpn(4, &one.rd.0, &[&told::hex(&one.esi.0), &one.originator_ip])
        }
        EvpnRoute::IpPrefix(one) => {
            let of = match one.prefix {
                EvpnIpPrefixValue::V4(prefix) => told::prefix(prefix.addr, prefix.len),
                EvpnIpPrefixValue::V6(prefix) => told::prefix(prefix.addr, prefix.len),
            };
            told::evpn(
                5,
                &one.rd.0,
                &[
                    &told::hex(&one.esi.0),
                    &one.ethernet_tag.0,
                    &of,
                    &one.gateway,
                    &one.label.value(),
                ],
            )
        }
        EvpnRoute::Smet(one) => told::evpn(
            6,
            &one.rd.0,
            &[
                &one.ethernet_tag.0,
                &told::optional(one.source_ip),
                &told::optional(one.group_ip),
                &one.originator_ip,
                &one.flags,
            ],
        ),
        _ => "unknown".to_owned(),
    }
}

fn link_state(one: &BgpLsNlri) -> Result<String, DecodeError> {
    let (mut local, mut remote, mut of) = (Vec::new(), Vec::new(), None);
    for tlv in one.descriptor_tlvs()?.unwrap_or_default() {
        match tlv.type_code {
            256 => local = node(&tlv.value)?,
            257 => remote = node(&tlv.value)?,
            265 => {
                of = reach(
                    one.nlri_type == BgpLsNlriType::Ipv6TopologyPrefix,
                    &tlv.value,
                )
            }
            _ => {}
        }
    }
    let source = (
        one.protocol_id().unwrap_or_default(),
        one.identifier().unwrap_or_default(),
    );
    let rd = one.route_distinguisher.as_ref().map(|rd| &rd[..]);
    let kind = one.nlri_type.as_u16();
    Ok(told::link_state(kind, rd, source, &local, &remote, of))
}

fn node(value: &[u8]) -> Result<Vec<String>, DecodeError> {
    let tell = |tlv: &BgpLsTlv| match (tlv.type_code, tlv.value.first_chunk()) {
        (512..=514, Some(number)) => told::descriptor(tlv.type_code, u32::from_be_bytes(*number)),
        (code, _) => told::descriptor(code, told::hex(&tlv.value)),
    };
    Ok(decode_bgpls_tlvs(value)?.iter().map(tell).collect())
}

/// IP Reachability Information, which this codec leaves as octets: a length in bits, and as many octets as hold them.
fn reach(v6: bool, value: &[u8]) -> Option<String> {
    let (bits, octets) = value.split_first()?;
    let mut whole = [0; 16];
    whole[..octets.len()].copy_from_slice(octets);
    let [a, b, c, d, ..] = whole;
    Some(match v6 {
        true => told::prefix(whole, *bits),
        false => told::prefix([a, b, c, d], *bits),
    })
}
