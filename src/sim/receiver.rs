//! The receiving half of an end: order, and acknowledgements that wait.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::sim::sysctl::kernel_timer;

/// The least pause of a delayed acknowledgement (`TCP_ATO_MIN`).
const DELAY: Duration = Duration::from_millis(40);
/// The longest pause of a delayed acknowledgement (`TCP_DELACK_MAX`).
const LONGEST_DELAY: Duration = Duration::from_millis(200);
/// Acknowledgements that are not delayed, at the beginning of a connection and after trouble (`TCP_MAX_QUICKACKS`).
const QUICK: u32 = 16;
/// What a segment is taken to hold before one has come (`TCP_MSS_DEFAULT`).
const USUAL_SEGMENT: usize = 536;
/// Answers to segments out of the window are at least so far apart (`tcp_invalid_ratelimit`).
const ANSWER_PAUSE: Duration = Duration::from_millis(500);

/// The receiving half of an end.
#[derive(Debug)]
pub(super) struct Receiver {
    /// The next octet expected.
    pub next: u64,
    /// The end of the window as the peer knows it.
    pub(super) edge: u64,
    /// The window that was told last (`rcv_wnd`).
    told: u64,
    /// What has arrived out of order; a FIN is `None`.
    pub(super) ahead: BTreeMap<u64, Option<Bytes>>,
    /// The latest block beyond `next`.
    pub sacked: Option<(u64, u64)>,
    unacknowledged: usize,
    /// Segments shorter than others have come since the last acknowledgement: one, or more (`ICSK_ACK_PUSHED`).
    pushed: u8,
    /// The longest segment that has come (`rcv_mss`).
    longest: usize,
    quick: u32,
    /// The application answers soon: acknowledgements may wait for it (`pingpong`).
    interactive: bool,
    /// How long an acknowledgement waits (`icsk_ack.ato`); zero before the first segment.
    pause: Duration,
    last_data: Duration,
    /// When a delayed acknowledgement goes out.
    pub delayed: Option<Duration>,
    /// When the peer last acknowledged anything or sent what was expected.
    pub heard: Duration,
    /// When a segment out of the window was last answered.
    answered: Option<Duration>,
}

impl Receiver {
    pub fn new(window: u64, segment: usize) -> Self {
        Self {
            next: 0,
            edge: window,
            told: window,
            ahead: BTreeMap::new(),
            sacked: None,
            unacknowledged: 0,
            pushed: 0,
            longest: segment.min(USUAL_SEGMENT),
            quick: 0,
            interactive: false,
            pause: Duration::ZERO,
            last_data: Duration::ZERO,
            delayed: None,
            heard: Duration::ZERO,
            answered: None,
        }
    }

    pub fn stop(&mut self) {
        self.delayed = None;
        self.ahead.clear();
    }

    /// The application has sent something (`tcp_event_data_sent`).
    pub fn answers(&mut self, now: Duration) {
        if now.saturating_sub(self.last_data) < self.pause {
            self.interactive = true;
        }
    }

    /// Octets, or a FIN, have come in order (`tcp_event_data_recv`).
    pub(super) fn takes(&mut self, length: usize, now: Duration, rto: Duration) {
        self.unacknowledged += length;
        if length >= self.longest {
            self.longest = length;
        } else {
            self.pushed = (self.pushed + 1).min(2);
        }
        let since = now.saturating_sub(self.last_data);
        if self.pause.is_zero() {
            self.pause = DELAY;
            self.be_quick();
        } else if since <= DELAY / 2 {
            self.pause = self.pause / 2 + DELAY / 2;
        } else if since < self.pause {
            self.pause = (self.pause / 2 + since).min(rto);
        } else if since > rto {
            // The sender may have begun anew.
            self.be_quick();
        }
        self.last_data = now;
    }

    fn be_quick(&mut self) {
        let window = self.edge.saturating_sub(self.next) as usize;
        let segments = u32::try_from(window / (2 * self.longest.max(1))).unwrap_or(QUICK);
        let segments = if segments == 0 {
            2
        } else {
            segments.min(QUICK)
        };
        self.quick = self.quick.max(segments);
    }

    /// Something came twice, or out of order (`tcp_enter_quickack_mode`).
    pub(super) fn is_in_trouble(&mut self) {
        self.interactive = false;
        self.pause = DELAY;
        self.be_quick();
    }

    /// The peer sends no more: what is left is the application's own FIN (`tcp_fin`).
    pub(super) fn waits_for_fin(&mut self) {
        self.interactive = true;
    }

    /// Whether what came in order is acknowledged at once (`__tcp_ack_snd_check`); `window` is what can be told now.
    pub(super) fn is_prompt(&self, window: u64) -> bool {
        (self.unacknowledged > self.longest && window >= self.told)
            || (self.quick > 0 && !self.interactive)
    }

    /// Whether a read after which nothing is left unread acknowledges what was read (`tcp_cleanup_rbuf`).
    pub(super) fn read_acknowledges(&self, is_empty: bool) -> bool {
        self.unacknowledged > self.longest
            || (is_empty && (self.pushed > 1 || (self.pushed > 0 && !self.interactive)))
    }

    /// Lets an acknowledgement wait (`tcp_send_delayed_ack`); says whether it must not wait any longer.
    pub(super) fn delays(&mut self, now: Duration, round_trip: Option<Duration>) -> bool {
        let mut pause = self.pause;
        if pause > DELAY {
            let most = if self.interactive || self.pushed > 0 {
                LONGEST_DELAY
            } else {
                Duration::from_millis(500)
            };
            let most = round_trip.map_or(most, |time| time.max(DELAY).min(most));
            pause = pause.min(most);
        }
        let pause = pause.min(LONGEST_DELAY);
        match self.delayed {
            Some(due) if due <= now + pause / 4 => return true,
            Some(due) => self.delayed = Some(due.min(kernel_timer(now, pause))),
            None => self.delayed = Some(kernel_timer(now, pause)),
        }
        false
    }

    /// A delayed acknowledgement is due (`tcp_delack_timer_handler`).
    pub(super) fn was_delayed(&mut self, rto: Duration) {
        if self.interactive {
            self.interactive = false;
            self.pause = DELAY;
        } else {
            self.pause = (2 * self.pause).min(rto);
        }
    }

    /// An acknowledgement leaves, alone or with data, and tells this window, of `most`.
    pub(super) fn acknowledges(&mut self, window: u64, most: u64) {
        if self.unacknowledged > 0 && self.quick > 0 {
            self.quick -= 1;
            if self.quick == 0 {
                self.pause = DELAY;
            }
        }
        if window < most / 2 {
            self.quick = 0;
        }
        self.edge = self.edge.max(self.next + window);
        self.told = self.edge - self.next;
        self.unacknowledged = 0;
        self.pushed = 0;
        self.delayed = None;
    }

    /// Whether a segment out of the window, without octets, is answered (`tcp_oow_rate_limited`).
    pub(super) fn may_answer(&mut self, now: Duration) -> bool {
        if self.answered.is_some_and(|at| now < at + ANSWER_PAUSE) {
            return false;
        }
        self.answered = Some(now);
        true
    }
}

impl Receiver {
    /// What is there without a gap around the segment at `seq`.
    pub(super) fn block(&self, seq: u64, length: usize) -> (u64, u64) {
        let (mut start, mut end) = (seq, seq + length as u64);
        for (at, bytes) in &self.ahead {
            let after = at + bytes.as_ref().map_or(1, |bytes| bytes.len() as u64);
            if *at <= end && after >= start {
                start = start.min(*at);
                end = end.max(after);
            }
        }
        (start, end)
    }
}
