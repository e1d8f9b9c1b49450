//! Values as Python shows them.

use std::time::Duration;

/// A length of time: `1 day, 2:03:04`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let days = seconds / 86400;
    let rest = seconds % 86400;
    let clock = format!("{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    match days {
        0 => clock,
        1 => format!("1 day, {clock}"),
        _ => format!("{days} days, {clock}"),
    }
}

/// `true`, `false`, or `null` where it is not known.
pub const fn json(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "true",
        Some(false) => "false",
        None => "null",
    }
}
