//! What an end of a connection sends, and sends again: windows, acknowledgements, and when the next timer is due.

use std::time::Duration;

use bytes::Bytes;

use crate::sim::sender::Timer;
use crate::sim::sysctl::kernel_timer;
use crate::sim::tcp::{Effects, Segment, Sending, Side, Tcp};

/// Two ticks of the kernel's clock (`TCP_TIMEOUT_MIN`).
const LEAST_TIMEOUT: Duration = Duration::from_millis(8);

impl Tcp {
    /// Sends again what was lost, then what the windows allow, then the FIN that waits behind it.
    pub(super) fn send(&mut self, side: Side, effects: &mut Effects) {
        let most = self.segment;
        let mut sent_any = false;
        let mut sent_whole = false;
        loop {
            let end = self.end(side);
            if end.dead {
                return;
            }
            let sender = &mut end.sender;
            let in_flight = sender.in_flight(most);
            if in_flight > 0 && in_flight >= sender.congestion_window {
                break;
            }
            if sender.recovery.is_some()
                && let Some(at) = sender.flight.iter().position(|sent| sent.lost)
            {
                sender.since.get_or_insert(effects.now);
                self.send_again(side, at, effects);
                sent_any = true;
                continue;
            }
            let room = sender.edge.saturating_sub(sender.next) as usize;
            let length = most.min(end.unsent.len());
            // What is left of a window takes a piece only right behind a whole segment (`tcp_snd_wnd_test`), or a probe.
            let bytes = if length > 0 && (room >= length || (room > 0 && sent_whole)) {
                sent_whole = length == most;
                let length = length.min(room);
                Some(end.unsent.drain(..length).collect::<Bytes>())
            } else if end.unsent.is_empty() && end.sending == Sending::Closing {
                end.sending = Sending::Closed;
                None
            } else {
                break;
            };
            let first = sender.flight.is_empty();
            let probe = matches!(sender.timer, Some((_, Timer::TailLoss)));
            sent_any |= first || probe;
            let kind = sender.sends(bytes, effects.now);
            self.push(side, kind, effects);
        }
        if sent_any {
            self.arm(side, effects.now);
        }
        let end = self.end(side);
        let sender = &mut end.sender;
        if sender.flight.is_empty() && !end.unsent.is_empty() {
            // Only a closed window holds it back.
            if !matches!(sender.timer, Some((_, Timer::Window))) {
                sender.backoff = 0;
                sender.probes = 0;
                sender.since = None;
                self.arm_window_probe(side, effects.now);
            }
        } else if matches!(sender.timer, Some((_, Timer::Window))) && !sender.flight.is_empty() {
            self.arm(side, effects.now);
        }
    }

    pub(super) fn send_again(&mut self, side: Side, at: usize, effects: &mut Effects) {
        let sender = &mut self.end(side).sender;
        let Some(sent) = sender.flight.get_mut(at) else {
            return;
        };
        sent.lost = false;
        sent.again = true;
        sent.at = effects.now;
        let kind = sent.kind();
        self.push(side, kind, effects);
    }

    /// Sets the timer for what is in flight, from `now`.
    pub(super) fn arm(&mut self, side: Side, now: Duration) {
        let settings = self.end(side).settings;
        let sender = &mut self.end(side).sender;
        if sender.flight.is_empty() {
            sender.timer = None;
            return;
        }
        let rto = sender.round_trip.rto(settings.rto_max());
        let quiet = sender.backoff == 0 && sender.recovery.is_none() && !sender.probed;
        let whole = sender.flight.iter().all(|sent| !sent.sacked && !sent.lost);
        let smoothed = sender.round_trip.smoothed();
        if let Some(smoothed) = smoothed
            && quiet
            && whole
            && settings.early_retrans >= 3
        {
            let more = if sender.flight.len() == 1 {
                settings.rto_min()
            } else {
                LEAST_TIMEOUT
            };
            let pause = (2 * smoothed + more).min(rto);
            sender.timer = Some((kernel_timer(now, pause), Timer::TailLoss));
            return;
        }
        let pause = (rto * (1 << sender.backoff.min(16))).min(settings.rto_max());
        self.set_timer(side, now, pause, Timer::Retransmit);
    }

