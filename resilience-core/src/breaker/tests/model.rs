//! The rules once more, as plainly as they can be said: what happened is kept in lists, and every
//! question is answered by reading them.

use proptest::prelude::*;

use super::*;

struct Model {
    settings: BreakerSettings,
    state: BreakerState,
    since: u64,
    generation: u64,
    /// How often it opened since it was last closed, without the first time.
    reopened: u32,
    /// What opened it, and how many failures or slow calls.
    opened_by: (OpenedBy, u32),
    /// The calls of the failures since the last success.
    row: Vec<u64>,
    /// When, failed, slow.
    window: Vec<(u64, bool, bool)>,
    probes: Vec<Probe>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Probe {
    Let,
    Dropped,
    Succeeded { slow: bool },
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Success,
    Failure,
    Dropped,
}

impl Model {
    fn new(settings: BreakerSettings) -> Self {
        Self {
            settings: settings.sane(),
            state: BreakerState::Closed,
            since: 0,
            generation: 0,
            reopened: 0,
            opened_by: (OpenedBy::Failures, 0),
            row: Vec::new(),
            window: Vec::new(),
            probes: Vec::new(),
        }
    }

    fn enter(&mut self, state: BreakerState, now: u64) {
        (self.state, self.since) = (state, now);
        self.generation += 1;
        self.row.clear();
        self.window.clear();
        self.probes.clear();
    }

    fn close(&mut self, now: u64) {
        self.reopened = 0;
        self.enter(BreakerState::Closed, now);
    }

    fn reopen(&mut self, by: OpenedBy, more: u32, now: u64) {
        let (before, count) = self.opened_by;
        self.opened_by = (by, if by == before { count + more } else { more });
        self.lapse(now);
    }

    fn lapse(&mut self, now: u64) {
        self.reopened += 1;
        self.enter(BreakerState::Open, now);
    }

    fn wait(&self) -> u64 {
        let mut wait = self.settings.wait_duration.as_secs();
        for _ in 0..self.reopened {
            wait = (wait * 2).min(self.settings.wait_duration_max.as_secs());
        }
        wait
    }

    fn probes(&self, which: impl Fn(Probe) -> bool) -> u32 {
        u32::try_from(self.probes.iter().filter(|probe| which(**probe)).count()).unwrap()
    }

    fn pass_time(&mut self, now: u64) {
        if self.state == BreakerState::HalfOpen && now >= self.since + self.wait() {
            self.lapse(self.since + self.wait());
        }
    }

    fn admit(&mut self, now: u64) -> Option<(u64, bool)> {
        self.pass_time(now);
        if self.state == BreakerState::Open && now >= self.since + self.wait() {
            self.enter(BreakerState::HalfOpen, now);
        }
        match self.state {
            BreakerState::Open | BreakerState::ForcedOpen => None,
            BreakerState::HalfOpen => {
                // A failed probe ends the state, so what was let through is running or succeeded.
                let taken =
                    self.probes(|probe| probe == Probe::Let) - self.probes(|p| p == Probe::Dropped);
                (taken < self.settings.success_threshold).then(|| {
                    self.probes.push(Probe::Let);
                    (self.generation, true)
                })
            }
            _ => Some((self.generation, false)),
        }
    }

    fn end(&mut self, admission: (u64, bool), call: u64, end: End, seconds: u64, now: u64) {
        if end != End::Dropped {
            self.pass_time(now);
        }
        let (generation, is_probe) = admission;
        if generation != self.generation {
            return;
        }
        let slow = match self.settings.slow_call_duration {
            Some(limit) => seconds >= limit.as_secs(),
            None => false,
        };
        match (self.state, end) {
            (BreakerState::HalfOpen, End::Dropped) if is_probe => self.probes.push(Probe::Dropped),
            (BreakerState::HalfOpen, End::Failure) => self.reopen(OpenedBy::Failures, 1, now),
            (BreakerState::HalfOpen, End::Success) => {
                self.probes.push(Probe::Succeeded { slow });
                self.verdict(now);
            }
            (BreakerState::Closed | BreakerState::ForcedClosed, End::Success | End::Failure) => {
                self.count(call, end == End::Failure, slow, now);
            }
            _ => {}
        }
    }

    fn verdict(&mut self, now: u64) {
        let all = self.probes(|probe| matches!(probe, Probe::Succeeded { .. }));
        let slow = self.probes(|probe| probe == Probe::Succeeded { slow: true });
        if all < self.settings.success_threshold {
            return;
        }
        let share = f64::from(slow) / f64::from(all);
        if self.settings.slow_call_duration.is_some()
            && share >= self.settings.slow_call_rate_threshold
        {
            self.reopen(OpenedBy::SlowCalls, slow, now);
        } else {
            self.close(now);
        }
    }

