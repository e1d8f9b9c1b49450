//! A command: what an API program wrote on one line, understood.
//!
//! Start at [`Parser::parse`]; one file per family of commands.

mod announce;
mod peer;
mod show;

use crate::bgp::family::Family;
use crate::bgp::message::Operational;
use crate::bgp::text::TextError;
use crate::config::fragment::Fragments;
use crate::speaker::neighbor::Neighbor;
use crate::speaker::route::ConfiguredRoute;

use super::line::Line;
use super::selector::Selector;

/// One command of an API program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The neighbors it is for: any that one of these means; every neighbor of the process where there is none.
    pub selectors: Vec<Selector>,
    /// The action to take.
    pub action: Action,
}

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `announce route …`, `announce ipv4 unicast …`, `announce attributes … nlri …`, `announce flow …`, `announce vpls
    /// …`.
    Announce(Vec<ConfiguredRoute>),
    /// The same with `withdraw`.
    Withdraw(Vec<ConfiguredRoute>),
    /// `announce eor [AFI SAFI]`.
    AnnounceEor(Family),
    /// `announce route-refresh AFI SAFI`.
    RouteRefresh(Family),
    /// `announce operational asm afi ipv4 …`; a router identifier of 0.0.0.0 and a sequence number of 0 are for the
    /// session to fill in.
    Operational(Operational),
    /// `announce watchdog NAME`; without a name, that of the process.
    AnnounceWatchdog(Option<String>),
    /// `withdraw watchdog NAME`.
    WithdrawWatchdog(Option<String>),
    /// `flush adj-rib out`: send the whole Adj-RIB-Out again.
    FlushAdjRibOut,
    /// `clear adj-rib out`: withdraw the whole Adj-RIB-Out.
    ClearAdjRibOut,
    /// `clear adj-rib in`.
    ClearAdjRibIn,
    /// `teardown N`: close with NOTIFICATION 6/N (RFC 4486).
    Teardown(u8),
    /// `show …`.
    Show(Show),
    /// `shutdown`: end the speaker.
    Shutdown,
    /// `reload`: read the configuration again.
    Reload,
    /// `restart`: end and start again.
    Restart,
    /// `version`.
    Version,
    /// `help`.
    Help,
    /// `enable-ack`: answer commands from now on, this one too.
    EnableAck,
    /// `disable-ack`: answer this command and no more.
    DisableAck,
    /// `silence-ack`: answer no more, this command included.
    SilenceAck,
    /// `reset`: forget the commands of this process that wait.
    Reset,
    /// `crash`: ExaBGP's test of its own robustness; answered with an error.
    Crash,
    /// `# …`: a comment, answered like any command.
    Comment,
    /// `debug …`: a line for the log; not a command, so not answered.
    Debug(String),
    /// `ping [UUID] [START]`: answered with a pong line (ExaBGP's development branch).
    Ping {
        /// The client's own identity, if it said it.
        client: Option<String>,
    },
    /// `status` (ExaBGP's development branch).
    Status,
    /// `create neighbor IP …` (ExaBGP's development branch).
    CreateNeighbor(Box<Neighbor>),
    /// `delete neighbor SELECTOR` (ExaBGP's development branch): the command's selectors say which.
    DeleteNeighbor,
    /// Nothing: accepted and without effect, as ExaBGP has it for an operational message it does not know.
    Nothing,
}

/// The arguments of `show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Show {
    /// `show neighbor [ADDRESS] [summary|extensive|configuration] [json]`.
    Neighbor {
        /// Only neighbors whose name has this in it (`summary`: whose address is this).
        limit: Option<String>,
        /// How much, `None` where it was not said.
        detail: Option<NeighborDetail>,
        /// `json`: answer in JSON.
        json: bool,
    },
    /// `show adj-rib in|out [ADDRESS] [inet|flow|l2vpn] [extensive] [json]`.
    AdjRib {
        /// The Adj-RIB-In, else the Adj-RIB-Out.
        incoming: bool,
        /// Only neighbors of this address.
        limit: Option<String>,
        /// Routes to include.
        kind: RouteKind,
        /// With attributes, and the whole name of the neighbor.
        extensive: bool,
        /// `json`: answer in JSON.
        json: bool,
    },
}