    /// Sets a timer, which ends early where TCP_USER_TIMEOUT does.
    pub(super) fn set_timer(&mut self, side: Side, now: Duration, pause: Duration, timer: Timer) {
        let limit = self.end(side).settings.user_timeout();
        let sender = &mut self.end(side).sender;
        let pause = match (limit, sender.since) {
            (Some(limit), Some(since)) => {
                let left = (since + limit).saturating_sub(now);
                pause.min(left.max(Duration::from_millis(4)))
            }
            _ => pause,
        };
        sender.timer = Some((kernel_timer(now, pause), timer));
    }

    pub(super) fn arm_window_probe(&mut self, side: Side, now: Duration) {
        let settings = self.end(side).settings;
        let sender = &self.end(side).sender;
        let base = sender
            .round_trip
            .rto(settings.rto_max())
            .max(settings.rto_min());
        let pause = (base * (1 << sender.backoff.min(16))).min(settings.rto_max());
        self.set_timer(side, now, pause, Timer::Window);
    }

    /// What `segment` acknowledges, and what window it gives.
    pub(super) fn acknowledged(&mut self, side: Side, segment: &Segment, effects: &mut Effects) {
        let now = effects.now;
        let most = self.segment;
        let end = self.end(side);
        let rto_min = end.settings.rto_min();
        let sender = &mut end.sender;
        sender.probes = 0;
        sender.edge = sender.edge.max(segment.edge);
        let before = sender.una;
        let advanced = segment.ack > before;
        if !advanced
            && segment.sacked.is_none()
            && sender.flight.is_empty()
            && end.unsent.is_empty()
        {
            return;
        }
        let in_flight = sender.in_flight(most);
        let mut sample = None;
        while sender
            .flight
            .front()
            .is_some_and(|sent| sent.end() <= segment.ack)
        {
            if let Some(sent) = sender.flight.pop_front()
                && !sent.sacked
            {
                let took = now.saturating_sub(sent.at);
                if sample.is_none_or(|(again, _)| again) {
                    sample = Some((sent.again, took));
                }
                sender.newest = sender.newest.max((sent.at, took));
            }
        }
        sender.una = sender.una.max(segment.ack.min(sender.next));
        if let Some((from, to)) = segment.sacked {
            for sent in &mut sender.flight {
                if sent.seq >= from && sent.end() <= to && !sent.sacked {
                    sent.sacked = true;
                    sent.lost = false;
                    let took = now.saturating_sub(sent.at);
                    sender.newest = sender.newest.max((sent.at, took));
                }
            }
        }
        if let Some((_, took)) = sample {
            let next = sender.next;
            sender.round_trip.sample(took, rto_min, segment.ack, next);
        }
        if advanced {
            let count = (segment.ack - before) as usize;
            end.soft_error = None;
            sender.backoff = 0;
            sender.since = None;
            sender.probed = false;
            if sender.recovery.is_some_and(|until| segment.ack >= until) {
                sender.recovery = None;
            }
            if in_flight * 2 >= sender.congestion_window || sender.recovery.is_some() {
                sender.congestion_window += if sender.congestion_window < sender.threshold {
                    count
                } else {
                    (most * count / sender.congestion_window.max(1)).max(1)
                };
            }
        }
        let later = self.look_for_loss(side, now);
        let end = self.end(side);
        if advanced {
            self.arm(side, now);
        } else if end.sender.flight.is_empty() && end.unsent.is_empty() {
            end.sender.timer = None;
        }
        if let Some(later) = later {
            let pause = later.saturating_sub(now) + LEAST_TIMEOUT;
            self.set_timer(side, now, pause, Timer::Reorder);
        }
        self.send(side, effects);
        self.end(side).wake_writer(effects);
    }

    /// Begins a recovery where something was lost; says when more will be known.
    pub(super) fn look_for_loss(&mut self, side: Side, now: Duration) -> Option<Duration> {
        let most = self.segment;
        let sender = &mut self.end(side).sender;
        let later = sender.detect_loss(now);
        if sender.recovery.is_none() && sender.flight.iter().any(|sent| sent.lost) {
            sender.recovery = Some(sender.next);
            sender.threshold = (sender.congestion_window * 7 / 10).max(2 * most);
            sender.congestion_window = sender.threshold;
        }
        later
    }
}
