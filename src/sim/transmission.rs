//! What an end of a connection sends, and sends again: windows, acknowledgements, timers.

use std::io;
use std::time::Duration;

use bytes::Bytes;

use crate::sim::sender::{Sent, Timer};
use crate::sim::sysctl::{TcpSettings, kernel_timer};
use crate::sim::tcp::{Effects, End, Handshake, Kind, Segment, Sending, Side, Tcp};

/// Two ticks of the kernel's clock (`TCP_TIMEOUT_MIN`).
const LEAST_TIMEOUT: Duration = Duration::from_millis(8);

impl Tcp {
    /// Sends again what was lost, then what the windows allow, then the FIN that waits behind it.
    pub(super) fn send(&mut self, side: Side, effects: &mut Effects) {
        let most = self.segment;
        let mut sent_any = false;
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
            let bytes = if !end.unsent.is_empty() && room > 0 {
                let length = most.min(end.unsent.len()).min(room);
                Some(end.unsent.drain(..length).collect::<Bytes>())
            } else if end.unsent.is_empty() && end.sending == Sending::Closing {
                end.sending = Sending::Closed;
                None
            } else {
                break;
            };
            let first = sender.flight.is_empty();
            let sent = Sent {
                seq: sender.next,
                bytes,
                at: effects.now,
                again: false,
                sacked: false,
                lost: false,
            };
            sender.next = sent.end();
            let kind = sent.kind();
            sender.flight.push_back(sent);
            let probe = matches!(sender.timer, Some((_, Timer::TailLoss)));
            sent_any |= first || probe;
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
                sender.since = Some(effects.now);
                self.arm_window_probe(side, effects.now);
            }
        } else if matches!(sender.timer, Some((_, Timer::Window))) && !sender.flight.is_empty() {
            self.arm(side, effects.now);
        }
    }

    fn send_again(&mut self, side: Side, at: usize, effects: &mut Effects) {
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
    fn arm(&mut self, side: Side, now: Duration) {
        let settings = self.settings;
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
    fn set_timer(&mut self, side: Side, now: Duration, pause: Duration, timer: Timer) {
        let limit = self.settings.user_timeout();
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

    fn arm_window_probe(&mut self, side: Side, now: Duration) {
        let settings = self.settings;
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
        let (most, rto_min) = (self.segment, self.settings.rto_min());
        let end = self.end(side);
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
    fn look_for_loss(&mut self, side: Side, now: Duration) -> Option<Duration> {
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

    /// When the next timer of `side` is due.
    pub(super) fn deadline(&mut self, side: Side) -> Option<Duration> {
        if self.handshake != Handshake::Done {
            return None;
        }
        let settings = self.settings;
        let end = self.end(side);
        if end.dead {
            return None;
        }
        let timer = end.sender.timer.map(|(due, _)| due);
        let keepalive = if settings.keepalive > 0 && !end.is_over() {
            let first = kernel_timer(end.receiver.heard, settings.keepalive_time());
            Some(*end.sender.keepalive.get_or_insert(first))
        } else {
            None
        };
        let delayed = end.receiver.delayed;
        [timer, keepalive, delayed].into_iter().flatten().min()
    }

    /// Does what the timers of `side` have due.
    pub(super) fn handle_timers(&mut self, side: Side, effects: &mut Effects) {
        let now = effects.now;
        let end = self.end(side);
        if end.dead {
            return;
        }
        if end.receiver.delayed.is_some_and(|due| due <= now) {
            self.push(side, Kind::Ack, effects);
        }
        let end = self.end(side);
        match end.sender.timer {
            Some((due, timer)) if due <= now => {
                end.sender.timer = None;
                match timer {
                    Timer::Retransmit => self.retransmission_timeout(side, effects),
                    Timer::TailLoss => self.probe_tail(side, effects),
                    Timer::Reorder => {
                        self.look_for_loss(side, now);
                        self.arm(side, now);
                        self.send(side, effects);
                    }
                    Timer::Window => self.probe_window(side, effects),
                }
            }
            _ => {}
        }
        let end = self.end(side);
        if !end.dead && !end.is_over() && end.sender.keepalive.is_some_and(|due| due <= now) {
            self.keepalive(side, effects);
        }
    }

    /// The keepalive timer is due (`tcp_keepalive_timer`).
    fn keepalive(&mut self, side: Side, effects: &mut Effects) {
        let now = effects.now;
        let settings = self.settings;
        let end = self.end(side);
        let idle_after = settings.keepalive_time();
        let silent = now.saturating_sub(end.receiver.heard);
        let busy = end.sender.outstanding() > 0 || !end.unsent.is_empty();
        let pause = if busy {
            idle_after
        } else if silent < idle_after {
            idle_after - silent
        } else {
            self.probe_idle(side, effects);
            settings.keepalive_interval()
        };
        self.end(side).sender.keepalive = Some(kernel_timer(now, pause));
    }

    fn retransmission_timeout(&mut self, side: Side, effects: &mut Effects) {
        let now = effects.now;
        let settings = self.settings;
        let most = self.segment;
        let end = self.end(side);
        let retries = end.patience(&settings);
        let sender = &mut end.sender;
        let elapsed = now.saturating_sub(sender.since.unwrap_or(now));
        let patience = settings
            .user_timeout()
            .unwrap_or_else(|| settings.patience(retries));
        if sender.since.is_some() && elapsed >= patience {
            return self.time_out(side, effects);
        }
        if sender.recovery.is_none() || sender.backoff == 0 {
            sender.threshold = (sender.congestion_window * 7 / 10).max(2 * most);
        }
        sender.congestion_window = most;
        sender.recovery = Some(sender.next);
        sender.backoff += 1;
        for sent in &mut sender.flight {
            sent.lost = !sent.sacked;
        }
        sender.since.get_or_insert(now);
        if let Some(at) = sender.flight.iter().position(|sent| sent.lost) {
            self.send_again(side, at, effects);
        }
        self.arm(side, now);
    }

    /// Sends something new, or the last segment again, so that an acknowledgement shows what was lost.
    fn probe_tail(&mut self, side: Side, effects: &mut Effects) {
        let sender = &mut self.end(side).sender;
        sender.probed = true;
        if let Some(last) = sender.flight.len().checked_sub(1) {
            self.send_again(side, last, effects);
        }
        self.arm(side, effects.now);
    }

    fn probe_window(&mut self, side: Side, effects: &mut Effects) {
        let now = effects.now;
        let settings = self.settings;
        let end = self.end(side);
        let retries = end.patience(&settings);
        let sender = &mut end.sender;
        let gone = match settings.user_timeout() {
            Some(limit) => sender
                .since
                .is_some_and(|since| now.saturating_sub(since) >= limit),
            None => sender.probes >= retries,
        };
        if gone {
            return self.time_out(side, effects);
        }
        sender.probes += 1;
        sender.backoff = (sender.backoff + 1).min(settings.retries2);
        self.push(side, Kind::Probe, effects);
        self.arm_window_probe(side, now);
    }

    fn probe_idle(&mut self, side: Side, effects: &mut Effects) {
        let settings = self.settings;
        let end = self.end(side);
        let silent = effects.now.saturating_sub(end.receiver.heard);
        let gone = match settings.user_timeout() {
            Some(limit) => end.sender.probes > 0 && silent >= limit,
            None => end.sender.probes >= settings.keepalive_probes,
        };
        if gone {
            self.push(side, Kind::Reset, effects);
            return self.time_out(side, effects);
        }
        end.sender.probes += 1;
        self.push(side, Kind::Probe, effects);
    }

    /// The connection has waited long enough (`tcp_write_err`).
    fn time_out(&mut self, side: Side, effects: &mut Effects) {
        let end = self.end(side);
        let kind = end.soft_error.take().unwrap_or(io::ErrorKind::TimedOut);
        end.kill();
        end.error = Some(kind);
        end.wake(effects);
    }

    /// A router says that it cannot reach the peer: no reason to give up, only the reason to give later (RFC 1122
    /// section 4.2.3.9), nor to wait longer before the next try (RFC 6069).
    pub(super) fn unreachable(&mut self, side: Side, effects: &mut Effects) {
        let settings = self.settings;
        let end = self.end(side);
        if end.dead {
            return;
        }
        end.soft_error = Some(io::ErrorKind::HostUnreachable);
        let sender = &mut end.sender;
        let Some(first) = sender.flight.front().filter(|_| sender.backoff > 0) else {
            return;
        };
        sender.backoff -= 1;
        let rto = sender.round_trip.rto(settings.rto_max());
        let pause = (rto * (1 << sender.backoff.min(16))).min(settings.rto_max());
        let left = (first.at + pause).saturating_sub(effects.now);
        if left.is_zero() {
            self.retransmission_timeout(side, effects);
        } else {
            self.set_timer(side, effects.now, left, Timer::Retransmit);
        }
    }
}

impl End {
    /// How often is sent again before the peer is given up.
    fn patience(&self, settings: &TcpSettings) -> u32 {
        match (self.released, settings.orphan_retries) {
            (false, _) => settings.retries2,
            (true, 0) => 8,
            (true, retries) => retries,
        }
    }
}
