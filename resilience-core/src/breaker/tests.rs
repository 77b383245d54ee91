use super::*;
use crate::options::Window;

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Moment {
    Moment::from_nanos(0) + Duration::from_secs(seconds)
}

fn breaker(failure_threshold: u32, success_threshold: u32, distinct_calls: u32) -> Breaker {
    with(BreakerSettings {
        failure_threshold,
        distinct_calls,
        success_threshold,
        ..BreakerSettings::default()
    })
}

fn with(settings: BreakerSettings) -> Breaker {
    Breaker::new(ServiceName::new("test"), settings)
}

/// Half of the last 100, at least 5 of them.
fn by_rate() -> BreakerSettings {
    BreakerSettings {
        failure_rate_threshold: Some(0.5),
        window: Window::Count(100),
        minimum_calls: 5,
        ..BreakerSettings::default()
    }
}

fn state(breaker: &Breaker, now: u64) -> BreakerState {
    breaker.look(at(now)).state
}

fn succeeding(breaker: &Breaker, now: u64) {
    taking(breaker, 0, now);
}

/// Admits and succeeds once, after so many seconds.
fn taking(breaker: &Breaker, seconds: u64, now: u64) {
    let admission = breaker.admit(at(now)).0.expect("it is let through");
    let elapsed = Some(Duration::from_secs(seconds));
    if !breaker.is_healthy(admission, elapsed) {
        breaker.succeed(admission, elapsed, at(now));
    }
}

/// Admits and fails once; says whether the attempt was let through.
fn failing(breaker: &Breaker, call: u64, now: u64) -> bool {
    match breaker.admit(at(now)).0 {
        Ok(admission) => {
            breaker.fail(admission, CallId(call), None, at(now));
            true
        }
        Err(_) => false,
    }
}

fn opened(failure_threshold: u32, success_threshold: u32) -> Breaker {
    let breaker = breaker(failure_threshold, success_threshold, 1);
    for call in 0..u64::from(failure_threshold) {
        assert!(failing(&breaker, call, 0));
    }
    assert_eq!(state(&breaker, 0), BreakerState::Open);
    breaker
}

#[test]
fn opens_at_the_threshold_and_admits_a_probe_when_the_wait_is_over() {
    let breaker = opened(5, 1);
    let refusal = breaker.admit(at(10)).0.unwrap_err();
    assert_eq!(
        refusal,
        Refusal {
            reason: Reason {
                by: OpenedBy::Failures,
                count: 5
            },
            retry_in: Some((20 * SECOND).into())
        }
    );
    assert!(breaker.refuses_at(at(29)));
    assert!(!breaker.refuses_at(at(30)));
    let probe = breaker.admit(at(30)).0.unwrap();
    let moved = breaker.succeed(probe, None, at(30)).unwrap();
    assert_eq!(
        (moved.from, moved.to),
        (BreakerState::HalfOpen, BreakerState::Closed)
    );
    assert!(breaker.admit_closed().is_some());
}

#[test]
fn a_success_in_between_ends_the_streak() {
    let breaker = breaker(2, 1, 1);
    assert!(failing(&breaker, 1, 0));
    let admission = breaker.admit_closed().unwrap();
    assert!(!breaker.is_healthy(admission, None));
    breaker.succeed(admission, None, at(0));
    assert!(breaker.is_healthy(admission, None));
    assert!(failing(&breaker, 2, 0));
    let look = breaker.look(at(0));
    assert_eq!((look.state, look.failures), (BreakerState::Closed, 1));
}

#[test]
fn one_call_with_many_attempts_cannot_open_it_and_a_second_one_can() {
    let breaker = breaker(5, 1, 2);
    for _ in 0..20 {
        assert!(failing(&breaker, 1, 0));
    }
    assert!(failing(&breaker, 2, 0));
    assert!(!failing(&breaker, 3, 0));
}

#[test]
fn b4_half_open_admits_exactly_the_probes() {
    for probes in [1, 2, 5] {
        let breaker = opened(1, probes);
        let admitted = (0..100).filter(|_| breaker.admit(at(31)).0.is_ok()).count();
        assert_eq!(admitted, probes as usize);
    }
}

#[test]
fn b5_a_released_probe_frees_its_place_and_records_nothing() {
    let breaker = opened(1, 1);
    let probe = breaker.admit(at(30)).0.unwrap();
    assert!(breaker.admit(at(30)).0.is_err());
    breaker.release(probe);
    assert_eq!(state(&breaker, 30), BreakerState::HalfOpen);
    assert!(breaker.admit(at(30)).0.is_ok());
}

