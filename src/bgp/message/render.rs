//! ExaBGP's JSON for what each message says: the object alone, without the header and the neighbor that its events have around it.

use std::fmt::Write as _;

use super::open::Open;
use super::operational::{Operational, OperationalValue};
use super::{Notification, RouteRefresh, Update};
use crate::bgp::attribute::NextHop;
use crate::bgp::attribute::{Malformed, MpReach, MpUnreach};
use crate::bgp::capability;
use crate::bgp::error::ErrorAction;
use crate::bgp::family::Family;
use crate::bgp::hex;
use crate::bgp::json;
use crate::bgp::message::notification::{NotificationCode, cease};
use crate::bgp::nlri::Nlri;
use crate::bgp::nlri::qualifier::address;

impl Open {
    /// The value of `open`.
    #[must_use]
    pub fn json(&self) -> String {
        let capabilities: Vec<String> = capability::json(self.capabilities())
            .into_iter()
            .map(|(code, object)| format!("\"{code}\": {object}"))
            .collect();
        format!(
            "{{ \"version\": 4, \"asn\": {}, \"hold_time\": {}, \"router_id\": \"{}\", \"capabilities\": {{ {} }} }}",
            self.my_as,
            self.hold_time,
            self.identifier,
            capabilities.join(", ")
        )
    }

    /// ExaBGP's text for the capabilities, those of one code as one, ascending by code.
    #[must_use]
    pub fn capabilities_text(&self) -> String {
        let mut all = capability::text(self.capabilities());
        all.sort_by_key(|(code, _)| *code);
        let texts: Vec<String> = all.into_iter().map(|(_, text)| text).collect();
        texts.join(", ")
    }
}

impl Notification {
    /// The data as ExaBGP tells it: a shutdown communication as a sentence, any other as it came.
    #[must_use]
    pub fn told(&self) -> Vec<u8> {
        let communicates = self.code == NotificationCode::CEASE
            && matches!(
                self.subcode,
                cease::ADMINISTRATIVE_SHUTDOWN | cease::ADMINISTRATIVE_RESET
            );
        let (Some((&length, rest)), true) = (self.data.split_first(), communicates) else {
            return self.data.clone();
        };
        let hex = |bytes: &[u8]| format!("0x{}", hex::upper(bytes));
        if length == 0 {
            return b"empty Shutdown Communication.".to_vec();
        }
        let Some((text, trailer)) = rest.split_at_checked(usize::from(length)) else {
            let rest = hex(rest);
            return format!(
                "invalid Shutdown Communication (buffer underrun) length : {length} [{rest}]"
            )
            .into_bytes();
        };
        // RFC 8203's limit; RFC 9003 has 255, ExaBGP has not.
        if length > 128 {
            let rest = hex(rest);
            return format!(
                "invalid Shutdown Communication (too large) length : {length} [{rest}]"
            )
            .into_bytes();
        }
        let Ok(text) = std::str::from_utf8(text) else {
            let rest = hex(rest);
            return format!(
                "invalid Shutdown Communication (invalid UTF-8) length : {length} [{rest}]"
            )
            .into_bytes();
        };
        let text = text.replace(['\r', '\n'], " ");
        let mut told = format!("Shutdown Communication: \"{text}\"");
        if !trailer.is_empty() {
            let _ = write!(told, ", trailing data: {}", hex(trailer));
        }
        told.into_bytes()
    }

    /// The value of `notification`.
    #[must_use]
    pub fn json(&self) -> String {
        let told = self.told();
        let mut out = format!(
            "{{ \"code\": {}, \"subcode\": {}, \"data\": \"0x{}\", \"message\": ",
            self.code.0,
            self.subcode,
            hex::upper(&told)
        );
        json::string(&String::from_utf8_lossy(&told), &mut out);
        out.push_str(" } ");
        out
    }
}

impl RouteRefresh {
    /// The value of `route-refresh`.
    #[must_use]
    pub fn json(&self) -> String {
        format!(
            "{{ \"afi\": \"{}\", \"safi\": \"{}\", \"subtype\": \"{}\" }}",
            self.family.afi, self.family.safi, self.subtype
        )
    }
}

impl Operational {
    /// The value of `operational`; `None` for a type that ExaBGP does not tell.
    #[must_use]
    pub fn json(&self) -> Option<String> {
        let head = |family: &Family| {
            format!(
                "{{ \"name\": \"{}\", \"afi\": \"{}\", \"safi\": \"{}\"",
                self.kind, family.afi, family.safi
            )
        };
        Some(match &self.value {
            OperationalValue::Advisory { family, text } => {
                let mut out = head(family);
                out.push_str(", \"advisory\": ");
                json::string(&String::from_utf8_lossy(text), &mut out);
                out.push_str(" }");
                out
            }
            OperationalValue::Query { family, .. } => format!("{} }}", head(family)),
            OperationalValue::Counter {
                family,
                router_id,
                sequence,
                counter,
            } => {
                // ExaBGP takes a sequence number of 0 for none.
                let sequence = match sequence {
                    0 => "\"None\"".to_owned(),
                    sequence => sequence.to_string(),
                };
                format!(
                    "{}, \"router-id\": \"{router_id}\", \"sequence\": {sequence}, \"counter\": {counter} }}",
                    head(family)
                )
            }
            OperationalValue::Other(_) => return None,
        })
    }
}

