use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Moment {
    Moment::from_nanos(0) + Duration::from_secs(seconds)
}

fn breaker(failure_threshold: u32, success_threshold: u32, distinct_calls: u32) -> Breaker {
    let settings = BreakerSettings {
        failure_threshold,
        success_threshold,
        wait_duration: 30 * SECOND,
        distinct_calls,
    };
    Breaker::new(ServiceName::new("test"), settings)
}

/// Admits and fails once; says whether the attempt was let through.
fn failing(breaker: &Breaker, call: u64, now: u64) -> bool {
    match breaker.admit(at(now)).0 {
        Ok(admission) => {
            breaker.fail(admission, CallId(call), at(now));
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
    assert_eq!(breaker.state(at(0)).0, BreakerState::Open);
    breaker
}

#[test]
fn opens_at_the_threshold_and_admits_a_probe_when_the_wait_is_over() {
    let breaker = opened(5, 1);
    let refusal = breaker.admit(at(10)).0.unwrap_err();
    assert_eq!(
        refusal,
        Refusal {
            failures: 5,
            retry_in: 20 * SECOND
        }
    );
    assert!(breaker.refuses_at(at(29)));
    assert!(!breaker.refuses_at(at(30)));
    let probe = breaker.admit(at(30)).0.unwrap();
    let moved = breaker.succeed(probe, at(30)).unwrap();
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
    assert!(!breaker.is_healthy(admission));
    breaker.succeed(admission, at(0));
    assert!(breaker.is_healthy(admission));
    assert!(failing(&breaker, 2, 0));
    assert_eq!(breaker.state(at(0)), (BreakerState::Closed, 1));
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
    assert_eq!(breaker.state(at(30)).0, BreakerState::HalfOpen);
    assert!(breaker.admit(at(30)).0.is_ok());
}

#[test]
fn b6_a_probe_that_never_completes_cannot_hold_half_open_forever() {
    let breaker = opened(1, 1);
    let stuck = breaker.admit(at(30)).0.unwrap();
    assert_eq!(breaker.admit(at(45)).0.unwrap_err().retry_in, 15 * SECOND);
    assert_eq!(breaker.state(at(60)).0, BreakerState::Open);
    assert_eq!(breaker.admit(at(60)).0.unwrap_err().retry_in, 30 * SECOND);
    let next = breaker.admit(at(90)).0.unwrap();
    breaker.fail(stuck, CallId(1), at(91));
    assert_eq!(breaker.state(at(91)).0, BreakerState::HalfOpen);
    breaker.succeed(next, at(91));
    assert_eq!(breaker.state(at(91)).0, BreakerState::Closed);
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
    assert_eq!(breaker.succeed(early, at(30)), None);
    assert_eq!(breaker.fail(late, CallId(9), at(30)), None);
    assert_eq!(breaker.state(at(30)).0, BreakerState::HalfOpen);
    assert!(breaker.succeed(probe, at(30)).is_some());
}

#[test]
fn b8_a_probe_result_of_one_cycle_does_not_move_the_next() {
    let breaker = opened(1, 2);
    let [slow, quick] = [
        breaker.admit(at(30)).0.unwrap(),
        breaker.admit(at(30)).0.unwrap(),
    ];
    breaker.fail(quick, CallId(2), at(31));
    let next = breaker.admit(at(61)).0.unwrap();
    breaker.succeed(slow, at(62));
    breaker.succeed(next, at(62));
    assert_eq!(
        breaker.state(at(62)).0,
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
    breaker.succeed(probe, at(20));
    assert!(failing(&breaker, 2, 10));
    assert!(breaker.admit(at(41)).0.is_ok());
}

/// The rules once more, as plainly as they can be said: every event is kept, and every question is
/// answered by reading the history from the start of the present state.
struct Model {
    settings: BreakerSettings,
    state: BreakerState,
    since: u64,
    generation: u64,
    /// What happened in this state: (call, what).
    history: Vec<(u64, Happened)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Happened {
    ProbeLet,
    ProbeDropped,
    Success,
    Failure,
}

impl Model {
    fn enter(&mut self, state: BreakerState, now: u64) {
        (self.state, self.since) = (state, now);
        self.generation += 1;
        self.history.clear();
    }

    fn wait(&self) -> u64 {
        self.settings.wait_duration.as_secs()
    }

    fn count(&self, what: Happened) -> u32 {
        u32::try_from(
            self.history
                .iter()
                .filter(|(_, happened)| *happened == what)
                .count(),
        )
        .unwrap()
    }

    fn pass_time(&mut self, now: u64) {
        if self.state == BreakerState::HalfOpen && now >= self.since + self.wait() {
            self.enter(BreakerState::Open, self.since + self.wait());
        }
    }

    fn admit(&mut self, now: u64) -> Option<(u64, bool)> {
        self.pass_time(now);
        if self.state == BreakerState::Open && now >= self.since + self.wait() {
            self.enter(BreakerState::HalfOpen, now);
        }
        match self.state {
            BreakerState::Closed => Some((self.generation, false)),
            BreakerState::Open => None,
            BreakerState::HalfOpen => {
                let taken = self.count(Happened::ProbeLet) - self.count(Happened::ProbeDropped);
                // A failed probe ends the state, so what was let through is running or succeeded.
                (taken < self.settings.success_threshold).then(|| {
                    self.history.push((0, Happened::ProbeLet));
                    (self.generation, true)
                })
            }
        }
    }

    fn end(&mut self, (generation, probe): (u64, bool), call: u64, what: Option<bool>, now: u64) {
        if what.is_some() {
            self.pass_time(now);
        }
        if generation != self.generation {
            return;
        }
        match (self.state, what) {
            (BreakerState::HalfOpen, None) if probe => {
                self.history.push((call, Happened::ProbeDropped));
            }
            (_, None) | (BreakerState::Open, _) => {}
            (BreakerState::Closed, Some(true)) => self.history.clear(),
            (BreakerState::Closed, Some(false)) => {
                self.history.push((call, Happened::Failure));
                let mut calls: Vec<_> = self.history.iter().map(|(call, _)| *call).collect();
                calls.sort_unstable();
                calls.dedup();
                if self.history.len() >= self.settings.failure_threshold as usize
                    && calls.len() >= self.settings.distinct_calls as usize
                {
                    self.enter(BreakerState::Open, now);
                }
            }
            (BreakerState::HalfOpen, Some(true)) => {
                self.history.push((call, Happened::Success));
                if self.count(Happened::Success) >= self.settings.success_threshold {
                    self.enter(BreakerState::Closed, now);
                }
            }
            (BreakerState::HalfOpen, Some(false)) => self.enter(BreakerState::Open, now),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Admit,
    /// End one of the running attempts: which, its call, success, failure or drop.
    End(usize, u64, Option<bool>),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Admit),
        4 => (any::<usize>(), 0..4_u64, prop_oneof![
            2 => Just(Some(false)), 1 => Just(Some(true)), 1 => Just(None),
        ]).prop_map(|(which, call, what)| Step::End(which, call, what)),
        1 => (0..15_u64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..400)
}

proptest! {
    #[test]
    fn behaves_as_the_plain_model(
        steps in steps(), failure_threshold in 1..5_u32, success_threshold in 1..4_u32,
        distinct_calls in 1..4_u32,
    ) {
        let settings = BreakerSettings {
            failure_threshold, success_threshold, distinct_calls, wait_duration: 10 * SECOND,
        };
        let breaker = Breaker::new(ServiceName::new("test"), settings);
        let mut model = Model {
            settings, state: BreakerState::Closed, since: 0, generation: 0, history: Vec::new(),
        };
        let mut now = 0;
        let mut running = Vec::new();
        for step in steps {
            match step {
                Step::Pass(seconds) => now += seconds,
                Step::Admit => {
                    let ours = breaker.admit_closed().ok_or(())
                        .or_else(|()| breaker.admit(at(now)).0).ok();
                    let expected = model.admit(now);
                    prop_assert_eq!(ours.map(Admission::is_probe), expected.map(|(_, probe)| probe));
                    running.extend(ours.zip(expected));
                }
                Step::End(which, call, what) if !running.is_empty() => {
                    let (ours, modelled) = running.swap_remove(which % running.len());
                    match what {
                        Some(true) if breaker.is_healthy(ours) => {}
                        Some(true) => drop(breaker.succeed(ours, at(now))),
                        Some(false) => drop(breaker.fail(ours, CallId(call), at(now))),
                        None => breaker.release(ours),
                    }
                    model.end(modelled, call, what, now);
                }
                Step::End(..) => {}
            }
            prop_assert_eq!(breaker.state(at(now)).0, {
                let late = model.state == BreakerState::HalfOpen && now >= model.since + 10;
                if late { BreakerState::Open } else { model.state }
            });
        }
    }
}