#[test]
fn b6_a_probe_that_never_completes_cannot_hold_half_open_forever() {
    let breaker = opened(1, 1);
    let stuck = breaker.admit(at(30)).0.unwrap();
    assert_eq!(
        breaker.admit(at(45)).0.unwrap_err().retry_in,
        Some((15 * SECOND).into())
    );
    assert_eq!(state(&breaker, 60), BreakerState::Open);
    assert_eq!(
        breaker.admit(at(60)).0.unwrap_err().retry_in,
        Some((30 * SECOND).into())
    );
    let next = breaker.admit(at(90)).0.unwrap();
    breaker.fail(stuck, CallId(1), None, at(91));
    assert_eq!(state(&breaker, 91), BreakerState::HalfOpen);
    breaker.succeed(next, None, at(91));
    assert_eq!(state(&breaker, 91), BreakerState::Closed);
}

#[test]
fn b7_a_result_admitted_while_closed_does_not_move_half_open() {
    let breaker = breaker(1, 1, 1);
    let [early, late] = [
        breaker.admit_closed().unwrap(),
        breaker.admit_closed().unwrap(),
    ];
    assert!(failing(&breaker, 1, 0));
    let probe = breaker.admit(at(30)).0.unwrap();
    assert_eq!(breaker.succeed(early, None, at(30)), None);
    assert_eq!(breaker.fail(late, CallId(9), None, at(30)), None);
    assert_eq!(state(&breaker, 30), BreakerState::HalfOpen);
    assert!(breaker.succeed(probe, None, at(30)).is_some());
}

#[test]
fn b8_a_probe_result_of_one_cycle_does_not_move_the_next() {
    let breaker = opened(1, 2);
    let [slow, quick] = [
        breaker.admit(at(30)).0.unwrap(),
        breaker.admit(at(30)).0.unwrap(),
    ];
    breaker.fail(quick, CallId(2), None, at(31));
    let next = breaker.admit(at(61)).0.unwrap();
    breaker.succeed(slow, None, at(62));
    breaker.succeed(next, None, at(62));
    assert_eq!(
        state(&breaker, 62),
        BreakerState::HalfOpen,
        "one success is not two"
    );
    breaker.release(slow);
    assert!(breaker.admit(at(62)).0.is_ok());
    assert!(
        breaker.admit(at(62)).0.is_err(),
        "a place was given back twice"
    );
}

#[test]
fn l12_time_that_goes_backwards_neither_panics_nor_freezes() {
    let breaker = opened(1, 1);
    assert!(breaker.admit(at(0)).0.is_err());
    let probe = breaker.admit(at(40)).0.unwrap();
    breaker.succeed(probe, None, at(20));
    assert!(failing(&breaker, 2, 10));
    assert!(breaker.admit(at(41)).0.is_ok());
}

#[test]
fn b1_after_a_thousand_successes_half_a_window_of_failures_opens_it() {
    let breaker = with(by_rate());
    for _ in 0..1_000 {
        succeeding(&breaker, 0);
    }
    for call in 0..50 {
        assert_eq!(state(&breaker, 0), BreakerState::Closed, "{call}");
        assert!(failing(&breaker, call, 0));
    }
    let look = breaker.look(at(0));
    assert_eq!((look.state, look.failures), (BreakerState::Open, 50));
}

#[test]
fn b2_minimum_calls_of_5_open_a_window_of_100_at_the_fifth_failure() {
    let breaker = with(by_rate());
    for call in 0..5 {
        assert!(failing(&breaker, call, 0), "{call}");
    }
    assert_eq!(state(&breaker, 0), BreakerState::Open);
}

#[test]
fn b3_a_window_filled_by_a_success_is_evaluated() {
    let breaker = with(BreakerSettings {
        minimum_calls: 4,
        ..by_rate()
    });
    assert!(failing(&breaker, 1, 0));
    assert!(failing(&breaker, 2, 0));
    succeeding(&breaker, 0);
    assert_eq!(state(&breaker, 0), BreakerState::Closed);
    succeeding(&breaker, 0);
    assert_eq!(state(&breaker, 0), BreakerState::Open, "two of four");
}

