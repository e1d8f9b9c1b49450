//! Graceful restart (RFC 4724 section 3, RFC 8538 section 2).
//!
//! ```text
//!  +-----------------------------+
//!  |   Restart Flags (4 bits)    |
//!  |   Restart Time (12 bits)    |  seconds
//!  +-----------------------------+
//!  |   AFI (2), SAFI (1), Flags (1), for each family
//!  +-----------------------------+
//! ```

use super::CapabilityForm;
use crate::bgp::error::{DecodeError, EncodeError};
use crate::bgp::family::Family;
use crate::bgp::json::join;
use crate::bgp::wire::{Reader, Writer};

/// How the speaker restarts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GracefulRestart {
    /// Four bits: see [`GracefulRestart::RESTART_STATE`].
    pub flags: u8,
    /// Seconds until the session is back; 12 bits.
    pub time: u16,
    /// Families and their flags: see [`GracefulRestart::FORWARDING_STATE`].
    pub families: Vec<(Family, u8)>,
}

impl GracefulRestart {
    /// The speaker has restarted.
    pub const RESTART_STATE: u8 = 0x8;
    /// It takes graceful NOTIFICATIONs (RFC 8538).
    pub const NOTIFICATION: u8 = 0x4;
    /// The family's forwarding state was preserved.
    pub const FORWARDING_STATE: u8 = 0x80;
    /// The longest restart time, in seconds.
    pub const MAXIMUM_TIME: u16 = 0x0fff;
}

impl CapabilityForm for GracefulRestart {
    fn code(&self) -> u8 {
        0x40
    }

    fn decode(_: u8, mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let restart = reader.u16()?;
        let mut families = Vec::new();
        while !reader.is_empty() {
            families.push((Family::decode(&mut reader)?, reader.u8()?));
        }
        Ok(Self {
            flags: (restart >> 12) as u8,
            time: restart & Self::MAXIMUM_TIME,
            families,
        })
    }

    fn encode(&self, out: &mut Writer) -> Result<(), EncodeError> {
        let (time, limit) = (usize::from(self.time), usize::from(Self::MAXIMUM_TIME));
        EncodeError::within("restart time", time, limit)?;
        EncodeError::within("restart flags", usize::from(self.flags), 0x0f)?;
        let restart = u16::from(self.flags) << 12 | self.time;
        out.extend_from_slice(&restart.to_be_bytes());
        for (family, flags) in &self.families {
            family.encode(out);
            out.push(*flags);
        }
        Ok(())
    }

    fn json(instances: &[&Self], out: &mut String) {
        let Some(last) = instances.last() else { return };
        out.push_str(&format!(
            "{{ \"name\": \"graceful restart\", \"time\": {}, \"address-family-flags\": {{ ",
            last.time
        ));
        let families = merged(instances);
        let items = families.iter().map(|(family, flags)| {
            let restart = if flags & Self::FORWARDING_STATE != 0 {
                " \"restart\""
            } else {
                ""
            };
            format!("\"{}/{}\": [{restart} ] ", family.afi, family.safi)
        });
        join(items, ", ", out);
        let forwarding = if last.flags & Self::RESTART_STATE != 0 {
            " \"forwarding\" "
        } else {
            " "
        };
        out.push_str(&format!("}}, \"restart-flags\": [{forwarding}]  }}"));
    }

    fn text(instances: &[&Self], out: &mut String) {
        let Some(last) = instances.last() else { return };
        out.push_str(&format!(
            "Graceful Restart Flags {:#x} Time {} ",
            last.flags, last.time
        ));
        let families = merged(instances);
        let items = families
            .iter()
            .map(|(family, flags)| format!("{}/{}={flags:#x}", family.afi, family.safi));
        join(items, " ", out);
    }
}

/// The families of all instances, the flags of each as it was last given, all but the forwarding state masked, as ExaBGP has it.
fn merged(instances: &[&GracefulRestart]) -> Vec<(Family, u8)> {
    let all = instances.iter().flat_map(|one| &one.families);
    super::by_family(
        all.map(|&(family, flags)| (family, flags & GracefulRestart::FORWARDING_STATE)),
    )
}
