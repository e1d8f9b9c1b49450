//! The section `speaker`, and which host each speaker and peer of a scenario is on.

use std::net::IpAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use crate::bgp::text::{TextError, Words};
use crate::guest::Pace;
use crate::net::HostName;
use crate::scenario::format::parse_pace::pace;
use crate::scenario::format::parse_topology::known_host;
use crate::scenario::format::script::{Scenario, SpeakerScript};
use crate::scenario::format::topology::ScenarioHost;
use crate::subject::{Variant, locate};

/// The keywords of the section.
pub(super) const SPEAKER: &str = "is, config, file, pace, attempts or environment";
/// The most that a call or an empty poll can cost.
const LONGEST_PACE: Duration = Duration::from_secs(1);
/// The hosts of a scenario that declares none.
const SPEAKER_HOST: &str = "speaker";
const PEER_HOST: &str = "peer";

/// What a scenario says of a speaker so far.
#[derive(Debug, Default)]
pub(super) struct SpeakerDraft {
    host: Option<(HostName, Range<usize>)>,
    variant: Option<Variant>,
    config: Vec<PathBuf>,
    files: Vec<PathBuf>,
    pace: Option<Pace>,
    attempts: Option<u32>,
    environment: Vec<(String, String)>,
}

impl SpeakerDraft {
    /// Whether it ends by itself.
    pub(super) fn ends(&self) -> bool {
        self.attempts.is_some_and(|attempts| attempts > 0)
    }