/// How much `show neighbor` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeighborDetail {
    /// `summary`: one line per neighbor.
    Summary,
    /// `extensive`: everything about the session.
    Extensive,
    /// `configuration`: the neighbor's section of the configuration.
    Configuration,
}

/// Which routes `show adj-rib` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteKind {
    /// Routes of every family.
    All,
    /// `inet`: IPv4 and IPv6 prefixes.
    Inet,
    /// `flow`.
    Flow,
    /// `l2vpn`: VPLS and EVPN.
    L2vpn,
}

/// The first words of commands.
const VERBS: &[&str] = &[
    "announce",
    "withdraw",
    "flush",
    "clear",
    "show",
    "neighbor",
    "teardown",
    "shutdown",
    "reload",
    "restart",
    "version",
    "help",
    "enable-ack",
    "disable-ack",
    "silence-ack",
    "reset",
    "crash",
    "ping",
    "status",
    "create",
    "delete",
];

/// Understands commands, and remembers parts of them so that many alike cost little.
#[derive(Debug, Clone, Default)]
pub struct Parser {
    fragments: Fragments,
}

impl Parser {
    /// Understands one line, without its newline.
    ///
    /// # Errors
    /// What is wrong with it; the span counts octets of `line`.
    pub fn parse(&mut self, line: &str) -> Result<Command, TextError> {
        if let Some(text) = line.strip_prefix("debug ") {
            return Ok(Command {
                selectors: Vec::new(),
                action: Action::Debug(text.to_owned()),
            });
        }
        let mut words = Line::new(line);
        let selectors = super::selector::parse(&mut words)?;
        if let Some(action) = announce::plain_route(line, words.at(), &mut self.fragments) {
            return Ok(Command {
                selectors,
                action: action?,
            });
        }
        let (selectors, action) = self.action(&mut words, selectors)?;
        Ok(Command { selectors, action })
    }

    fn action(
        &mut self,
        words: &mut Line<'_>,
        selectors: Vec<Selector>,
    ) -> Result<(Vec<Selector>, Action), TextError> {
        let verb = words.expect("a command")?;
        if verb.text.starts_with('#') {
            return Ok((selectors, Action::Comment));
        }
        let action = match verb.text {
            "announce" => announce::announce(words, &mut self.fragments)?,
            "withdraw" => announce::withdraw(words, &mut self.fragments)?,
            "show" => return Ok((selectors, Action::Show(show::parse(words)?))),
            "flush" => peer::flush(words)?,
            "clear" => peer::clear(words)?,
            "teardown" => peer::teardown(words)?,
            "create" => peer::create(words)?,
            "delete" => return peer::delete(words),
            "shutdown" => Action::Shutdown,
            "reload" => Action::Reload,
            "restart" => Action::Restart,
            "version" => Action::Version,
            "help" => Action::Help,
            "enable-ack" => Action::EnableAck,
            "disable-ack" => Action::DisableAck,
            "silence-ack" => Action::SilenceAck,
            "reset" => Action::Reset,
            "crash" => Action::Crash,
            "ping" => Action::Ping {
                client: words.word().map(|word| word.text.to_owned()),
            },
            "status" => Action::Status,
            _ => return Err(verb.unknown("as a command", VERBS)),
        };
        if !matches!(action, Action::Ping { .. }) {
            words.finish()?;
        }
        Ok((selectors, action))
    }
}

/// Understands one line by itself.
///
/// # Errors
/// As for [`Parser::parse`].
pub fn parse(line: &str) -> Result<Command, TextError> {
    Parser::default().parse(line)
}

#[cfg(test)]
mod tests;
