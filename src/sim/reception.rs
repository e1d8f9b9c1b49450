//! What an end of a connection makes of segments that arrive: order, acknowledgements, the window.

use std::io;

use bytes::Bytes;

use crate::sim::tcp::{Effects, End, Kind, Segment, Sending, Side, Tcp};

impl End {
    /// The window that is to be told: none rather than a silly one (RFC 9293 section 3.8.6.2.2).
    fn window(&self, segment: usize) -> u64 {
        let free = self.buffers.receive.saturating_sub(self.received.len());
        let least = segment
            .min(self.buffers.receive)
            .max(self.buffers.receive / 16);
        if free < least { 0 } else { free as u64 }
    }

    /// Whether a read has opened the window so far that the peer must hear of it: to twice what it knows.
    pub(super) fn has_news_of_window(&self, segment: usize) -> bool {
        let known = self.receiver.edge.saturating_sub(self.receiver.next);
        let window = self.window(segment);
        2 * known <= self.buffers.receive as u64 && window > 0 && window >= 2 * known
    }
}

impl Tcp {
    /// Sends a segment of `kind`, which acknowledges what has arrived.
    pub(super) fn push(&mut self, side: Side, kind: Kind, effects: &mut Effects) {
        let segment = self.segment;
        let end = self.end(side);
        let (window, most) = (end.window(segment), end.buffers.receive as u64);
        end.receiver.acknowledges(window, most);
        let segment = Segment {
            kind,
            ack: end.receiver.next,
            edge: end.receiver.edge,
            sacked: end.receiver.sacked,
        };
        effects.segments.push((side, segment));
    }

    /// `segment` has reached `side`.
    pub(super) fn arrive(&mut self, side: Side, segment: Segment, effects: &mut Effects) {
        let end = self.end(side);
        if end
            .fin_wait_until()
            .is_some_and(|until| until <= effects.now)
        {
            end.kill();
        }
        if end.dead {
            if end.time_wait.is_some() && matches!(segment.kind, Kind::Fin { .. }) {
                // The peer has not heard that its FIN arrived.
                return self.push(side, Kind::Ack, effects);
            }
            // Nobody has the connection any more: whoever asks is told so.
            if matches!(
                segment.kind,
                Kind::Data { .. } | Kind::Fin { .. } | Kind::Probe
            ) {
                effects.segments.push((side, Segment::bare(Kind::Reset)));
            }
            return;
        }
        if segment.kind == Kind::Probe {
            // Out of the window, which is all that becomes of it.
            if end.receiver.may_answer(effects.now) {
                self.push(side, Kind::Ack, effects);
            }
            return;
        }
        end.receiver.heard = effects.now;
        if segment.kind == Kind::Reset {
            return self.reset_arrives(side, effects);
        }
        self.acknowledged(side, &segment, effects);
        if self.end(side).dead {
            return;
        }
        match segment.kind {
            Kind::SynAck | Kind::Ack | Kind::Probe | Kind::Reset => {}
            Kind::Data { seq, bytes } => {
                let end = self.end(side);
                if end.released && seq + bytes.len() as u64 > end.receiver.next {
                    return self.reset(side, effects);
                }
                let length = bytes.len();
                self.take(side, seq, Some(bytes), length, effects);
            }
            Kind::Fin { seq } => self.take(side, seq, None, 1, effects),
        }
        self.end(side).note_closing(effects.now);
    }

    fn reset_arrives(&mut self, side: Side, effects: &mut Effects) {
        let end = self.end(side);
        let over = end.is_over();
        let half_closed = end.fin_received && end.sending == Sending::Open;
        end.kill();
        if !over {
            end.error = Some(if half_closed {
                io::ErrorKind::BrokenPipe
            } else {
                io::ErrorKind::ConnectionReset
            });
        }
        end.wake(effects);
    }

    /// Takes octets, or a FIN, that begin at `seq`.
    fn take(
        &mut self,
        side: Side,
        seq: u64,
        bytes: Option<Bytes>,
        length: usize,
        effects: &mut Effects,
    ) {
        let segment = self.segment;
        let end = self.end(side);
        if seq != end.receiver.next {
            if seq > end.receiver.next {
                end.receiver.ahead.insert(seq, bytes);
                end.receiver.sacked = Some(end.receiver.block(seq, length));
            }
            end.receiver.is_in_trouble();
            // Out of order, or known already: the sender must hear of it at once.
            return self.push(side, Kind::Ack, effects);
        }
        end.accept(bytes);
        let mut filled = false;
        while let Some(next) = end.receiver.ahead.remove(&end.receiver.next) {
            end.accept(next);
            filled = true;
        }
        let next = end.receiver.next;
        if end.receiver.sacked.is_some_and(|(_, end)| end <= next) {
            end.receiver.sacked = None;
        }
        effects.wakers.extend(end.reader.take());
        let rto = end.sender.round_trip.rto(end.settings.rto_max());
        end.receiver.takes(length, effects.now, rto);
        if end.fin_received && end.sending == Sending::Open {
            end.receiver.waits_for_fin();
        }
        let prompt = filled
            || !end.receiver.ahead.is_empty()
            || (end.fin_received && end.sending != Sending::Open)
            || end.receiver.is_prompt(end.window(segment));
        let round_trip = end.sender.round_trip.smoothed();
        if prompt || end.receiver.delays(effects.now, round_trip) {
            self.push(side, Kind::Ack, effects);
        }
    }
}

impl End {
    fn accept(&mut self, bytes: Option<Bytes>) {
        match bytes {
            Some(bytes) => {
                self.receiver.next += bytes.len() as u64;
                self.received.extend(bytes.iter());
            }
            None => {
                self.receiver.next += 1;
                self.fin_received = true;
                self.closed_first = self.sending != Sending::Open;
            }
        }
    }
}