    /// Reads the line that begins with `keyword`; `false` where it is no line of a speaker.
    pub(super) fn line(&mut self, keyword: &str, words: &mut Words<'_>) -> Result<bool, TextError> {
        match keyword {
            "is" if self.host.is_some() => self.variant = Some(variant(words)?),
            "config" => {
                const EXPECTED: &str = "the name of a configuration file";
                self.config.push(file(words, EXPECTED)?);
                while !words.is_empty() {
                    self.config.push(file(words, EXPECTED)?);
                }
            }
            "file" => self.files.push(file(words, "the name of a file")?),
            "pace" => pace(self.pace.get_or_insert_default(), words, LONGEST_PACE)?,
            "attempts" => self.attempts = Some(words.parse("a number of connection attempts")?),
            "environment" => {
                let word = words.word("NAME=VALUE")?;
                let Some((name, value)) = word.text.split_once('=') else {
                    return Err(TextError::new(
                        word.span.clone(),
                        format!("`{}` is not NAME=VALUE", word.text),
                    )
                    .help("write, for example, exabgp_version=5.0.0"));
                };
                self.environment.push((name.into(), value.into()));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Which speaker plays, as in `async`, `exabgp` or `exabgp=5.0.15+sync`.
fn variant(words: &mut Words<'_>) -> Result<Variant, TextError> {
    let word = words.word("a speaker, as in `async` or `exabgp`")?;
    let variant: Variant = word
        .text
        .parse()
        .map_err(|error| TextError::new(word.span.clone(), format!("{error}")))?;
    locate::check_name(&variant.speaker).map_err(|error| {
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string());
        TextError::new(word.span.clone(), error.to_string()).help(help.unwrap_or_default())
    })?;
    Ok(variant)
}

/// The speakers and peers of a scenario on its hosts, as far as its file is read.
pub(super) struct Placing<'a> {
    pub(super) scenario: &'a mut Scenario,
    pub(super) usual: &'a mut SpeakerDraft,
    pub(super) speakers: &'a mut Vec<SpeakerDraft>,
}

impl Placing<'_> {
    /// The section `speaker HOST` that begins here.
    pub(super) fn speaker(&self, words: &mut Words<'_>) -> Result<SpeakerDraft, TextError> {
        let word = words.word("the name of a host")?;
        let host = known_host(&self.scenario.topology, word)?;
        let mut speakers = self.speakers.iter().filter_map(|it| it.host.as_ref());
        if speakers.any(|(taken, _)| *taken == host) {
            let message = format!("the host `{host}` has a speaker already");
            return Err(TextError::new(word.span.clone(), message)
                .help("a host has one speaker; declare another host for a second one"));
        }
        let mut peers = self.scenario.peers.iter();
        if peers.any(|peer| peer.host == host) {
            return Err(occupied(host, word.span.clone()));
        }
        Ok(SpeakerDraft {
            host: Some((host, word.span.clone())),
            ..SpeakerDraft::default()
        })
    }

    /// The host of the peer at `address`.
    pub(super) fn host_of_peer(
        &self,
        address: IpAddr,
        span: &Range<usize>,
    ) -> Result<HostName, TextError> {
        let topology = &self.scenario.topology;
        if !topology.is_declared {
            let number = self.scenario.peers.len() + 1;
            return name(&match number {
                1 => PEER_HOST.to_owned(),
                _ => format!("{PEER_HOST}{number}"),
            });
        }
        let Some(owner) = topology.owner(address) else {
            return Err(TextError::new(
                span.clone(),
                format!("no host has {address}"),
            ));
        };
        let mut speakers = self.speakers.iter().filter_map(|it| it.host.as_ref());
        if speakers.any(|(host, _)| *host == owner.name) {
            return Err(occupied(owner.name, span.clone()));
        }
        Ok(owner.name)
    }

    /// The speakers, each on its host; where the file has no section for one, the host that no peer is on has it.
    pub(super) fn place_speakers(&mut self) -> Result<Vec<SpeakerScript>, TextError> {
        let mut drafts = std::mem::take(self.speakers);
        if !self.scenario.topology.is_declared {
            return self.place_on_implied_hosts();
        }
        let has_peer = |host: &ScenarioHost| {
            let mut peers = self.scenario.peers.iter();
            peers.any(|peer| peer.host == host.name)
        };
        let hosts = &self.scenario.topology.hosts;
        let has_speaker = |host: &ScenarioHost| {
            let mut speakers = drafts.iter().filter_map(|draft| draft.host.as_ref());
            speakers.any(|(name, _)| *name == host.name)
        };
        let free: Vec<(HostName, Range<usize>)> = hosts
            .iter()
            .filter(|host| !has_peer(host) && !has_speaker(host))
            .map(|host| (host.name, host.span.clone()))
            .collect();
        match (drafts.is_empty(), free.as_slice()) {
            (true, [only]) => drafts.push(SpeakerDraft {
                host: Some(only.clone()),
                config: vec![PathBuf::from("speaker.conf")],
                ..SpeakerDraft::default()
            }),
            (false, []) => {}
            (_, []) => {
                let last = hosts.last().map_or(0..0, |host| host.span.clone());
                return Err(
                    TextError::new(last, "every host has a peer, and none a speaker")
                        .help("declare a host for the speaker: `host NAME ADDRESS`"),
                );
            }
            (_, [(idle, span), ..]) => {
                return Err(TextError::new(
                    span.clone(),
                    format!("the host `{idle}` has neither a speaker nor a peer"),
                )
                .help(format!("add a section `speaker {idle}` or `peer {idle}`")));
            }
        }
        let usual = &self.usual;
        let speakers = drafts.into_iter().filter_map(|draft| {
            let (host, _) = draft.host?;
            let config = [&draft.config, &usual.config];
            let config = config.into_iter().find(|files| !files.is_empty());
            Some(SpeakerScript {
                host,
                variant: draft.variant,
                config: config
                    .cloned()
                    .unwrap_or_else(|| vec![PathBuf::from(format!("{host}.conf"))]),
                files: [usual.files.as_slice(), &draft.files].concat(),
                pace: draft.pace.or(usual.pace),
                // Two speakers end no session by themselves.
                attempts: draft.attempts.or(usual.attempts).unwrap_or(0),
                environment: environment(&[&usual.environment, &draft.environment]),
            })
        });
        Ok(speakers.collect())
    }

    fn place_on_implied_hosts(&mut self) -> Result<Vec<SpeakerScript>, TextError> {
        let mut config = std::mem::take(&mut self.usual.config);
        if config.is_empty() {
            config.push(PathBuf::from("speaker.conf"));
        }
        let speaker = SpeakerScript {
            host: name(SPEAKER_HOST)?,
            variant: None,
            config,
            files: std::mem::take(&mut self.usual.files),
            pace: self.usual.pace,
            attempts: self.usual.attempts.unwrap_or(1),
            environment: environment(&[&self.usual.environment]),
        };
        // Speaker and peers are at loopback addresses, as on the machine that the goldens were recorded on.
        let mut own: Vec<IpAddr> = Vec::new();
        for peer in &self.scenario.peers {
            let address = match peer.address {
                IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
                IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            };
            if !own.contains(&address) {
                own.push(address);
            }
        }
        let hosts = &mut self.scenario.topology.hosts;
        hosts.push(ScenarioHost {
            name: speaker.host,
            addresses: own,
            span: 0..0,
        });
        hosts.extend(self.scenario.peers.iter().map(|peer| ScenarioHost {
            name: peer.host,
            addresses: vec![peer.address],
            span: 0..0,
        }));
        Ok(vec![speaker])
    }
}

fn occupied(host: HostName, span: Range<usize>) -> TextError {
    TextError::new(
        span,
        format!("the host `{host}` cannot have both a speaker and a peer"),
    )
    .help("declare a host of its own for each: `host NAME ADDRESS`")
}

fn environment(parts: &[&[(String, String)]]) -> Vec<(String, String)> {
    let version = ("exabgp_version".into(), "5.0.0-0+test".into());
    let rest = parts.iter().flat_map(|part| part.iter().cloned());
    std::iter::once(version).chain(rest).collect()
}

fn name(text: &str) -> Result<HostName, TextError> {
    let invalid = |error| TextError::new(0..0, format!("{error}"));
    text.parse().map_err(invalid)
}

fn file(words: &mut Words<'_>, expected: &str) -> Result<PathBuf, TextError> {
    let word = words.word(expected)?;
    let path = PathBuf::from(&word.text);
    if path.components().count() != 1 || path.is_absolute() || word.text == ".." {
        return Err(TextError::new(
            word.span.clone(),
            "a scenario's files are in its own directory",
        )
        .help("write the file's name alone"));
    }
    Ok(path)
}
