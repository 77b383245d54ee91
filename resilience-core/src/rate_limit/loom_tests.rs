use std::task::Wake;

use loom::sync::{Arc, Notify};
use loom::thread;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Whoever waits for it and is never woken is a deadlock, which loom reports.
struct Bell(Notify);

impl Wake for Bell {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.notify();
    }
}

fn at(seconds: u64) -> Moment {
    Moment::from_nanos(0) + Duration::from_secs(seconds)
}

fn limiter(burst: u32) -> Arc<RateLimiter> {
    Arc::new(RateLimiter::new(settings(burst)))
}

/// One permit a second.
fn settings(burst: u32) -> RateLimitSettings {
    RateLimitSettings {
        limit: 1,
        period: SECOND,
        burst,
        max_wait: 10 * SECOND,
        exact: false,
    }
}

#[test]
fn loom_never_admits_more_than_there_are_permits() {
    loom::model(|| {
        let limiter = limiter(2);
        let other = limiter.clone();
        let thread = thread::spawn(move || {
            usize::from(other.try_acquire(at(0)).is_ok())
                + usize::from(other.try_acquire(at(0)).is_ok())
        });
        let mine = usize::from(limiter.try_acquire(at(0)).is_ok());
        assert_eq!(mine + thread.join().unwrap(), 2);
    });
}

#[test]
fn loom_of_one_who_waits_and_one_who_comes_later_one_goes() {
    loom::model(|| {
        let limiter = limiter(1);
        limiter.try_acquire(at(0)).unwrap();
        let mut ticket = limiter.enter(at(0)).unwrap().unwrap();
        let other = limiter.clone();
        let later = thread::spawn(move || other.try_acquire(at(1)).is_ok());
        let turn = limiter.poll_turn(&mut ticket, at(1), Waker::noop());
        assert_eq!(turn, Turn::Go, "it was first");
        assert!(!later.join().unwrap());
        assert_eq!(limiter.waiting(), 0);
    });
}

#[test]
fn loom_a_permit_taken_while_another_joins_the_line_is_taken_once() {
    loom::model(|| {
        let limiter = limiter(1);
        limiter.try_acquire(at(0)).unwrap();
        let other = limiter.clone();
        // Its clock is a second ahead, so that there is a permit for it alone.
        let ahead = thread::spawn(move || usize::from(other.try_acquire(at(1)).is_ok()));
        let mut ticket = limiter.enter(at(0)).unwrap().unwrap();
        let turn = limiter.poll_turn(&mut ticket, at(1), Waker::noop());
        assert_eq!(usize::from(turn == Turn::Go) + ahead.join().unwrap(), 1);
    });
}

#[test]
fn loom_who_leaves_while_others_ask_takes_no_permit_along() {
    loom::model(|| {
        let limiter = limiter(1);
        limiter.try_acquire(at(0)).unwrap();
        let mut first = limiter.enter(at(0)).unwrap().unwrap();
        let mut second = limiter.enter(at(0)).unwrap().unwrap();
        let other = limiter.clone();
        let leaving = thread::spawn(move || other.leave(&mut first));
        let mut turn = limiter.poll_turn(&mut second, at(1), Waker::noop());
        leaving.join().unwrap();
        if turn != Turn::Go {
            // The first was still there, and has woken the second when it left.
            turn = limiter.poll_turn(&mut second, at(1), Waker::noop());
        }
        assert_eq!(turn, Turn::Go);
        assert_eq!(limiter.waiting(), 0);
        assert!(limiter.try_acquire(at(1)).is_err());
        assert!(limiter.try_acquire(at(2)).is_ok(), "the word is free again");
    });
}

#[test]
fn loom_entering_while_the_line_empties_is_never_stuck() {
    loom::model(|| {
        let limiter = limiter(1);
        limiter.try_acquire(at(0)).unwrap();
        let mut first = limiter.enter(at(0)).unwrap().unwrap();
        let other = limiter.clone();
        let entering = thread::spawn(move || other.enter(at(1)).unwrap());
        let turn = limiter.poll_turn(&mut first, at(1), Waker::noop());
        assert_eq!(turn, Turn::Go);
        let mut second = entering.join().unwrap().expect("the permit is gone");
        let turn = limiter.poll_turn(&mut second, at(2), Waker::noop());
        assert_eq!(turn, Turn::Go);
        assert!(limiter.try_acquire(at(3)).is_ok());
    });
}

