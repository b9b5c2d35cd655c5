//! The in-process half of the guard: a lock that is given in the order it was asked for, and that can be waited for
//! with a deadline.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use recollect_model::Result;

use crate::patience::Patience;

/// A fair lock.
#[derive(Default)]
pub(crate) struct Turn {
    queue: Mutex<Queue>,
    moved: Condvar,
}

#[derive(Default)]
struct Queue {
    is_taken: bool,
    next_ticket: u64,
    waiting: VecDeque<u64>,
}

impl Turn {
    /// Waits for the turn; none when the time ran out. Says in `has_waited` whether it was not free at once.
    ///
    /// # Errors
    ///
    /// `Cancelled`.
    pub(crate) fn take(&self, patience: &mut Patience<'_>, has_waited: &mut bool) -> Result<Option<TurnHeld<'_>>> {
        let mut queue = self.queue();
        if !queue.is_taken && queue.waiting.is_empty() {
            queue.is_taken = true;
            return Ok(Some(TurnHeld { turn: self }));
        }
        *has_waited = true;
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        queue.waiting.push_back(ticket);
        drop(queue);
        let place = Place { turn: self, ticket };
        loop {
            // Asking may run code of the host, so the queue is not held meanwhile.
            if !patience.lasts()? {
                return Ok(None);
            }
            let queue = self.queue();
            let mut queue = self
                .moved
                .wait_timeout_while(queue, patience.pause(), |queue| {
                    queue.is_taken || queue.waiting.front() != Some(&place.ticket)
                })
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            if !queue.is_taken && queue.waiting.front() == Some(&place.ticket) {
                queue.is_taken = true;
                return Ok(Some(TurnHeld { turn: self }));
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue, left however the wait ends.
struct Place<'t> {
    turn: &'t Turn,
    ticket: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.turn.queue().waiting.retain(|ticket| *ticket != self.ticket);
        self.turn.moved.notify_all();
    }
}

/// The turn, until it is dropped.
pub(crate) struct TurnHeld<'t> {
    turn: &'t Turn,
}

impl Drop for TurnHeld<'_> {
    fn drop(&mut self) {
        self.turn.queue().is_taken = false;
        self.turn.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use recollect_model::Call;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    fn take<'t>(turn: &'t Turn, call: &Call) -> Option<TurnHeld<'t>> {
        turn.take(&mut Patience::new(call, LIMIT), &mut false).unwrap()
    }

    #[test]
    fn one_thread_at_a_time_has_the_turn() {
        let (turn, inside) = (Turn::default(), AtomicU32::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let held = take(&turn, &Call::unlimited());
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(held);
                    }
                });
            }
        });
    }

    #[test]
    fn the_turn_is_given_in_the_order_it_was_asked_for() {
        let turn = Turn::default();
        let held = take(&turn, &Call::unlimited());
        let (sender, order) = mpsc::channel();
        thread::scope(|scope| {
            for number in 0..4_usize {
                let (turn, sender) = (&turn, sender.clone());
                scope.spawn(move || {
                    let _held = take(turn, &Call::unlimited());
                    sender.send(number).unwrap();
                });
                while turn.queue().waiting.len() <= number {
                    thread::yield_now();
                }
            }
            drop(held);
        });
        drop(sender);
        assert_eq!(order.iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn who_gives_up_is_out_of_the_way() {
        let turn = Turn::default();
        let held = take(&turn, &Call::unlimited());
        assert!(take(&turn, &Call::unlimited().with_timeout(Duration::from_millis(20))).is_none());
        drop(held);
        assert!(take(&turn, &Call::unlimited()).is_some());
    }
}