/// Routes by family, then by next hop, each in order of first appearance.
type Announced = Vec<(Family, Vec<(String, Vec<String>)>)>;

impl Update {
    /// The value of `message`: `{ "update": … }` or `{ "eor": … }`. `compact` writes a prefix alone as a string.
    #[must_use]
    pub fn json(&self, compact: bool) -> String {
        self.json_of(compact, self.is_treated_as_withdraw())
    }

    /// The same with the routes as they were written, whatever the malformed attributes make of them: ExaBGP's `decode`.
    #[must_use]
    pub fn json_as_written(&self, compact: bool) -> String {
        self.json_of(compact, false)
    }

    fn json_of(&self, compact: bool, withdraws: bool) -> String {
        if let Some(family) = self.end_of_rib() {
            return format!(
                "{{ \"eor\": {{ \"afi\" : \"{}\", \"safi\" : \"{}\" }} }}",
                family.afi, family.safi
            );
        }
        let mut members: Vec<String> = Vec::new();
        members.extend(self.attributes_json());
        members.extend(self.announce_json(compact, withdraws));
        members.extend(self.withdraw_json(compact, withdraws));
        format!("{{ \"update\": {{ {} }} }}", members.join(", "))
    }

    fn attributes_json(&self) -> Option<String> {
        let received = self.attributes.received();
        let own = |code: u8| !matches!(code, MpReach::CODE | MpUnreach::CODE);
        let mut json = received.json();
        let kept = |one: &&Malformed| one.action != ErrorAction::SessionReset;
        let action = self
            .malformed
            .iter()
            .filter(kept)
            .map(|one| one.action)
            .max();
        if let Some(action) = action {
            if !json.is_empty() {
                json.push_str(", ");
            }
            let word = match action {
                ErrorAction::AttributeDiscard => "discard",
                _ => "treat-as-withdraw",
            };
            let _ = write!(json, "\"error\": \"{word}\"");
        } else if !received.iter().any(|held| own(held.value.code())) {
            return None;
        }
        Some(format!("\"attribute\": {{ {json} }}"))
    }

    fn announce_json(&self, compact: bool, withdraws: bool) -> Option<String> {
        let mut announced: Announced = Vec::new();
        for (nlri, next_hop) in self.announced_if(!withdraws) {
            for (shown, address) in shown(&next_hop) {
                let json = nlri.json_with(address, compact);
                let hops = entry(&mut announced, nlri.family);
                entry(hops, shown).push(json);
            }
        }
        let families: Vec<String> = announced
            .iter()
            .map(|(family, hops)| {
                let hops: Vec<String> = hops
                    .iter()
                    .map(|(hop, routes)| format!("\"{hop}\": [ {} ]", routes.join(", ")))
                    .collect();
                format!("\"{family}\": {{ {} }}", hops.join(", "))
            })
            .collect();
        (!families.is_empty()).then(|| format!("\"announce\": {{ {} }}", families.join(", ")))
    }

    fn withdraw_json(&self, compact: bool, withdraws: bool) -> Option<String> {
        let mut withdrawn: Vec<(Family, Vec<&Nlri>)> = Vec::new();
        for nlri in self.withdrawn_if(withdraws) {
            entry(&mut withdrawn, nlri.family).push(nlri);
        }
        let families: Vec<String> = withdrawn
            .iter()
            .map(|(family, routes)| {
                let routes: Vec<String> = routes
                    .iter()
                    .map(|nlri| nlri.json_with(None, compact))
                    .collect();
                format!("\"{family}\": [ {} ]", routes.join(", "))
            })
            .collect();
        (!families.is_empty()).then(|| format!("\"withdraw\": {{ {} }}", families.join(", ")))
    }
}

/// The value beside `key`, which is added at the end where it is not there.
fn entry<K: PartialEq, V: Default>(list: &mut Vec<(K, V)>, key: K) -> &mut V {
    let at = list.iter().position(|(known, _)| *known == key);
    let at = at.unwrap_or_else(|| {
        list.push((key, V::default()));
        list.len() - 1
    });
    &mut list[at].1
}

/// The next hops under which ExaBGP tells a route: a global and a link-local one are two.
fn shown(next_hop: &NextHop) -> Vec<(String, Option<std::net::IpAddr>)> {
    let one = |hop: std::net::IpAddr| (address(hop).to_string(), Some(hop));
    match next_hop {
        NextHop::Address(hop) => vec![one(*hop)],
        NextHop::WithLinkLocal(global, link_local) => {
            vec![one((*global).into()), one((*link_local).into())]
        }
        NextHop::None | NextHop::Other(_) => vec![("no-nexthop".to_owned(), None)],
    }
}
