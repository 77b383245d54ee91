//! What threads share, in every order that the memory model allows. `resilience-core/loom.sh` runs
//! them.

use loom::sync::Arc;
use loom::thread;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Moment {
    Moment::from_nanos(0) + Duration::from_secs(seconds)
}

fn breaker(failure_threshold: u32) -> Arc<Breaker> {
    let settings = BreakerSettings {
        failure_threshold,
        distinct_calls: 1,
        wait_duration: 30 * SECOND,
        ..BreakerSettings::default()
    };
    Arc::new(Breaker::new(ServiceName::new("test"), settings))
}

fn opened() -> Arc<Breaker> {
    let breaker = breaker(1);
    let admission = breaker.admit_closed().expect("it is closed");
    breaker.fail(admission, CallId(1), None, at(0));
    breaker
}

#[test]
fn loom_half_open_lets_one_probe_through() {
    loom::model(|| {
        let breaker = opened();
        let other = Arc::clone(&breaker);
        let there = thread::spawn(move || other.admit(at(30)).0.is_ok());
        let here = breaker.admit(at(30)).0.is_ok();
        assert!(here ^ there.join().expect("no panic"));
    });
}

#[test]
fn loom_who_is_refused_without_the_lock_is_told_of_an_opening_that_was() {
    loom::model(|| {
        let breaker = opened();
        let other = Arc::clone(&breaker);
        // Half-open, and open again for another wait.
        let there = thread::spawn(move || {
            let probe = other.admit(at(30)).0.expect("a probe");
            other.fail(probe, CallId(2), None, at(31));
        });
        if let Some(answer) = breaker.refuse(at(29)) {
            let waits = [SECOND, 32 * SECOND];
            assert!(
                waits.contains(&answer.retry_after().expect("an end")),
                "{answer}"
            );
        }
        there.join().expect("no panic");
        assert!(breaker.refuse(at(60)).is_some() && breaker.refuse(at(61)).is_none());
        breaker.force(Manual::Reset);
        assert!(breaker.refuse(at(60)).is_none());
    });
}

#[test]
fn loom_a_released_probe_gives_back_one_place() {
    loom::model(|| {
        let breaker = opened();
        let probe = breaker.admit(at(30)).0.expect("a probe");
        let other = Arc::clone(&breaker);
        let there = thread::spawn(move || other.admit(at(30)).0.is_ok());
        breaker.release(probe);
        let here = breaker.admit(at(30)).0.is_ok();
        assert!(here ^ there.join().expect("no panic"), "one place, once");
    });
}

#[test]
fn loom_no_failure_is_lost_beside_a_healthy_success() {
    loom::model(|| {
        let breaker = breaker(2);
        let admissions = [(); 3].map(|()| breaker.admit_closed().expect("it is closed"));
        let threads = [0, 1].map(|i| {
            let (breaker, admission) = (Arc::clone(&breaker), admissions[i]);
            thread::spawn(move || breaker.fail(admission, CallId(1), None, at(0)))
        });
        // A success between the failures is none that the order of things could not explain: it
        // counts where the breaker was seen to be unhealthy, and changes nothing otherwise.
        let ended = !breaker.is_healthy(admissions[2], None)
            && breaker.succeed(admissions[2], None, at(0)).is_none();
        let opened = threads
            .map(|thread| thread.join().expect("no panic").is_some())
            .contains(&true);
        let Look {
            state, failures, ..
        } = breaker.look(at(0));
        assert_eq!(opened, state == BreakerState::Open);
        assert!(opened || (ended && failures < 2));
    });
}

#[test]
fn loom_b21_forced_open_is_seen_by_all_at_once() {
    loom::model(|| {
        let breaker = breaker(1);
        let other = Arc::clone(&breaker);
        let thread = thread::spawn(move || {
            other.force(Manual::ForceOpen);
        });
        let early = breaker.admit_closed();
        thread.join().expect("no panic");
        assert!(breaker.admit_closed().is_none());
        assert!(breaker.admit(at(0)).0.is_err());
        if let Some(early) = early {
            assert_eq!(breaker.fail(early, CallId(1), None, at(0)), None);
        }
        assert_eq!(breaker.look(at(0)).state, BreakerState::ForcedOpen);
    });
}