    fn count(&mut self, call: u64, failed: bool, slow: bool, now: u64) {
        if failed && self.settings.failure_rate_threshold.is_none() {
            self.row.push(call);
        } else {
            self.row.clear();
        }
        self.window.push((now, failed, slow));
        self.forget(now);
        if self.state == BreakerState::Closed
            && let Some(reason) = self.reason()
        {
            self.opened_by = reason;
            self.enter(BreakerState::Open, now);
        }
    }

    fn forget(&mut self, now: u64) {
        match self.settings.window {
            Window::Count(size) => {
                let old = self.window.len().saturating_sub(size as usize);
                self.window.drain(..old);
            }
            Window::Time(span) => self.window.retain(|(then, ..)| now - then < span.as_secs()),
        }
    }

    fn reason(&self) -> Option<(OpenedBy, u32)> {
        let all = self.window.len();
        let failed = self.window.iter().filter(|(_, failed, _)| *failed).count();
        let slow = self.window.iter().filter(|(.., slow)| *slow).count();
        let defined = all >= self.settings.minimum_calls as usize;
        let number = |count: usize| f64::from(u32::try_from(count).unwrap());
        let share = |part: usize| number(part) / number(all);
        let mut calls = self.row.clone();
        calls.sort_unstable();
        calls.dedup();
        let failures = match self.settings.failure_rate_threshold {
            Some(rate) => (defined && share(failed) >= rate).then_some(failed),
            None => (self.row.len() >= self.settings.failure_threshold as usize
                && calls.len() >= self.settings.distinct_calls as usize)
                .then_some(self.row.len()),
        };
        let slow = (self.settings.slow_call_duration.is_some()
            && defined
            && share(slow) >= self.settings.slow_call_rate_threshold)
            .then_some(slow);
        let by = |by| move |count| (by, u32::try_from(count).unwrap());
        let failures = failures.map(by(OpenedBy::Failures));
        failures.or_else(|| slow.map(by(OpenedBy::SlowCalls)))
    }

    fn force(&mut self, manual: Manual, now: u64) {
        let state = match manual {
            Manual::ForceOpen => BreakerState::ForcedOpen,
            Manual::ForceClosed => BreakerState::ForcedClosed,
            Manual::Disable => BreakerState::Disabled,
            Manual::Reset => BreakerState::Closed,
        };
        if state != self.state || state == BreakerState::Closed {
            self.reopened = 0;
            self.enter(state, now);
        }
    }

    fn set(&mut self, settings: BreakerSettings, now: u64) {
        let before = std::mem::replace(&mut self.settings, settings.sane());
        if kind(&before) != kind(&self.settings) {
            self.window.clear();
        }
        self.forget(now);
        if self.settings.failure_rate_threshold.is_some() {
            self.row.clear();
        }
        self.pass_time(now);
        if self.state == BreakerState::HalfOpen {
            self.verdict(now);
        }
    }

