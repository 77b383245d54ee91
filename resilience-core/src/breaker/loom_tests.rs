use loom::sync::Arc as LoomArc;
use loom::thread;

use super::*;

fn at(seconds: u64) -> Moment {
    Moment::from_nanos(0) + Duration::from_secs(seconds)
}

/// A breaker that is open until the thirtieth second.
fn opened(success_threshold: u32) -> LoomArc<Breaker> {
    let settings = BreakerSettings {
        failure_threshold: 1,
        success_threshold,
        wait_duration: Duration::from_secs(30),
        distinct_calls: 1,
    };
    let breaker = Breaker::new(ServiceName::new("test"), settings);
    let admission = breaker.admit_closed().unwrap();
    breaker.fail(admission, CallId(1), at(0)).unwrap();
    LoomArc::new(breaker)
}

fn probe(breaker: &Breaker) -> Option<Admission> {
    breaker
        .admit_closed()
        .or_else(|| breaker.admit(at(30)).0.ok())
}

#[test]
fn loom_b4_half_open_admits_no_more_than_the_probes() {
    loom::model(|| {
        let breaker = opened(2);
        let other = breaker.clone();
        let thread =
            thread::spawn(move || [probe(&other), probe(&other)].into_iter().flatten().count());
        let mine = [probe(&breaker), probe(&breaker)]
            .into_iter()
            .flatten()
            .count();
        assert_eq!(mine + thread.join().unwrap(), 2);
    });
}

#[test]
fn loom_b5_a_probe_that_is_dropped_is_not_lost() {
    loom::model(|| {
        let breaker = opened(1);
        let admission = probe(&breaker).unwrap();
        let other = breaker.clone();
        let dropping = thread::spawn(move || other.release(admission));
        let early = probe(&breaker);
        dropping.join().unwrap();
        let late = probe(&breaker);
        assert!(
            early.is_some() ^ late.is_some(),
            "one place, handed out once"
        );
    });
}

#[test]
fn loom_b8_of_a_success_and_a_failure_the_later_moves_nothing() {
    loom::model(|| {
        let breaker = opened(1);
        let admission = probe(&breaker).unwrap();
        let other = breaker.clone();
        let succeeding = thread::spawn(move || other.succeed(admission, at(31)).is_some());
        let failed = breaker.fail(admission, CallId(2), at(31)).is_some();
        assert!(failed ^ succeeding.join().unwrap());
        let expected = if failed {
            BreakerState::Open
        } else {
            BreakerState::Closed
        };
        assert_eq!(breaker.state(at(31)).0, expected);
        assert_eq!(breaker.admit_closed().is_some(), !failed, "the word agrees");
    });
}