#[test]
fn thresholds_are_inclusive_for_every_share_that_can_be_written() {
    for hundredths in 1..=100_u32 {
        let threshold = f64::from(hundredths) / 100.0;
        let written: f64 = format!("0.{hundredths:02}").parse().unwrap();
        let threshold = if hundredths == 100 {
            threshold
        } else {
            written
        };
        assert!(reaches(hundredths.into(), 100, threshold), "{hundredths}");
        assert!(!reaches(u64::from(hundredths) - 1, 100, threshold));
    }
}

#[test]
fn a_time_window_forgets_what_is_older() {
    let breaker = with(BreakerSettings {
        window: Window::Time(32 * SECOND),
        minimum_calls: 4,
        ..by_rate()
    });
    for call in 0..3 {
        assert!(failing(&breaker, call, call));
    }
    assert_eq!(breaker.look(at(31)).failures, 3);
    assert_eq!(breaker.look(at(33)).failures, 1);
    assert!(failing(&breaker, 9, 33));
    assert_eq!(
        state(&breaker, 33),
        BreakerState::Closed,
        "two of two are too few"
    );
    assert!(failing(&breaker, 9, 33));
    assert!(failing(&breaker, 9, 33));
    assert_eq!(state(&breaker, 33), BreakerState::Open);
}

#[test]
fn a_window_that_is_full_and_healthy_is_read_and_not_written() {
    let breaker = with(BreakerSettings {
        window: Window::Count(10),
        ..by_rate()
    });
    let healthy = |breaker: &Breaker| breaker.is_healthy(breaker.admit_closed().unwrap(), None);
    for _ in 0..10 {
        assert!(!healthy(&breaker));
        succeeding(&breaker, 0);
    }
    assert!(healthy(&breaker));
    assert!(failing(&breaker, 1, 0));
    for _ in 0..10 {
        assert!(!healthy(&breaker), "a failure is in it");
        succeeding(&breaker, 0);
    }
    assert!(healthy(&breaker));
}

#[test]
fn slow_calls_open_it_even_if_they_succeed() {
    let breaker = with(BreakerSettings {
        slow_call_duration: Some(2 * SECOND),
        slow_call_rate_threshold: 0.5,
        minimum_calls: 4,
        ..BreakerSettings::default()
    });
    assert_eq!(breaker.slow_call_duration(), Some(2 * SECOND));
    for seconds in [1, 1, 2] {
        taking(&breaker, seconds, 0);
        assert_eq!(state(&breaker, 0), BreakerState::Closed);
    }
    taking(&breaker, 9, 0);
    let refusal = breaker.admit(at(0)).0.unwrap_err();
    assert_eq!(
        refusal.reason,
        Reason {
            by: OpenedBy::SlowCalls,
            count: 2
        }
    );
    // A probe that is still slow does not close it.
    taking(&breaker, 2, 30);
    assert_eq!(state(&breaker, 30), BreakerState::Open);
    taking(&breaker, 1, 60);
    assert_eq!(state(&breaker, 60), BreakerState::Closed);
}

#[test]
fn what_its_probes_come_to_is_why_it_is_open_again() {
    let breaker = with(BreakerSettings {
        failure_threshold: 3,
        distinct_calls: 1,
        slow_call_duration: Some(2 * SECOND),
        ..BreakerSettings::default()
    });
    let reason = |now| {
        let Reason { by, count } = breaker.admit(at(now)).0.unwrap_err().reason;
        (by, count)
    };
    for call in 0..3 {
        assert!(failing(&breaker, call, 0));
    }
    assert_eq!(reason(0), (OpenedBy::Failures, 3));
    assert!(failing(&breaker, 3, 30));
    assert_eq!(reason(30), (OpenedBy::Failures, 4));
    taking(&breaker, 2, 60);
    assert_eq!(reason(60), (OpenedBy::SlowCalls, 1));
    taking(&breaker, 2, 90);
    assert_eq!(reason(90), (OpenedBy::SlowCalls, 2));
    assert!(failing(&breaker, 4, 120));
    assert_eq!(reason(120), (OpenedBy::Failures, 1));
}

#[test]
fn a_slow_call_leaves_the_window_when_others_have_filled_it() {
    let breaker = with(BreakerSettings {
        slow_call_duration: Some(2 * SECOND),
        slow_call_rate_threshold: 0.5,
        window: Window::Count(4),
        ..BreakerSettings::default()
    });
    for seconds in [0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 2] {
        taking(&breaker, seconds, 0);
        assert_eq!(state(&breaker, 0), BreakerState::Closed);
    }
    taking(&breaker, 2, 0);
    assert_eq!(state(&breaker, 0), BreakerState::Open);
}

