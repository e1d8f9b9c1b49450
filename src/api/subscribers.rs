//! Which processes receive which events, and in which form, by the `api` sections of a neighbor.
//!
//! As in ExaBGP, the words `parsed`, `packets` and `consolidate` of one section hold for all processes of the neighbor:
//! they select the forms of a message, and the names of messages select the processes.

use crate::bgp::iana::MessageType;
use crate::speaker::neighbor::{ApiSection, MessageSelection, Neighbor};

use crate::net::Direction;

/// The form in which processes receive a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// [`super::ApiEvent::Packet`]: its octets alone.
    Packet,
    /// [`super::ApiEvent::Message`] without octets.
    Parsed,
    /// [`super::ApiEvent::Message`] with its octets.
    Consolidated,
}

/// Classes of events other than messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventClass {
    /// Connected, up, down: `neighbor-changes`.
    Change,
    /// `negotiated`: what the OPENs agreed on.
    Negotiated,
    /// `fsm`: state changes of the session.
    Fsm,
    /// `signal`: signals to the speaker.
    Signal,
}

/// The processes that receive events of `class`, in the order of the configuration.
pub fn of_event(neighbor: &Neighbor, class: EventClass) -> impl Iterator<Item = &str> {
    processes(neighbor, move |section| match class {
        EventClass::Change => section.neighbor_changes,
        EventClass::Negotiated => section.negotiated,
        EventClass::Fsm => section.fsm,
        EventClass::Signal => section.signal,
    })
}

/// The processes that receive messages of type `kind` in that direction.
pub fn of_message(
    neighbor: &Neighbor,
    direction: Direction,
    kind: MessageType,
) -> impl Iterator<Item = &str> {
    processes(neighbor, move |section| {
        let selection = selection(section, direction);
        match kind {
            MessageType::OPEN => selection.open,
            MessageType::UPDATE => selection.update,
            MessageType::NOTIFICATION => selection.notification,
            MessageType::KEEPALIVE => selection.keepalive,
            MessageType::ROUTE_REFRESH => selection.refresh,
            MessageType::OPERATIONAL => selection.operational,
            _ => false,
        }
    })
}

/// The forms of messages in that direction, in the order sent.
#[must_use]
pub fn forms(neighbor: &Neighbor, direction: Direction) -> Vec<Form> {
    let said = |word: fn(MessageSelection) -> bool| {
        neighbor
            .api
            .iter()
            .any(|section| !section.processes.is_empty() && word(selection(section, direction)))
    };
    let packets = said(|selection| selection.packets);
    if said(|selection| selection.consolidate) {
        // A received message always has its octets beside it, one that is sent only with `packets`.
        return vec![if packets || direction == Direction::Received {
            Form::Consolidated
        } else {
            Form::Parsed
        }];
    }
    let mut forms = Vec::new();
    if packets {
        forms.push(Form::Packet);
    }
    if said(|selection| selection.parsed) {
        forms.push(Form::Parsed);
    }
    forms
}

/// Whether messages carry what was negotiated.
#[must_use]
pub fn with_negotiated(neighbor: &Neighbor) -> bool {
    of_event(neighbor, EventClass::Negotiated).next().is_some()
}

const fn selection(section: &ApiSection, direction: Direction) -> MessageSelection {
    match direction {
        Direction::Received => section.receive,
        Direction::Sent => section.send,
    }
}

fn processes(
    neighbor: &Neighbor,
    receives: impl Fn(&ApiSection) -> bool,
) -> impl Iterator<Item = &str> {
    neighbor
        .api
        .iter()
        .filter(move |section| receives(section))
        .flat_map(|section| section.processes.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbor(api: &str) -> Neighbor {
        let text = format!(
            "process a {{ run ./a; encoder json; }}\nprocess b {{ run ./b; encoder text; }}\n\
             neighbor 127.0.0.1 {{ local-address 127.0.0.1; local-as 1; peer-as 1;\n{api}\n}}"
        );
        crate::config::parse("test", &text)
            .unwrap()
            .neighbors
            .remove(0)
    }

    fn receivers(neighbor: &Neighbor, kind: MessageType) -> Vec<&str> {
        of_message(neighbor, Direction::Received, kind).collect()
    }

    #[test]
    fn forms_are_the_neighbors_and_messages_are_the_processes() {
        let neighbor = neighbor(
            "api one { processes [ a ]; receive { parsed; update; } }\n\
             api two { processes [ b ]; neighbor-changes; receive { packets; update; open; } send { consolidate; open; } }",
        );
        assert_eq!(receivers(&neighbor, MessageType::UPDATE), ["a", "b"]);
        assert_eq!(receivers(&neighbor, MessageType::OPEN), ["b"]);
        assert_eq!(receivers(&neighbor, MessageType::KEEPALIVE), [""; 0]);
        assert_eq!(
            forms(&neighbor, Direction::Received),
            [Form::Packet, Form::Parsed]
        );
        assert_eq!(forms(&neighbor, Direction::Sent), [Form::Parsed]);
        assert_eq!(
            of_event(&neighbor, EventClass::Change).collect::<Vec<_>>(),
            ["b"]
        );
        assert!(!with_negotiated(&neighbor));
    }

    #[test]
    fn those_that_match_may_command_but_hear_nothing() {
        let neighbor = neighbor(
            "api { processes-match [ ^a ]; neighbor-changes; receive { parsed; update; } }",
        );
        assert_eq!(receivers(&neighbor, MessageType::UPDATE), [""; 0]);
        assert!(
            neighbor
                .api
                .iter()
                .any(|section| section.processes == ["a"])
        );
    }
}
