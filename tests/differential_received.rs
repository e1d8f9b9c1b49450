//! Random ROUTE-REFRESH and OPERATIONAL messages of a peer (`qa/differential/received.py`): the JSON that the real ExaBGP
//! 5.0.15 writes of each, or the NOTIFICATION that it answers, beside Lockstep's.

use lockstep::bgp::attribute::WireContext;
use lockstep::bgp::hex;
use lockstep::bgp::message::operational::OperationalValue;
use lockstep::bgp::message::{Header, Message, MessageError, RefreshSubtype};
use serde_json::{Value, json};

use crate::differential::{Differences, rows, text};
use crate::differential_events::told;

/// What Lockstep makes otherwise on purpose of a ROUTE-REFRESH, see `speaker::parity`.
fn refresh_departs(ours: &Result<Message, MessageError>, theirs: &Value) -> bool {
    match ours {
        // RFC 7313 section 5 has a code for a wrong length.
        Err(MessageError::RouteRefreshLength(_)) => theirs["notification"] == json!([1, 2]),
        // RFC 5291: outbound route filters follow.
        Ok(Message::RouteRefresh(refresh)) if !refresh.orf.is_empty() => {
            theirs["notification"] == json!([1, 2])
        }
        // RFC 7313 section 5: an unknown subtype is ignored.
        Ok(Message::RouteRefresh(refresh)) if refresh.subtype > RefreshSubtype::END => {
            theirs["notification"] == json!([7, 2])
        }
        _ => false,
    }
}

/// What Lockstep makes otherwise on purpose of an OPERATIONAL message, see there.
fn operational_departs(
    ours: &Result<Message, MessageError>,
    octets: &[u8],
    theirs: &Value,
) -> bool {
    match ours {
        Ok(Message::Operational(message)) => {
            theirs.is_null() && matches!(message.value, OperationalValue::Other(_))
        }
        // The length says more or fewer octets than there are, or than the type has.
        Err(MessageError::Operational(_)) => {
            let body = &octets[Header::SIZE..];
            let length = usize::from(u16::from_be_bytes([body[2], body[3]]));
            let has = match body[1] {
                3 | 5 | 7 => Some(11),
                4 | 6 | 8 => Some(15),
                _ => None,
            };
            length != body.len() - 4 || has.is_some_and(|has| has != length)
        }
        _ => false,
    }
}

#[test]
fn refreshes_and_operational_messages_are_received_alike() {
    let context = WireContext {
        four_octet_as: true,
        ..WireContext::default()
    };
    let mut differences = Differences::default();
    let mut count = 0;
    for row in rows("received") {
        count += 1;
        let octets = hex::octets(text(&row["octets"])).unwrap();
        let theirs = &row["shown"];
        let ours = Message::decode(&context, &octets);
        let refused = ours.as_ref().err().map(MessageError::notification);
        let shown = match &refused {
            Some(notification) => {
                json!({"notification": [notification.code.0, notification.subcode]}).to_string()
            }
            None => told("receive", ours.as_ref().unwrap()).0,
        };
        let expected = match theirs["json"].as_str() {
            Some(line) => line.to_owned(),
            None => theirs.to_string(),
        };
        if shown.trim_end() == expected.trim_end()
            || refresh_departs(&ours, theirs)
            || operational_departs(&ours, &octets, theirs)
        {
            continue;
        }
        differences.compare("meaning", &row, shown.trim_end(), expected.trim_end());
    }
    differences.finish(count);
}
