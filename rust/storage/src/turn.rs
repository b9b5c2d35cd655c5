//! The in-process half of the guard: a lock that is given in the order it was asked for, and that can be waited for
//! with a deadline.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

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
    taken_by: Option<ThreadId>,
    next_ticket: u64,
    /// Tickets, and who holds them.
    waiting: VecDeque<(u64, ThreadId)>,
}

impl Queue {
    fn is_free_for(&self, ticket: u64) -> bool {
        self.taken_by.is_none() && self.waiting.front().is_some_and(|(first, _)| *first == ticket)
    }

    fn is_known(&self, thread: ThreadId) -> bool {
        self.taken_by == Some(thread) || self.waiting.iter().any(|(_, waiting)| *waiting == thread)
    }
}

/// How a wait for the turn ended.
pub(crate) enum Taken<'t> {
    /// With the turn.
    Held(TurnHeld<'t>),
    /// The time ran out.
    OutOfTime,
    /// At once, since this very thread has the turn or waits for it: it would wait for itself.
    ByThisThread,
}

impl Turn {
    /// Waits for the turn. Says in `has_waited` whether it was not free at once.
    ///
    /// # Errors
    ///
    /// `Cancelled`.
    pub(crate) fn take(&self, patience: &mut Patience<'_>, has_waited: &mut bool) -> Result<Taken<'_>> {
        let thread = thread::current().id();
        let mut queue = self.queue();
        if queue.taken_by.is_none() && queue.waiting.is_empty() {
            queue.taken_by = Some(thread);
            return Ok(Taken::Held(TurnHeld { turn: self }));
        }
        if queue.is_known(thread) {
            return Ok(Taken::ByThisThread);
        }
        *has_waited = true;
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        queue.waiting.push_back((ticket, thread));
        drop(queue);
        let _place = Place { turn: self, ticket };
        loop {
            // Asking may run code of the host, so the queue is not held meanwhile.
            if !patience.lasts()? {
                return Ok(Taken::OutOfTime);
            }
            let queue = self.queue();
            let mut queue = self
                .moved
                .wait_timeout_while(queue, patience.pause(), |queue| !queue.is_free_for(ticket))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            if queue.is_free_for(ticket) {
                queue.taken_by = Some(thread);
                return Ok(Taken::Held(TurnHeld { turn: self }));
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
        self.turn.queue().waiting.retain(|(ticket, _)| *ticket != self.ticket);
        self.turn.moved.notify_all();
    }
}

/// The turn, until it is dropped.
pub(crate) struct TurnHeld<'t> {
    turn: &'t Turn,
}

impl Drop for TurnHeld<'_> {
    fn drop(&mut self) {
        self.turn.queue().taken_by = None;
        self.turn.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, mpsc};
    use std::time::{Duration, Instant};

    use recollect_model::{Call, Interrupt};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    fn take<'t>(turn: &'t Turn, call: &Call) -> Option<TurnHeld<'t>> {
        match turn.take(&mut Patience::new(call, LIMIT), &mut false).unwrap() {
            Taken::Held(held) => Some(held),
            Taken::OutOfTime => None,
            Taken::ByThisThread => panic!("a thread waits for itself"),
        }
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
        let call = Call::unlimited().with_timeout(Duration::from_millis(20));
        thread::scope(|scope| assert!(scope.spawn(|| take(&turn, &call).is_none()).join().unwrap()));
        drop(held);
        assert!(take(&turn, &Call::unlimited()).is_some());
    }

    /// Asks for the turn again from where the host's code runs while a thread waits.
    struct AsksAgain(Arc<Turn>, AtomicU32);

    impl Interrupt for AsksAgain {
        fn is_interrupted(&self) -> bool {
            let started = Instant::now();
            let again = self.0.take(&mut Patience::new(&Call::unlimited(), LIMIT), &mut false).unwrap();
            assert!(matches!(again, Taken::ByThisThread) && started.elapsed() < LIMIT);
            self.1.fetch_add(1, Ordering::SeqCst) >= 2
        }
    }

    #[test]
    fn a_thread_does_not_wait_for_itself() {
        let turn = Arc::new(Turn::default());
        let held = take(&turn, &Call::unlimited());
        let asks = Arc::new(AsksAgain(Arc::clone(&turn), AtomicU32::new(0)));
        assert!(!asks.is_interrupted(), "while it has the turn");
        let call = Call::unlimited().with_interrupt(asks.clone());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| turn.take(&mut Patience::new(&call, LIMIT), &mut false).is_err());
            assert!(waiting.join().unwrap(), "while it waits for it");
        });
        assert_eq!(asks.1.load(Ordering::SeqCst), 3);
        drop(held);
    }
}
