//! What the timers of an end do when they are due: retransmission, probes, keepalive, giving up.

use std::io;
use std::time::Duration;

use crate::sim::sender::Timer;
use crate::sim::sysctl::kernel_timer;
use crate::sim::tcp::{Effects, End, Handshake, Kind, Side, Tcp};

impl Tcp {
    /// When the next timer of `side` is due.
    pub(super) fn deadline(&mut self, side: Side) -> Option<Duration> {
        if self.handshake != Handshake::Done {
            return None;
        }
        let settings = self.end(side).settings;
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
            let rto = end.sender.round_trip.rto(end.settings.rto_max());
            end.receiver.was_delayed(rto);
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
        let settings = self.end(side).settings;
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
        let settings = self.end(side).settings;
        let most = self.segment;
        let end = self.end(side);
        let retries = end.patience();
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
        let settings = self.end(side).settings;
        let end = self.end(side);
        let retries = end.patience();
        let sender = &mut end.sender;
        let since = *sender.since.get_or_insert(now);
        let gone = match settings.user_timeout() {
            Some(limit) => now.saturating_sub(since) >= limit,
            None => sender.probes >= retries,
        };
        if gone {
            return self.time_out(side, effects);
        }
        let room = sender.edge.saturating_sub(sender.next) as usize;
        if room > 0 {
            // Too little for a whole segment, and all there will be until it is used.
            sender.probes = 0;
            sender.backoff = 0;
            let length = room.min(end.unsent.len());
            let piece = end.unsent.drain(..length).collect();
            let kind = sender.sends(Some(piece), now);
            self.push(side, kind, effects);
            return self.arm(side, now);
        }
        sender.probes += 1;
        sender.backoff = (sender.backoff + 1).min(settings.retries2);
        self.push(side, Kind::Probe, effects);
        self.arm_window_probe(side, now);
    }

    fn probe_idle(&mut self, side: Side, effects: &mut Effects) {
        let settings = self.end(side).settings;
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
        let settings = self.end(side).settings;
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
    fn patience(&self) -> u32 {
        match (self.released, self.settings.orphan_retries) {
            (false, _) => self.settings.retries2,
            (true, 0) => 8,
            (true, retries) => retries,
        }
    }
}
