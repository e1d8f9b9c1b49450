//! The targets of what people and programs write: mistakes can be shown, and what is understood is understood again.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use lockstep::api::command::{self, Action};
use lockstep::bgp::attribute::WireContext;
use lockstep::bgp::message::Message;
use lockstep::bgp::nlri::KNOWN_FAMILIES;
use lockstep::bgp::text::TextError;
use lockstep::config::{self, ConfigError};
use lockstep::explore;
use lockstep::scenario;
use lockstep::scenario::golden::manifest::Manifest;
use lockstep::speaker::rib::AdjRibOut;
use lockstep::speaker::route::ConfiguredRoute;
use lockstep::speaker::session::Negotiated;

/// Read whole and read a few octets at a time, a configuration is the same.
pub fn configuration(text: &str) {
    let whole = config::parse("fuzz", text).map_err(|error| shown(&error));
    let pieces = config::read("fuzz", || Ok(Cursor::new(text.as_bytes())));
    let pieces = pieces
        .expect("memory can be read")
        .map_err(|error| shown(&error));
    assert_eq!(pieces, whole);
}

fn shown(error: &ConfigError) -> String {
    error.render()
}

/// An environment file.
pub fn environment(text: &str) {
    let variables = config::environment::read_file(text);
    if let Err(error) = config::environment::parse(variables) {
        let _ = error.to_string();
    }
}

/// A dialogue's commands: a parser that remembers understands each as one that does not, and what is announced or
/// withdrawn is sent in messages that decode, or refused.
pub fn commands(context: &WireContext, text: &str) {
    let mut parser = command::Parser::default();
    for line in text.lines() {
        let understood = parser.parse(line);
        assert_eq!(understood, command::parse(line), "{line}");
        match understood.map(|command| command.action) {
            Ok(Action::Announce(routes)) => sent(context, &routes, AdjRibOut::announce),
            Ok(Action::Withdraw(routes)) => sent(context, &routes, |rib, route| {
                rib.withdraw(route).map(|()| true)
            }),
            Ok(_) => {}
            Err(error) => within(&error, line),
        }
    }
}

fn sent<E>(
    context: &WireContext,
    routes: &[ConfiguredRoute],
    put: impl Fn(&mut AdjRibOut, &lockstep::speaker::route::Route) -> Result<bool, E>,
) {
    let session = Negotiated {
        local_as: 65_533,
        peer_as: 65_533,
        families: KNOWN_FAMILIES.iter().copied().collect(),
        receive: context.clone(),
        send: context.clone(),
        aigp: true,
        ..Negotiated::default()
    };
    let mut rib = AdjRibOut::new(session.families.clone(), true, Arc::new(session.clone()));
    for configured in routes {
        // One that is refused leaves nothing behind.
        let _ = put(&mut rib, &configured.route);
    }
    let mut batch = rib.take(true, true);
    loop {
        let mut out = Vec::new();
        match batch.next(&session, &mut out) {
            None => return,
            Some(Err(_)) => {}
            Some(Ok(_)) => {
                let message = Message::decode(context, &out);
                let Ok(Message::Update(update)) = &message else {
                    panic!("{message:?} of {out:02x?}");
                };
                assert_eq!(update.malformed, [], "{out:02x?}");
            }
        }
    }
}

/// A scenario's script.
pub fn scenario(text: &str) {
    if let Err(error) = scenario::format::parse::parse(Path::new("fuzz"), text) {
        within(&error, text);
    }
}

/// A plan's text is that of what it was read as.
pub fn plan(text: &str) {
    match explore::parse::parse(text) {
        Ok(plan) => assert_eq!(explore::parse::parse(&plan.to_string()).as_ref(), Ok(&plan)),
        Err(error) => within(&error, text),
    }
}

/// A manifest's text is that of what it was read as.
pub fn manifest(text: &str) {
    if let Ok(manifest) = text.parse::<Manifest>() {
        let again = manifest.to_string().parse::<Manifest>();
        assert_eq!(again.as_ref(), Ok(&manifest));
    }
}

/// A mistake is marked in the text, between two characters.
fn within(error: &TextError, text: &str) {
    assert!(
        error.span.start <= error.span.end && error.span.end <= text.len() + 1,
        "{error:?}"
    );
    let marks = |at: usize| text.is_char_boundary(at.min(text.len()));
    assert!(
        marks(error.span.start) && marks(error.span.end),
        "{error:?}"
    );
}
