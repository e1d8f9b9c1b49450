//! What a guest may write, held by the kernel: landlock(7).

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, path_beneath_rules,
};

/// The newest version whose rights are asked for; an older kernel enforces those that it knows.
const NEWEST: ABI = ABI::V5;

/// Confines this process: it reads all, and writes `directory` and `/dev/null` alone. No TCP of the kernel's.
pub(super) fn confine(directory: &Path) -> Result<(), String> {
    let status = restrict(directory)
        .map_err(|error| format!("Landlock cannot confine the guest: {error}"))?;
    if status == RulesetStatus::NotEnforced {
        return Err(
            "Landlock is not enabled in this kernel (5.13 or later, `lsm=landlock`): a guest could write outside its directory"
                .into(),
        );
    }
    Ok(())
}

fn restrict(directory: &Path) -> Result<RulesetStatus, RulesetError> {
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(["/"], AccessFs::from_read(NEWEST)))?
        .add_rules(path_beneath_rules([directory], AccessFs::from_all(NEWEST)))?
        .add_rules(path_beneath_rules(
            ["/dev/null"],
            AccessFs::from_file(NEWEST),
        ))?
        .restrict_self()?;
    Ok(status.ruleset)
}
