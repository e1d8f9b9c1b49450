//! What was read from the network and is not given to the application yet: held back, or held together.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::net::Stream;
use crate::sim::direction::DirectionState;

/// What is read ahead at most, where anything is: a socket's worth.
const BUFFER: usize = 65_536;

/// When each piece came, and what follows the last.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    pieces: VecDeque<(Duration, Vec<u8>)>,
    end: Option<(Duration, io::Result<()>)>,
}

impl Ahead {
    /// Whether there is neither an octet nor an end.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.end.is_none()
    }

    /// Whether octets are left that the application has not read.
    pub fn is_unread(&self) -> bool {
        !self.pieces.is_empty()
    }

    fn len(&self) -> usize {
        self.pieces.iter().map(|(_, piece)| piece.len()).sum()
    }

    /// Reads what the network has.
    pub fn fill<C: Stream>(&mut self, inner: &mut C, now: Duration, context: &mut Context<'_>) {
        let mut length = self.len();
        while self.end.is_none() && length < BUFFER {
            let mut piece = vec![0; 4_096];
            match inner.poll_read(context, &mut piece) {
                Poll::Pending => return,
                Poll::Ready(Ok(0)) => self.end = Some((now, Ok(()))),
                Poll::Ready(Err(error)) => self.end = Some((now, Err(error))),
                Poll::Ready(Ok(count)) => {
                    piece.truncate(count);
                    length += count;
                    self.pieces.push_back((now, piece));
                }
            }
        }
    }

    /// Gives what `lane` lets through at `now`.
    pub fn take(
        &mut self,
        lane: &DirectionState,
        now: Duration,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let delay = lane.delay.unwrap_or_default();
        let mut taken = 0;
        if self.is_whole(lane, now) {
            while let Some((came, piece)) = self.pieces.front_mut()
                && *came + delay <= now
                && taken < buffer.len()
            {
                let count = piece.len().min(buffer.len() - taken);
                buffer[taken..taken + count].copy_from_slice(&piece[..count]);
                piece.drain(..count);
                taken += count;
                if piece.is_empty() {
                    self.pieces.pop_front();
                }
            }
        }
        if taken > 0 {
            return Poll::Ready(Ok(taken));
        }
        match self.end.take() {
            Some((came, end)) if self.pieces.is_empty() && came + delay <= now => {
                Poll::Ready(end.map(|()| 0))
            }
            kept => {
                self.end = kept;
                Poll::Pending
            }
        }
    }

    /// Whether enough has come, or has waited long enough, to be let through together.
    fn is_whole(&self, lane: &DirectionState, now: Duration) -> bool {
        let Some((least, wait)) = lane.coalesce else {
            return true;
        };
        let first = self.pieces.front();
        let waited = first.is_some_and(|(came, _)| *came + wait <= now);
        self.len() >= least || waited || self.end.is_some()
    }

    /// When time alone lets something through.
    pub fn due(&self, lane: &DirectionState) -> impl Iterator<Item = Duration> {
        let delay = lane.delay.unwrap_or_default();
        let first = self.pieces.front().map(|(came, _)| *came);
        let together = first
            .zip(lane.coalesce)
            .map(|(came, (_, wait))| came + wait);
        let end = self.end.as_ref().map(|(came, _)| *came + delay);
        let first = first.map(|came| came + delay);
        first.into_iter().chain(together).chain(end)
    }
}
