//! What a reactor must get right beyond the protocol, as decisions with a name: the seams at which a test may plant a defect.

/// How a reactor conducts itself. The default of each method is what is right; [`Sound`] changes none of them, and
/// being without state it costs nothing.
pub trait Conduct: Clone + 'static {
    /// How many of the commands that one read brought are applied before peers may take changes: all of them,
    /// so that `announce` and `clear` in one write leak nothing.
    fn commands_per_batch(&self) -> usize {
        usize::MAX
    }

    /// Whether an answer waits until every established peer has taken the changes made so far.
    fn answers_wait(&self) -> bool {
        true
    }

    /// Whether a peer that is told of changes looks at them at once, rather than when its read returns.
    fn changes_interrupt_reads(&self) -> bool {
        true
    }

    /// Whether outbound work is done on a turn that received nothing.
    fn sends_without_receiving(&self) -> bool {
        true
    }

    /// Whether peers have their turn before commands are applied (polled).
    fn peers_before_commands(&self) -> bool {
        true
    }

    /// Whether octets that were read stay with the session until a whole message is there.
    fn keeps_partial_reads(&self) -> bool {
        true
    }

    /// Whether the rate limit is observed.
    fn limits_rate(&self) -> bool {
        true
    }

    /// Whether what the peer still sends is read and dropped before a closing socket is given up.
    fn lingers(&self) -> bool {
        true
    }

    /// Whether one connection survives a collision.
    fn resolves_collisions(&self) -> bool {
        true
    }

    /// Whether timers are looked at on every turn, whatever the API brings.
    fn timers_first(&self) -> bool {
        true
    }

    /// Whether a waiter registers before it checks what it waits for.
    fn registers_before_checking(&self) -> bool {
        true
    }
}

/// As it should be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sound;

impl Conduct for Sound {}
