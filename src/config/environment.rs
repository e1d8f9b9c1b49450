//! The environment: names that begin with `exabgp`, as ExaBGP has them, to the speaker's settings.
//!
//! `exabgp_tcp_port`, `exabgp.tcp.port` and `EXABGP_TCP_PORT` are the same name, and so is `port` in the section
//! `[exabgp.tcp]` of an environment file.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::speaker::settings::{ApiEncoder, Settings};

use super::suggest;

/// Names of settings that ExaBGP has and that mean nothing here: they are accepted, so that what starts it starts this
/// speaker too.
const WITHOUT_MEANING: &[&str] = &[
    "profile_enable",
    "profile_file",
    "pdb_enable",
    "log_all",
    "log_configuration",
    "log_reactor",
    "log_daemon",
    "log_processes",
    "log_network",
    "log_statistics",
    "log_packets",
    "log_rib",
    "log_message",
    "log_timers",
    "log_routes",
    "log_parser",
    "log_short",
    "tcp_delay",
    "tcp_acl",
    "cache_attributes",
    "cache_nexthops",
    "api_chunk",
    "api_show_routes_format",
    "api_socketname",
    "reactor_speed",
    "debug_pdb",
    "debug_memory",
    "debug_configuration",
    "debug_selfcheck",
    "debug_route",
    "debug_defensive",
    "cli_pipe",
];

/// Names that mean something.
const NAMES: &[&str] = &[
    "tcp_port",
    "tcp_bind",
    "tcp_attempts",
    "tcp_connections",
    "tcp_once",
    "bgp_passive",
    "bgp_openwait",
    "version",
    "api_ack",
    "api_encoder",
    "api_respawn",
    "api_terminate",
    "api_compact",
    "api_version",
    "api_cli",
    "api_pipename",
    "debug_rotate",
    "log_level",
    "log_enable",
    "log_destination",
    "daemon_pid",
    "daemon_user",
    "daemon_daemonize",
    "daemon_drop",
    "daemon_umask",
    "reactor_asyncio",
];

/// What the environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The settings of the speaker.
    pub settings: Settings,
    /// What the daemon asks of the system.
    pub service: Service,
    /// `exabgp_log_level`: a level of syslog, in upper case.
    pub log_level: Option<String>,
    /// `exabgp_log_enable` is false.
    pub log_off: bool,
    /// `exabgp_log_destination`: `stdout` where it is absent, `stderr`, `syslog`, `host:NAME`, or a file.
    pub log_destination: Option<String>,
    /// `exabgp_api_cli`: commands are taken from named pipes, where there are any.
    pub cli: bool,
    /// `exabgp_api_pipename`: their name.
    pub pipename: String,
    /// `exabgp_reactor_asyncio`: the async reactor is asked for.
    pub asyncio: Option<bool>,
    /// Names that ExaBGP does not have either, with what was perhaps meant.
    pub unknown: Vec<String>,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            service: Service::default(),
            log_level: None,
            log_off: false,
            log_destination: None,
            cli: true,
            pipename: "exabgp".to_owned(),
            asyncio: None,
            unknown: Vec::new(),
        }
    }
}

/// What a daemon asks of the system; the defaults are ExaBGP's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `exabgp_daemon_user`: whom it becomes where root started it, once it listens.
    pub user: String,
    /// `exabgp_daemon_drop`: API programs are that user's too, and not root's.
    pub drop: bool,
    /// `exabgp_daemon_umask`.
    pub umask: u32,
    /// `exabgp_daemon_pid`: the file that holds its process number while it runs.
    pub pid: Option<PathBuf>,
    /// `exabgp_daemon_daemonize`: it goes into the background.
    pub daemonize: bool,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            user: "nobody".to_owned(),
            drop: true,
            umask: 0o137,
            pid: None,
            daemonize: false,
        }
    }
}

/// A value that its name cannot have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the environment has {name}={value}, which is not {expected}")]
pub struct EnvironmentError {
    /// The name, as it was given.
    pub name: String,
    /// The value as written, without quotes.
    pub value: String,
    /// What it should be.
    pub expected: &'static str,
}

