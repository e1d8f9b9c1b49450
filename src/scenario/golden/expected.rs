//! `golden.messages`: the messages that a golden is built from where no released reference can be recorded.

use std::time::Duration;

use crate::bgp::hex;
use crate::bgp::text::TextError;
use crate::net::{ConnectionName, Opener};
use crate::os::small_file;
use crate::scenario::format::error::ScenarioError;
use crate::scenario::format::message;
use crate::scenario::format::script::Scenario;
use crate::scenario::scripted::transcript::{Ending, Passed, Transcript};

const FILE: &str = "golden.messages";
/// Between messages, so that a person can tell them apart in a capture.
const STEP: Duration = Duration::from_millis(1);

/// Reads the messages beside `scenario` as what its first peer received.
///
/// # Errors
/// Where the file cannot be read, or a line is no message.
pub fn load(scenario: &Scenario) -> Result<Vec<Transcript>, ScenarioError> {
    let path = scenario.directory.join(FILE);
    let name = path.display().to_string();
    let text =
        small_file::read_text(&path).map_err(|error| ScenarioError::unreadable(&name, &error))?;
    parse(scenario, &text).map_err(|error| ScenarioError::from_text(&name, &text, error))
}

fn parse(scenario: &Scenario, text: &str) -> Result<Vec<Transcript>, TextError> {
    let peer = scenario.peers[0].address;
    let connection = |attempt, opened| Transcript {
        name: ConnectionName::new(peer, Opener::Us, attempt),
        opened,
        messages: Vec::new(),
        ended: None,
    };
    let mut now = Duration::ZERO;
    let mut transcripts = vec![connection(1, now)];
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let span = offset..offset + line.trim_end().len();
        offset += line.len();
        let content = line.split('#').next().unwrap_or_default().trim();
        if content.is_empty() {
            continue;
        }
        if let Some(number) = content.strip_prefix("connection") {
            let attempt = number.trim().parse().map_err(|_| {
                TextError::new(span, "a connection has a number").help("write `connection 2`")
            })?;
            if attempt != 1 {
                transcripts.push(connection(attempt, now));
            }
            continue;
        }
        let bytes = hex::parse(content)
            .ok()
            .map(|bytes| marked(&bytes))
            .filter(|bytes| message::frame(bytes) == Ok(Some(bytes.len())))
            .ok_or_else(|| {
                TextError::new(span, "not a BGP message").help(
                    "write it whole, in hexadecimal, with or without its marker of sixteen ff",
                )
            })?;
        now += STEP;
        if let Some(transcript) = transcripts.last_mut() {
            transcript.messages.push(Passed {
                at: now,
                from_speaker: true,
                bytes,
            });
            transcript.ended = Some((now + STEP, Ending::ByPeer));
        }
    }
    Ok(transcripts)
}

fn marked(bytes: &[u8]) -> Vec<u8> {
    if bytes.starts_with(&[0xff; 16]) {
        return bytes.to_vec();
    }
    [&[0xff; 16], bytes].concat()
}
