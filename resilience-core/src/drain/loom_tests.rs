use std::task::Wake;

use loom::sync::{Arc, Notify};
use loom::thread;

use super::*;

/// Whoever waits for it and is never woken is a deadlock, which loom reports.
struct Bell(Notify);

impl Bell {
    fn new() -> (std::sync::Arc<Self>, Waker) {
        let bell = std::sync::Arc::new(Self(Notify::new()));
        (bell.clone(), Waker::from(bell))
    }
}

impl Wake for Bell {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.notify();
    }
}

#[test]
fn loom_who_goes_to_sleep_is_woken_or_told() {
    loom::model(|| {
        let drain = Arc::new(Drain::default());
        let other = drain.clone();
        let starting = thread::spawn(move || other.start());
        let (bell, waker) = Bell::new();
        let (flight, mut place) = (drain.begin(), None);
        while !drain.sleep(&mut place, &waker) {
            bell.0.wait();
        }
        drain.end(flight, place);
        starting.join().unwrap();
        assert_eq!(drain.in_flight(), 0);
    });
}

#[test]
fn loom_the_last_one_wakes_who_waits_for_the_end() {
    loom::model(|| {
        let drain = Arc::new(Drain::default());
        let flight = drain.begin();
        let other = drain.clone();
        let ending = thread::spawn(move || other.end(flight, None));
        drain.start();
        let (bell, waker) = Bell::new();
        loop {
            drain.wait(&waker);
            if drain.in_flight() == 0 {
                break;
            }
            bell.0.wait();
        }
        ending.join().unwrap();
    });
}

#[test]
fn loom_one_that_is_in_flight_all_the_time_is_seen_beside_others_that_come_and_go() {
    loom::model(|| {
        let drain = Arc::new(Drain::default());
        let flight = drain.begin();
        let other = drain.clone();
        let coming_and_going = thread::spawn(move || {
            // In another shard, as on another processor.
            other
                .in_flight
                .at(1)
                .unwrap()
                .fetch_add(1, Ordering::AcqRel);
            other.end(Flight { shard: 1 }, None);
        });
        assert!((1..=2).contains(&drain.in_flight()));
        coming_and_going.join().unwrap();
        drain.end(flight, None);
        assert_eq!(drain.in_flight(), 0);
    });
}

#[test]
fn loom_two_sleepers_have_two_places_and_both_are_woken() {
    loom::model(|| {
        let drain = Arc::new(Drain::default());
        let other = drain.clone();
        let sleeping = thread::spawn(move || {
            let (bell, waker) = Bell::new();
            let mut place = None;
            while !other.sleep(&mut place, &waker) {
                bell.0.wait();
            }
        });
        let mut place = None;
        let told = drain.sleep(&mut place, Waker::noop());
        assert!(!told, "nobody has begun to drain");
        drain.start();
        assert!(drain.sleep(&mut place, Waker::noop()));
        sleeping.join().unwrap();
    });
}