/// Reads names and values; those that do not begin with `exabgp` are passed over.
///
/// # Errors
/// A value that is none of its name's.
pub fn parse<N: AsRef<str>, V: AsRef<str>>(
    variables: impl IntoIterator<Item = (N, V)>,
) -> Result<Environment, EnvironmentError> {
    let mut environment = Environment::default();
    for (name, value) in variables {
        let (name, value) = (name.as_ref(), value.as_ref());
        let lower = name.to_ascii_lowercase().replace(['.', '-'], "_");
        let Some(key) = lower.strip_prefix("exabgp_") else {
            continue;
        };
        environment
            .set(key, value)
            .map_err(|expected| EnvironmentError {
                name: name.to_owned(),
                value: value.to_owned(),
                expected,
            })?;
    }
    Ok(environment)
}

/// The names and values of an environment file (`exabgp.env`): an INI file with the sections `[exabgp.tcp]` and so on.
/// What is no section, no value and no comment is passed over; so are names without a value.
pub fn read_file(text: &str) -> impl Iterator<Item = (String, String)> {
    let mut section = "";
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').trim();
            return None;
        }
        if line.starts_with(['#', ';']) {
            return None;
        }
        let (name, value) = line.split_once(['=', ':'])?;
        Some((
            format!("{section}.{}", name.trim()),
            value.trim().to_owned(),
        ))
    })
}

impl Environment {
    fn set(&mut self, key: &str, value: &str) -> Result<(), &'static str> {
        let value = unquoted(value);
        let settings = &mut self.settings;
        match key {
            "tcp_port" => settings.port = number(value)?,
            "tcp_bind" => settings.bind = addresses(value)?,
            "tcp_attempts" | "tcp_connections" => settings.attempts = number(value)?,
            // The older name for one attempt alone; it does not take attempts back that another name gives.
            "tcp_once" if switch(value)? => settings.attempts = 1,
            "tcp_once" => {}
            "bgp_passive" => settings.passive = switch(value)?,
            "bgp_openwait" => settings.open_wait = Duration::from_secs(number(value)?),
            "version" => value.clone_into(&mut settings.version),
            "api_ack" => settings.api_ack = switch(value)?,
            "api_encoder" => {
                settings.api_encoder = match value.to_ascii_lowercase().as_str() {
                    "json" => ApiEncoder::Json,
                    "text" => ApiEncoder::Text,
                    _ => return Err("json or text"),
                };
            }
            "api_respawn" => settings.api_respawn = switch(value)?,
            "api_terminate" => settings.api_terminate = switch(value)?,
            "api_compact" => settings.api_compact = switch(value)?,
            // The text API is that of version 4 and 5; version 6 has another.
            "api_version" if matches!(value, "4" | "5") => {}
            "api_version" => {
                return Err("4 or 5, the versions of the text API that are spoken here");
            }
            "api_cli" => self.cli = switch(value)?,
            "api_pipename" => value.clone_into(&mut self.pipename),
            "debug_rotate" => settings.debug_rotate = switch(value)?,
            "daemon_user" => value.clone_into(&mut self.service.user),
            "daemon_drop" => self.service.drop = switch(value)?,
            "daemon_daemonize" => self.service.daemonize = switch(value)?,
            "daemon_pid" => {
                self.service.pid = (!value.is_empty()).then(|| PathBuf::from(value));
            }
            "daemon_umask" => {
                self.service.umask = u32::from_str_radix(value.trim_start_matches("0o"), 8)
                    .ok()
                    .filter(|umask| *umask <= 0o777)
                    .ok_or("an octal number up to 777")?;
            }
            "log_enable" => self.log_off = !switch(value)?,
            "log_destination" => self.log_destination = Some(value.to_owned()),
            "log_level" => self.log_level = Some(value.to_ascii_uppercase()),
            "reactor_asyncio" => self.asyncio = Some(switch(value)?),
            _ if WITHOUT_MEANING.contains(&key) => {}
            _ => self
                .unknown
                .push(format!("exabgp_{key}: {}", suggest::help(key, NAMES))),
        }
        Ok(())
    }
}