#[test]
fn failures_in_a_row_count_beside_slow_calls() {
    let breaker = with(BreakerSettings {
        slow_call_duration: Some(2 * SECOND),
        failure_threshold: 3,
        ..BreakerSettings::default()
    });
    for call in 0..3 {
        assert!(failing(&breaker, call, 0));
    }
    assert_eq!(
        breaker.admit(at(0)).0.unwrap_err().reason.by,
        OpenedBy::Failures
    );
}

#[test]
fn a_growing_wait_doubles_with_every_failed_probe_and_begins_anew_after_a_close() {
    let breaker = with(BreakerSettings {
        failure_threshold: 1,
        distinct_calls: 1,
        wait_duration: 30 * SECOND,
        wait_duration_max: 100 * SECOND,
        ..BreakerSettings::default()
    });
    let mut now = 0;
    assert!(failing(&breaker, 1, now));
    for wait in [30, 60, 100, 100] {
        assert!(!failing(&breaker, 1, now + wait - 1));
        now += wait;
        assert!(failing(&breaker, 1, now), "the probe after {wait} s");
    }
    // The dwell in half-open is the wait of this open period, and to lapse is to open again.
    now += 100;
    let _never_ends = breaker.admit(at(now)).0.unwrap();
    assert_eq!(state(&breaker, now + 99), BreakerState::HalfOpen);
    assert_eq!(
        breaker.look(at(now + 100)).retry_in,
        Some(100 * SECOND),
        "open again"
    );
    now += 200;
    succeeding(&breaker, now);
    assert!(failing(&breaker, 1, now));
    assert_eq!(breaker.look(at(now)).retry_in, Some(30 * SECOND));
}

#[test]
fn b21_forced_open_holds_until_released() {
    let breaker = breaker(1, 1, 1);
    let early = breaker.admit_closed().unwrap();
    let moved = breaker.force(Manual::ForceOpen).unwrap();
    assert_eq!(
        (moved.from, moved.to),
        (BreakerState::Closed, BreakerState::ForcedOpen)
    );
    assert_eq!(breaker.force(Manual::ForceOpen), None, "it is already");
    assert!(breaker.admit_closed().is_none());
    assert!(breaker.refuses_at(Moment::NEVER));
    breaker.succeed(early, None, at(1));
    for now in [0, 30, 1_000_000] {
        let refusal = breaker.admit(at(now)).0.unwrap_err();
        assert_eq!((refusal.reason, refusal.retry_in), (Reason::HAND, None));
    }
    breaker.force(Manual::Reset);
    assert!(breaker.admit_closed().is_some());
}

#[test]
fn forced_closed_lets_all_through_and_counts_and_disabled_counts_nothing() {
    let breaker = opened(1, 1);
    breaker.force(Manual::ForceClosed);
    for call in 0..20 {
        assert!(failing(&breaker, call, 0));
    }
    let look = breaker.look(at(0));
    assert_eq!(
        (look.state, look.failures),
        (BreakerState::ForcedClosed, 20)
    );
    breaker.force(Manual::Disable);
    for call in 0..20 {
        assert!(failing(&breaker, call, 0));
    }
    let look = breaker.look(at(0));
    assert_eq!((look.state, look.failures), (BreakerState::Disabled, 0));
    assert!(breaker.is_healthy(breaker.admit_closed().unwrap(), None));
    breaker.force(Manual::Reset);
    assert!(failing(&breaker, 1, 0));
    assert_eq!(state(&breaker, 0), BreakerState::Open);
}

#[test]
fn a_reset_ends_an_open_period_and_what_ran_before_counts_no_more() {
    let breaker = opened(1, 1);
    let probe = breaker.admit(at(30)).0.unwrap();
    let moved = breaker.force(Manual::Reset).unwrap();
    assert_eq!(
        (moved.from, moved.to),
        (BreakerState::HalfOpen, BreakerState::Closed)
    );
    assert_eq!(breaker.fail(probe, CallId(1), None, at(30)), None);
    assert_eq!(breaker.force(Manual::Reset), None, "it was closed");
    assert_eq!(state(&breaker, 30), BreakerState::Closed);
}

