//! Defects as a reactor's conduct.

use super::defect::Defect;
use crate::reactor::conduct::Conduct;

/// The conduct of a reactor that has these defects.
#[derive(Debug, Clone, Copy)]
pub struct Policy(u32);

impl Policy {
    /// With `defects`.
    #[must_use]
    pub fn new(defects: &[Defect]) -> Self {
        Self(
            defects
                .iter()
                .fold(0, |bits, defect| bits | 1 << *defect as u32),
        )
    }

    const fn has(self, defect: Defect) -> bool {
        self.0 & (1 << defect as u32) != 0
    }
}

impl Conduct for Policy {
    fn commands_per_batch(&self) -> usize {
        if self.has(Defect::OneCommandPerLoop) {
            1
        } else {
            usize::MAX
        }
    }

    fn answers_wait(&self) -> bool {
        !self.has(Defect::EarlyAnswer)
    }

    fn changes_interrupt_reads(&self) -> bool {
        !self.has(Defect::SleepInRead)
    }

    fn sends_without_receiving(&self) -> bool {
        !self.has(Defect::ReadWithoutTimeout) && !self.has(Defect::ContinueAfterTimeout)
    }

    fn peers_before_commands(&self) -> bool {
        !self.has(Defect::CommandsBeforePeers)
    }

    fn keeps_partial_reads(&self) -> bool {
        !self.has(Defect::CancelledRead)
    }

    fn limits_rate(&self) -> bool {
        !self.has(Defect::NoRateLimit)
    }

    fn lingers(&self) -> bool {
        !self.has(Defect::NotificationLost)
    }

    fn resolves_collisions(&self) -> bool {
        !self.has(Defect::CollisionToNone)
    }

    fn timers_first(&self) -> bool {
        !self.has(Defect::KeepaliveStarved)
    }

    fn registers_before_checking(&self) -> bool {
        !self.has(Defect::LostWakeup)
    }
}
