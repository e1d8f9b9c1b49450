//! A run on the kernel's network of scenarios that declare hosts: this program runs again in a network namespace.

use miette::{IntoDiagnostic, WrapErr};

use super::Status;
use crate::os::namespace;
use crate::scenario::format::script::Scenario;
use crate::scenario::run::network::NetworkKind;

/// The status of the same command in a network namespace, where `scenarios` need one on `network`; `None` where they do not
/// or this is it.
///
/// # Errors
/// The machine has or allows no namespaces.
pub(super) fn again(
    scenarios: &[Scenario],
    network: NetworkKind,
) -> miette::Result<Option<Status>> {
    let declares = scenarios.iter().any(|it| it.topology.is_declared);
    if network != NetworkKind::Kernel || !declares || namespace::is_own() {
        return Ok(None);
    }
    let status = namespace::again().into_diagnostic().wrap_err(
        "scenarios with hosts of their own need a network namespace on --network kernel",
    )?;
    Ok(Some(match status.code() {
        Some(0) => Status::Passed,
        Some(1) => Status::Failed,
        Some(2) | None => Status::Invalid,
        Some(other) => Status::Class(u8::try_from(other).unwrap_or(u8::MAX)),
    }))
}