fn unquoted(value: &str) -> &str {
    let value = value.trim();
    for mark in ['"', '\''] {
        let inner = value
            .strip_prefix(mark)
            .and_then(|rest| rest.strip_suffix(mark));
        if let Some(inner) = inner {
            return inner;
        }
    }
    value
}

fn number<T: std::str::FromStr>(value: &str) -> Result<T, &'static str> {
    value.parse().map_err(|_| "a number of its range")
}

fn switch(value: &str) -> Result<bool, &'static str> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "on" | "enable" | "true" => Ok(true),
        "" | "0" | "no" | "off" | "disable" | "false" => Ok(false),
        _ => Err("true or false"),
    }
}

fn addresses(value: &str) -> Result<Vec<IpAddr>, &'static str> {
    value
        .split_whitespace()
        .map(|address| address.parse().map_err(|_| "a list of IP addresses"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_runner_sets() {
        let environment = parse([
            ("PATH", "/bin"),
            ("exabgp_version", "5.0.0-0+test"),
            ("exabgp_tcp_connections", "2"),
            ("exabgp_api_cli", "false"),
            ("exabgp_debug_rotate", "true"),
            ("exabgp_debug_configuration", "true"),
            ("exabgp_tcp_bind", ""),
            ("exabgp_tcp_port", "1790"),
            ("exabgp_api_socketname", "exabgp-test-1790"),
            ("exabgp_api_version", "4"),
            ("exabgp.api.ack", "off"),
            ("EXABGP_LOG_LEVEL", "debug"),
        ])
        .unwrap();
        let settings = Settings {
            version: "5.0.0-0+test".to_owned(),
            attempts: 2,
            debug_rotate: true,
            port: 1790,
            api_ack: false,
            ..Settings::default()
        };
        assert_eq!(environment.settings, settings);
        assert_eq!(environment.log_level.as_deref(), Some("DEBUG"));
        assert_eq!(environment.unknown, [""; 0]);
    }

    #[test]
    fn addresses_to_listen_on() {
        let environment = parse([("exabgp_tcp_bind", "'127.0.0.1 ::1'")]).unwrap();
        assert_eq!(environment.settings.bind.len(), 2);
    }

    #[test]
    fn an_environment_file_and_what_a_daemon_asks_for() {
        let text = "\
            # written by exabgp env\n\
            [exabgp.daemon]\n\
            user = 'exabgp'\n\
            pid: /run/exabgp/exabgp.pid\n\
            umask = '0022'\n\
            drop = false\n\
            ; later\n\
            [exabgp.log]\n\
            destination = stderr\n\
            [exabgp.tcp]\n\
            port = 1179\n\
            bind =\n";
        let variables = [("exabgp_tcp_port".to_owned(), "2179".to_owned())];
        let environment = parse(read_file(text).chain(variables)).unwrap();
        let service = Service {
            user: "exabgp".to_owned(),
            pid: Some("/run/exabgp/exabgp.pid".into()),
            umask: 0o022,
            drop: false,
            daemonize: false,
        };
        assert_eq!(environment.service, service);
        assert_eq!(environment.log_destination.as_deref(), Some("stderr"));
        assert_eq!(environment.settings.port, 2179);
        assert_eq!(environment.unknown, [""; 0]);
        let error = parse([("exabgp_daemon_umask", "888")]).unwrap_err();
        assert_eq!(error.expected, "an octal number up to 777");
    }

    #[test]
    fn mistakes_are_told() {
        let error = parse([("exabgp_tcp_port", "high")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment has exabgp_tcp_port=high, which is not a number of its range"
        );
        let environment = parse([("exabgp_tcp_prot", "1")]).unwrap();
        assert_eq!(
            environment.unknown,
            ["exabgp_tcp_prot: did you mean `tcp_port`?"]
        );
    }
}
