//! Random operations on the Adj-RIB-Out, and the messages that the real ExaBGP 5.0.15 sends for them (`qa/differential/rib.py`).

use std::path::Path;
use std::sync::Arc;

use lockstep::api::command::{Action, parse};
use lockstep::bgp::attribute::WireContext;
use lockstep::bgp::family::{Families, Family};
use lockstep::bgp::iana::{Afi, Safi};
use lockstep::speaker::rib::AdjRibOut;
use lockstep::speaker::session::Negotiated;

/// The recording of the directory that `LOCKSTEP_DIFFERENTIAL` names, else the committed one.
fn reference() -> String {
    match std::env::var_os("LOCKSTEP_DIFFERENTIAL") {
        Some(directory) => {
            std::fs::read_to_string(Path::new(&directory).join("rib_reference.txt")).unwrap()
        }
        None => include_str!("rib_reference.txt").to_owned(),
    }
}

fn families() -> Families {
    Families::from_iter([
        Family::IPV4_UNICAST,
        Family::new(Afi::IPV4, Safi::NLRI_MPLS),
        Family::new(Afi::IPV4, Safi::MPLS_VPN),
        Family::IPV6_UNICAST,
    ])
}

/// One recorded sequence under way.
struct Run {
    rib: AdjRibOut,
    negotiated: Negotiated,
    grouped: bool,
    /// Messages of the last batch that the recording has still to name.
    expected: std::vec::IntoIter<String>,
}

impl Run {
    /// Reads `session peer-as N asn4 N add-path N grouped N`.
    fn new(line: &str) -> Self {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u32>().unwrap();
        let add_path = (number(6) == 1).then_some(Family::IPV4_UNICAST);
        let negotiated = Negotiated {
            local_as: 1,
            peer_as: number(2),
            families: families(),
            send: WireContext {
                four_octet_as: number(4) == 1,
                add_path: add_path.into_iter().collect(),
                extended_message: false,
                bgpsec: false,
            },
            ..Negotiated::default()
        };
        Self {
            rib: AdjRibOut::new(families(), true, Arc::new(negotiated.clone())),
            negotiated,
            grouped: number(8) == 1,
            expected: Vec::new().into_iter(),
        }
    }

    fn apply(&mut self, operation: &str) {
        match operation {
            "clear" => return self.rib.clear(None),
            "restart" => {
                self.rib.reset();
                return self.rib.replace_restart([], []).unwrap();
            }
            _ => {}
        }
        if let Some(flush) = operation.strip_prefix("flush ") {
            let family = flush.ends_with("unicast").then_some(Family::IPV4_UNICAST);
            return self.rib.flush(family, flush.starts_with("enhanced"));
        }
        match parse(operation).unwrap().action {
            Action::Announce(routes) => {
                for configured in routes {
                    self.rib.announce(&configured.route).unwrap();
                }
            }
            Action::Withdraw(routes) => {
                for configured in routes {
                    self.rib.withdraw(&configured.route).unwrap();
                }
            }
            other => panic!("{operation}: {other:?}"),
        }
    }

    fn take(&mut self, include_withdraws: bool) {
        assert!(self.rib.pending());
        let mut batch = self.rib.take(self.grouped, include_withdraws);
        let mut messages = Vec::new();
        let mut out = Vec::new();
        while let Some(sent) = batch.next(&self.negotiated, &mut out) {
            sent.unwrap();
            let octets = std::mem::take(&mut out);
            messages.push(lockstep::bgp::hex::text(&octets[16..]));
        }
        self.expected = messages.into_iter();
    }
}

#[test]
fn every_batch_is_what_the_reference_sends() {
    let reference = reference();
    let mut lines = reference.lines().enumerate().skip(1).peekable();
    let mut run = Run::new(lines.next().unwrap().1);
    let mut batches = 0;
    for (number, line) in lines {
        let place = format!("rib_reference.txt:{}", number + 1);
        let is_message = !line.starts_with(['>', 's', 't']);
        if is_message {
            assert_eq!(run.expected.next().as_deref(), Some(line), "{place}");
            continue;
        }
        assert_eq!(run.expected.next(), None, "before {place}");
        if line.starts_with("session") {
            run = Run::new(line);
        } else if let Some(operation) = line.strip_prefix("> ") {
            run.apply(operation);
        } else {
            run.take(line.ends_with("withdraws"));
            batches += 1;
        }
    }
    assert_eq!(run.expected.next(), None);
    assert!(batches > 100, "{batches} batches");
}