#[test]
fn b16_new_numbers_keep_the_state_and_a_longer_wait_holds_for_the_present_one() {
    let breaker = opened(1, 1);
    let settings = BreakerSettings {
        wait_duration: 90 * SECOND,
        wait_duration_max: 90 * SECOND,
        ..BreakerSettings::default()
    };
    assert_eq!(breaker.set(settings, at(10)), None);
    assert_eq!(breaker.look(at(10)).retry_in, Some(80 * SECOND));
    assert!(breaker.admit(at(89)).0.is_err());
    assert!(breaker.admit(at(90)).0.is_ok());
}

#[test]
fn fewer_successes_asked_for_than_there_were_close_it() {
    let breaker = opened(1, 3);
    succeeding(&breaker, 30);
    succeeding(&breaker, 30);
    let moved = breaker.set(BreakerSettings::default(), at(31)).unwrap();
    assert_eq!(moved.to, BreakerState::Closed);
}

#[test]
fn another_size_of_window_keeps_the_newest_outcomes_and_another_kind_clears_it() {
    let breaker = with(BreakerSettings {
        minimum_calls: 10,
        ..by_rate()
    });
    for call in 0..4 {
        assert!(failing(&breaker, call, 0));
    }
    succeeding(&breaker, 0);
    let of = |window| BreakerSettings {
        window,
        minimum_calls: 10,
        ..by_rate()
    };
    breaker.set(of(Window::Count(3)), at(0));
    assert_eq!(breaker.look(at(0)).failures, 2);
    breaker.set(of(Window::Count(50)), at(0));
    assert_eq!(breaker.look(at(0)).failures, 2);
    breaker.set(of(Window::Time(SECOND)), at(0));
    assert_eq!(breaker.look(at(0)).failures, 0);
    assert_eq!(state(&breaker, 0), BreakerState::Closed);
}

#[test]
fn settings_that_make_no_sense_neither_panic_nor_stand_still() {
    let hostile = BreakerSettings {
        failure_threshold: 0,
        distinct_calls: u32::MAX,
        failure_rate_threshold: Some(f64::NAN),
        slow_call_duration: Some(Duration::ZERO),
        slow_call_rate_threshold: f64::INFINITY,
        window: Window::Count(u32::MAX),
        minimum_calls: 0,
        success_threshold: 0,
        wait_duration: Duration::MAX,
        wait_duration_max: Duration::ZERO,
    };
    let breaker = with(hostile);
    assert!(failing(&breaker, 1, 0));
    assert!(!failing(&breaker, 1, u64::MAX / 2_000_000_000));
    breaker.set(
        BreakerSettings {
            failure_rate_threshold: Some(-1.0),
            window: Window::Time(Duration::ZERO),
            wait_duration: Duration::ZERO,
            ..hostile
        },
        at(0),
    );
    assert!(failing(&breaker, 1, 1));
    assert!(failing(&breaker, 1, 2));
}

#[test]
fn is_fresh_says_whether_it_can_be_forgotten() {
    let breaker = with(BreakerSettings {
        window: Window::Time(32 * SECOND),
        ..by_rate()
    });
    assert!(breaker.is_fresh(at(0)));
    succeeding(&breaker, 0);
    assert!(!breaker.is_fresh(at(31)));
    assert!(breaker.is_fresh(at(32)));
    breaker.force(Manual::ForceClosed);
    assert!(!breaker.is_fresh(at(32)));
    breaker.force(Manual::Reset);
    assert!(breaker.is_fresh(at(32)));
    assert!(!opened(1, 1).is_fresh(at(1_000)));
}

#[test]
fn b4_a_hundred_threads_at_the_transition_get_exactly_the_probes() {
    for probes in [1, 3] {
        let breaker = opened(1, probes);
        let admitted: usize = std::thread::scope(|scope| {
            let threads = [(); 100].map(|()| scope.spawn(|| breaker.admit(at(30)).0.is_ok()));
            threads
                .into_iter()
                .map(|thread| usize::from(thread.join().unwrap()))
                .sum()
        });
        assert_eq!(admitted, probes as usize);
    }
}

#[test]
fn outcomes_of_many_threads_add_up() {
    let breaker = with(BreakerSettings {
        window: Window::Count(10_000),
        ..by_rate()
    });
    breaker.force(Manual::ForceClosed);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let breaker = &breaker;
            scope.spawn(move || {
                for call in 0..1_000 {
                    if (call + thread) % 2 == 0 {
                        succeeding(breaker, 0);
                    } else {
                        assert!(failing(breaker, call, 0));
                    }
                }
            });
        }
    });
    assert_eq!(breaker.look(at(0)).failures, 4_000);
}

mod model;
