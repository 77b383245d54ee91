use std::task::Wake;

use loom::sync::atomic::AtomicUsize;
use loom::sync::{Arc, Notify};
use loom::thread;

use super::*;

/// Whoever waits for it and is never woken is a deadlock, which loom reports.
struct Bell(Notify);

impl Wake for Bell {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.notify();
    }
}

/// A bulkhead, and how many are inside it.
struct Guarded {
    bulkhead: Bulkhead,
    inside: AtomicUsize,
    limit: usize,
}

impl Guarded {
    fn new(concurrency: u32, queue: u32) -> Arc<Self> {
        Arc::new(Self {
            bulkhead: Bulkhead::new(BulkheadSettings { concurrency, queue }),
            inside: AtomicUsize::new(0),
            limit: concurrency as usize,
        })
    }

    /// Runs with the slot that one has, and gives it back.
    fn run(&self) {
        let before = self.inside.fetch_add(1, Ordering::SeqCst);
        assert!(before < self.limit, "above the limit");
        self.inside.fetch_sub(1, Ordering::SeqCst);
        self.bulkhead.release();
    }

    fn is_idle(&self) -> bool {
        self.bulkhead.taken() == 0 && self.bulkhead.waiting() == 0
    }
}

#[test]
fn loom_never_above_its_limit() {
    loom::model(|| {
        let guarded = Guarded::new(1, 0);
        let threads: [_; 2] = std::array::from_fn(|_| {
            let guarded = guarded.clone();
            thread::spawn(move || {
                if guarded.bulkhead.try_acquire().is_ok() {
                    guarded.run();
                }
            })
        });
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert!(guarded.is_idle());
        assert_eq!(guarded.bulkhead.try_acquire(), Ok(()));
    });
}

#[test]
fn loom_nobody_is_refused_while_there_is_room() {
    loom::model(|| {
        let guarded = Guarded::new(2, 1);
        let threads: [_; 2] = std::array::from_fn(|i| {
            let guarded = guarded.clone();
            thread::spawn(move || {
                // New numbers hold the lock, and the flag, for a moment.
                if i == 0 {
                    guarded.bulkhead.set(BulkheadSettings {
                        concurrency: 2,
                        queue: 0,
                    });
                }
                assert_eq!(guarded.bulkhead.try_acquire(), Ok(()));
            })
        });
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(guarded.bulkhead.taken(), 2);
    });
}

#[test]
fn loom_a_slot_given_back_reaches_the_one_who_waits() {
    loom::model(|| {
        let guarded = Guarded::new(1, 1);
        guarded.bulkhead.try_acquire().unwrap();
        let other = guarded.clone();
        let entering = thread::spawn(move || match other.bulkhead.enter().unwrap() {
            None => {
                other.run();
                None
            }
            ticket => ticket,
        });
        guarded.run();
        if let Some(mut ticket) = entering.join().unwrap() {
            let turn = guarded.bulkhead.poll_turn(&mut ticket, Waker::noop());
            assert!(turn.is_ready(), "the slot is lost");
            guarded.run();
        }
        assert!(guarded.is_idle());
    });
}

#[test]
fn loom_who_leaves_as_it_is_handed_a_slot_loses_none() {
    loom::model(|| {
        let guarded = Guarded::new(1, 2);
        guarded.bulkhead.try_acquire().unwrap();
        let mut first = guarded.bulkhead.enter().unwrap().unwrap();
        let mut second = guarded.bulkhead.enter().unwrap().unwrap();
        let other = guarded.clone();
        let leaving = thread::spawn(move || other.bulkhead.leave(&mut first));
        guarded.run();
        leaving.join().unwrap();
        let turn = guarded.bulkhead.poll_turn(&mut second, Waker::noop());
        assert!(turn.is_ready(), "the slot is lost");
        guarded.run();
        assert!(guarded.is_idle());
        assert_eq!(
            guarded.bulkhead.try_acquire(),
            Ok(()),
            "the word is free again"
        );
    });
}

#[test]
fn loom_more_slots_while_one_is_given_back_are_each_handed_out_once() {
    loom::model(|| {
        let guarded = Guarded::new(1, 2);
        guarded.bulkhead.try_acquire().unwrap();
        let mut tickets = [(); 2].map(|()| guarded.bulkhead.enter().unwrap().unwrap());
        let other = guarded.clone();
        let setting = thread::spawn(move || {
            other.bulkhead.set(BulkheadSettings {
                concurrency: 2,
                queue: 2,
            });
        });
        guarded.bulkhead.release();
        setting.join().unwrap();
        for ticket in &mut tickets {
            let turn = guarded.bulkhead.poll_turn(ticket, Waker::noop());
            assert!(turn.is_ready(), "a slot is lost");
        }
        assert_eq!(guarded.bulkhead.taken(), 2);
        assert_eq!(guarded.bulkhead.try_acquire(), Err(Full));
    });
}

#[test]
fn loom_who_waits_is_woken_whoever_comes_and_leaves() {
    loom::model(|| {
        let guarded = Guarded::new(1, 2);
        guarded.bulkhead.try_acquire().unwrap();
        let mut first = guarded.bulkhead.enter().unwrap().unwrap();
        let other = guarded.clone();
        let waiting = thread::spawn(move || {
            if let Some(mut second) = other.bulkhead.enter().unwrap() {
                let bell = std::sync::Arc::new(Bell(Notify::new()));
                let waker = Waker::from(bell.clone());
                while other.bulkhead.poll_turn(&mut second, &waker).is_pending() {
                    bell.0.wait();
                }
            }
            other.run();
        });
        guarded.run();
        guarded.bulkhead.leave(&mut first);
        waiting.join().unwrap();
        assert!(guarded.is_idle());
    });
}
