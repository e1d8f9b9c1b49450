//! The `capability` section.

use crate::bgp::text::{TextError, Word, Words};
use crate::speaker::neighbor::AddPath;

use super::{suggest, value};

/// The words of the section.
pub const KEYWORDS: &[&str] = &[
    "nexthop",
    "add-path",
    "asn4",
    "graceful-restart",
    "multi-session",
    "operational",
    "route-refresh",
    "aigp",
    "extended-message",
    "software-version",
    "link-local-nexthop",
    "paths-limit",
    "role",
];

/// Roles of RFC 9234 section 4.1, by value.
const ROLES: [&str; 5] = ["provider", "rs", "rs-client", "customer", "peer"];

/// What the section says; `None` is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CapabilitySection {
    /// `nexthop`
    pub nexthop: Option<bool>,
    /// `add-path`
    pub add_path: Option<AddPath>,
    /// `asn4`
    pub asn4: Option<bool>,
    /// `graceful-restart`: seconds, 0 for the hold time; `Some(None)` is `disable`.
    pub graceful_restart: Option<Option<u16>>,
    /// `multi-session`
    pub multi_session: Option<bool>,
    /// `operational`
    pub operational: Option<bool>,
    /// `route-refresh`
    pub route_refresh: Option<bool>,
    /// `aigp`
    pub aigp: Option<bool>,
    /// `extended-message`
    pub extended_message: Option<bool>,
    /// `software-version`
    pub software_version: Option<bool>,
    /// `link-local-nexthop`
    pub link_local_nexthop: Option<bool>,
    /// `paths-limit`: for every family with add-path.
    pub paths_limit: Option<u16>,
    /// `role`
    pub role: Option<u8>,
}

impl CapabilitySection {
    /// Takes one statement. A switch without a value means `enable`, but for `software-version`, where ExaBGP has `disable`.
    ///
    /// # Errors
    /// Where the keyword is unknown or its value is wrong.
    pub fn set(&mut self, keyword: &Word, words: &mut Words<'_>) -> Result<(), TextError> {
        match keyword.text.as_str() {
            "nexthop" => self.nexthop = Some(value::boolean(words, true)?),
            "add-path" => self.add_path = Some(add_path(words)?),
            "asn4" => self.asn4 = Some(value::boolean(words, true)?),
            "graceful-restart" => self.graceful_restart = Some(graceful_restart(words)?),
            "multi-session" => self.multi_session = Some(value::boolean(words, true)?),
            "operational" => self.operational = Some(value::boolean(words, true)?),
            "route-refresh" => self.route_refresh = Some(value::boolean(words, true)?),
            "aigp" => self.aigp = Some(value::boolean(words, true)?),
            "extended-message" => self.extended_message = Some(value::boolean(words, true)?),
            "software-version" => self.software_version = Some(value::boolean(words, false)?),
            "link-local-nexthop" => self.link_local_nexthop = Some(value::boolean(words, true)?),
            "paths-limit" => {
                self.paths_limit = Some(value::port_sized(words, "a number of paths")?)
            }
            "role" => self.role = Some(role(words)?),
            _ => return Err(suggest::unknown(keyword, "in capability", KEYWORDS)),
        }
        Ok(())
    }

    /// Takes over what `template` says, also where something else was said here (as ExaBGP's `inherit` does).
    pub fn inherit(&mut self, template: &Self) {
        macro_rules! take {
            ($($field:ident),*) => { $(if template.$field.is_some() { self.$field = template.$field; })* };
        }
        take!(
            nexthop,
            add_path,
            asn4,
            graceful_restart,
            multi_session,
            operational,
            route_refresh,
            aigp,
            extended_message,
            software_version,
            link_local_nexthop,
            paths_limit,
            role
        );
    }
}

fn add_path(words: &mut Words<'_>) -> Result<AddPath, TextError> {
    let word = words.word("a direction of add-path")?;
    match word.text.to_ascii_lowercase().as_str() {
        "disable" | "disabled" => Ok(AddPath::Disabled),
        "receive" => Ok(AddPath::Receive),
        "send" => Ok(AddPath::Send),
        "send/receive" => Ok(AddPath::Both),
        other => Err(
            value::wrong(word, "a direction of add-path").help(suggest::help(
                if other == "receive/send" {
                    "send/receive"
                } else {
                    other
                },
                &["send", "receive", "send/receive", "disable"],
            )),
        ),
    }
}

fn graceful_restart(words: &mut Words<'_>) -> Result<Option<u16>, TextError> {
    if words.is_empty() {
        return Ok(Some(0));
    }
    if words.accept("disable") || words.accept("disabled") {
        return Ok(None);
    }
    let word = words.word("a restart time")?;
    value::digits::<u16>(&word.text)
        .filter(|seconds| *seconds <= 0x0fff)
        .map(Some)
        .ok_or_else(|| {
            value::wrong(word, "a restart time")
                .help("write seconds from 0 to 4095 (RFC 4724 has 12 bits for them), or disable")
        })
}

fn role(words: &mut Words<'_>) -> Result<u8, TextError> {
    let word = words.word("a role")?;
    ROLES
        .iter()
        .position(|role| *role == word.text)
        .and_then(|at| u8::try_from(at).ok())
        .ok_or_else(|| suggest::unknown(word, "as a role", &ROLES))
}