#[test]
fn loom_new_numbers_between_two_exchanges_keep_what_was_taken() {
    loom::model(|| {
        let limiter = limiter(1);
        let other = limiter.clone();
        let setting = thread::spawn(move || {
            other.set(settings(2));
            usize::from(other.try_acquire(at(0)).is_ok())
        });
        let mine = usize::from(limiter.try_acquire(at(0)).is_ok());
        let theirs = setting.join().unwrap();
        let rest = (0..3)
            .filter(|_| limiter.try_acquire(at(0)).is_ok())
            .count();
        assert_eq!(mine + theirs + rest, 2);
    });
}

#[test]
fn loom_the_next_is_woken_when_the_first_leaves_or_goes() {
    for goes in [false, true] {
        loom::model(move || {
            let limiter = limiter(2);
            (0..2).for_each(|_| limiter.try_acquire(at(0)).unwrap());
            let mut first = limiter.enter(at(0)).unwrap().unwrap();
            let mut second = limiter.enter(at(0)).unwrap().unwrap();
            let other = limiter.clone();
            let waiting = thread::spawn(move || {
                let bell = std::sync::Arc::new(Bell(Notify::new()));
                let waker = Waker::from(bell.clone());
                while other.poll_turn(&mut second, at(2), &waker) != Turn::Go {
                    bell.0.wait();
                }
            });
            if goes {
                let turn = limiter.poll_turn(&mut first, at(2), Waker::noop());
                assert_eq!(turn, Turn::Go);
            } else {
                limiter.leave(&mut first);
            }
            waiting.join().unwrap();
            assert_eq!(limiter.waiting(), 0);
        });
    }
}

/// With leases of eight for each of the two shards that there are, the first of which has one, and
/// without any other permit.
fn leased() -> Arc<RateLimiter> {
    let limiter = limiter(128);
    assert!(limiter.lease(0, at(0)));
    assert!(limiter.leases.are_out());
    let mut held = limiter.hold(at(0));
    held.taken = held.scale.pay(held.taken, 128 - 8 - 1, at(0));
    drop(held);
    limiter
}

/// How many of so many tries of this shard get a permit out of the purse or elsewhere.
fn goes(limiter: &RateLimiter, shard: usize, tries: usize) -> usize {
    let goes = |_: &usize| {
        limiter.spend(shard) || limiter.lease(shard, at(0)) || limiter.try_acquire(at(0)).is_ok()
    };
    (0..tries).filter(goes).count()
}

#[test]
fn loom_a_permit_in_a_purse_is_spent_or_taken_back_once() {
    loom::model(|| {
        let limiter = leased();
        assert_eq!(goes(&limiter, 0, 6), 6);
        let other = limiter.clone();
        let owner = thread::spawn(move || goes(&other, 0, 2));
        // It has no purse, and takes back what the other has.
        let mine = goes(&limiter, 1, 1);
        assert_eq!(mine + owner.join().unwrap() + goes(&limiter, 1, 2), 2);
    });
}

#[test]
fn loom_two_that_lease_at_a_time_set_aside_for_both() {
    loom::model(|| {
        let limiter = limiter(128);
        // loom does not see what makes the purses known to other threads, so they are made here.
        assert!(limiter.lease(0, at(0)));
        limiter.hold(at(0)).end_leases(at(0));
        let other = limiter.clone();
        let thread = thread::spawn(move || goes(&other, 1, 2));
        assert_eq!(goes(&limiter, 0, 2) + thread.join().unwrap(), 4);
        let mut held = limiter.hold(at(0));
        held.end_leases(at(0));
        assert_eq!(held.scale, Scale::new(settings(128)));
        assert_eq!(held.taken, held.scale.pay(0, 5, at(0)));
    });
}

#[test]
fn loom_who_waits_is_overtaken_by_no_lease() {
    loom::model(|| {
        let limiter = leased();
        assert_eq!(goes(&limiter, 0, 7), 7);
        let other = limiter.clone();
        // The clock of this one is ahead, so that it finds plenty.
        let ahead = thread::spawn(move || other.spend(0) || other.lease(0, at(500)));
        let ticket = limiter.enter(at(0)).unwrap();
        let is_waiting = ticket.is_some();
        assert!(!is_waiting || !limiter.leases.spend(0));
        ahead.join().unwrap();
        assert!(!is_waiting || !limiter.spend(0) && !limiter.lease(0, at(500)));
    });
}

#[test]
fn loom_new_numbers_leave_nothing_in_a_purse() {
    loom::model(|| {
        let limiter = leased();
        let other = limiter.clone();
        let thread = thread::spawn(move || goes(&other, 0, 2));
        limiter.set(settings(1));
        assert!(!limiter.leases.spend(0));
        thread.join().unwrap();
        let held = limiter.hold(at(0));
        assert_eq!(held.scale, Scale::new(settings(1)));
        assert!(!limiter.leases.are_out());
    });
}