    fn look(&self, now: u64) -> Look {
        let (mut state, mut until) = (self.state, self.since + self.wait());
        if state == BreakerState::HalfOpen && now >= until {
            let mut lapsed = Self::new(self.settings);
            lapsed.reopened = self.reopened + 1;
            (state, until) = (BreakerState::Open, until + lapsed.wait());
        }
        let failures = match state {
            BreakerState::Open | BreakerState::HalfOpen => self.opened_by.1,
            _ if self.settings.failure_rate_threshold.is_none() => {
                u32::try_from(self.row.len()).unwrap()
            }
            _ => {
                let mut now_there = Self::new(self.settings);
                now_there.window.clone_from(&self.window);
                now_there.forget(now);
                let failed = now_there.window.iter().filter(|(_, failed, _)| *failed);
                u32::try_from(failed.count()).unwrap()
            }
        };
        Look {
            state,
            failures,
            retry_in: (state == BreakerState::Open)
                .then(|| Duration::from_secs(until.saturating_sub(now))),
        }
    }
}

/// Consecutive failures need no window, and count and time are two kinds of it.
fn kind(settings: &BreakerSettings) -> u32 {
    match settings.window {
        _ if settings.failure_rate_threshold.is_none() && settings.slow_call_duration.is_none() => {
            0
        }
        Window::Count(_) => 1,
        Window::Time(_) => 2,
    }
}

#[derive(Clone, Debug)]
enum Step {
    Admit,
    /// End one of the running attempts: which, its call, how, after how many seconds.
    End(usize, u64, End, u64),
    /// So many attempts that begin and succeed at once, as when all is well.
    Healthy(u32),
    Pass(u64),
    Force(Manual),
    Set(BreakerSettings),
}

fn settings() -> impl Strategy<Value = BreakerSettings> {
    let share = || prop::sample::select(vec![0.25, 1.0 / 3.0, 0.5, 1.0]);
    let window = prop_oneof![
        2 => (1..12_u32).prop_map(Window::Count),
        // A 32nd of it is the second in which this test counts.
        1 => Just(Window::Time(32 * SECOND)),
    ];
    let rates = (
        prop::option::of(share()),
        prop::option::of(Just(2 * SECOND)),
        share(),
        window,
        1..10_u32,
    );
    let counts = (1..5_u32, 1..4_u32, 1..4_u32);
    (rates, counts, 5..15_u64, 1..5_u64).prop_map(|(rates, counts, wait, growth)| BreakerSettings {
        failure_rate_threshold: rates.0,
        slow_call_duration: rates.1,
        slow_call_rate_threshold: rates.2,
        window: rates.3,
        minimum_calls: rates.4,
        failure_threshold: counts.0,
        distinct_calls: counts.1,
        success_threshold: counts.2,
        wait_duration: Duration::from_secs(wait),
        wait_duration_max: Duration::from_secs(wait * growth),
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let end = prop_oneof![
        3 => Just(End::Failure), 3 => Just(End::Success), 1 => Just(End::Dropped),
    ];
    let manual = prop::sample::select(vec![
        Manual::ForceOpen,
        Manual::ForceClosed,
        Manual::Disable,
        Manual::Reset,
        Manual::Reset,
        Manual::Reset,
    ]);
    let step = prop_oneof![
        40 => Just(Step::Admit),
        40 => (any::<usize>(), 0..4_u64, end, prop_oneof![4 => 0..2_u64, 1 => 2..4_u64])
            .prop_map(|(which, call, end, seconds)| Step::End(which, call, end, seconds)),
        5 => (1..15_u32).prop_map(Step::Healthy),
        10 => (0..15_u64).prop_map(Step::Pass),
        2 => manual.prop_map(Step::Force),
        3 => settings().prop_map(Step::Set),
    ];
    prop::collection::vec(step, 1..400)
}

/// Follows the changes of state that the breaker tells: each begins where the last one ended.
struct Told(BreakerState);

impl Told {
    fn hear(&mut self, moved: impl IntoIterator<Item = Moved>) {
        for moved in moved {
            assert_eq!(moved.from, self.0, "{moved:?}");
            assert_ne!(moved.from, moved.to);
            self.0 = moved.to;
        }
    }
}

proptest! {
    #[test]
    fn b17_behaves_as_the_plain_model_and_tells_every_move(
        steps in steps(), settings in settings(),
    ) {
        let breaker = with(settings);
        let mut model = Model::new(settings);
        let mut told = Told(BreakerState::Closed);
        let mut now = 0;
        let mut running = Vec::new();
        for step in steps {
            match step {
                Step::Pass(seconds) => now += seconds,
                Step::Healthy(times) => for _ in 0..times {
                    let (answer, moved) = breaker.admit(at(now));
                    told.hear(moved.into_iter().flatten());
                    let expected = model.admit(now);
                    prop_assert_eq!(answer.is_ok(), expected.is_some());
                    let (Ok(ours), Some(modelled)) = (answer, expected) else { break };
                    if !breaker.is_healthy(ours, Some(Duration::ZERO)) {
                        told.hear(breaker.succeed(ours, Some(Duration::ZERO), at(now)));
                    }
                    model.end(modelled, 0, End::Success, 0, now);
                },
                Step::Admit => {
                    let ours = breaker.admit_closed().or_else(|| {
                        let (answer, moved) = breaker.admit(at(now));
                        told.hear(moved.into_iter().flatten());
                        answer.ok()
                    });
                    let expected = model.admit(now);
                    prop_assert_eq!(ours.map(Admission::is_probe), expected.map(|(_, probe)| probe));
                    running.extend(ours.zip(expected));
                }
                Step::End(which, call, end, seconds) if !running.is_empty() => {
                    let (ours, modelled) = running.swap_remove(which % running.len());
                    let elapsed = Some(Duration::from_secs(seconds));
                    told.hear(match end {
                        End::Success if breaker.is_healthy(ours, elapsed) => None,
                        End::Success => breaker.succeed(ours, elapsed, at(now)),
                        End::Failure => breaker.fail(ours, CallId(call), elapsed, at(now)),
                        End::Dropped => {
                            breaker.release(ours);
                            None
                        }
                    });
                    model.end(modelled, call, end, seconds, now);
                }
                Step::End(..) => {}
                Step::Force(manual) => {
                    told.hear(breaker.force(manual));
                    model.force(manual, now);
                }
                Step::Set(settings) => {
                    told.hear(breaker.set(settings, at(now)));
                    model.set(settings, now);
                }
            }
            let (seen, expected) = (breaker.look(at(now)), model.look(now));
            prop_assert_eq!(seen, expected);
            prop_assert_eq!(told.0, model.state, "as told");
            let sure = match expected.state {
                BreakerState::ForcedOpen => true,
                _ => model.state == BreakerState::Open && expected.retry_in != Some(Duration::ZERO),
            };
            prop_assert_eq!(breaker.refuses_at(at(now)), sure);
        }
    }
}
