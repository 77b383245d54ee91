use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::Wake;

use proptest::prelude::*;

use super::*;
use crate::shards::{SHARDS, my_shard};

mod leases;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);
const NANO: Duration = Duration::from_nanos(1);

fn start() -> Moment {
    Moment::from_nanos(3_600_000_000_123)
}

fn settings(limit: u32, period: Duration, burst: u32) -> RateLimitSettings {
    RateLimitSettings {
        limit,
        period,
        burst,
        max_wait: 5 * SECOND,
        exact: false,
    }
}

fn limiter(limit: u32, period: Duration, burst: u32) -> RateLimiter {
    RateLimiter::new(settings(limit, period, burst))
}

/// How many permits there are at once.
fn drain(limiter: &RateLimiter, now: Moment) -> u64 {
    std::iter::from_fn(|| limiter.try_acquire(now).ok()).fold(0, |count, ()| count + 1)
}

/// Counts its wakes.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Bell {
    fn rung(&self) -> usize {
        self.0.swap(0, std::sync::atomic::Ordering::Relaxed)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

/// One who waits, and the first answer it got.
fn waiting(limiter: &RateLimiter, now: Moment) -> (Ticket, Arc<Bell>, Turn) {
    let mut ticket = limiter.enter(now).unwrap().unwrap();
    let bell = Arc::new(Bell::default());
    let turn = limiter.poll_turn(&mut ticket, now, &Waker::from(bell.clone()));
    (ticket, bell, turn)
}

fn poll(limiter: &RateLimiter, ticket: &mut Ticket, bell: &Arc<Bell>, now: Moment) -> Turn {
    limiter.poll_turn(ticket, now, &Waker::from(bell.clone()))
}

#[test]
fn a_full_bucket_is_there_at_once_and_refills_evenly() {
    let limiter = limiter(100, 60 * SECOND, 10);
    assert_eq!(drain(&limiter, start()), 10);
    let refusal = limiter.try_acquire(start()).unwrap_err();
    assert_eq!(refusal.retry_in, 600 * MILLI);
    assert_eq!(drain(&limiter, start() + 600 * MILLI), 1);
    assert_eq!(drain(&limiter, start() + 3 * SECOND), 4);
    assert_eq!(
        drain(&limiter, start() + 60 * SECOND),
        10,
        "no more than the bucket"
    );
}

#[test]
fn l2_at_the_boundary_of_two_periods_there_is_no_double_burst() {
    let limiter = limiter(100, SECOND, 100);
    // Just before a period ends, and just after: a counter that is reset would admit 200.
    let mut admitted = drain(&limiter, start() + 999 * MILLI);
    admitted += drain(&limiter, start() + 1001 * MILLI);
    assert_eq!(admitted, 100);
    // The most of any window of one period: the burst and the refill.
    let admitted: u64 = (1..=1000)
        .map(|milli| drain(&limiter, start() + 1001 * MILLI + milli * MILLI))
        .sum();
    assert_eq!(admitted, 100);
}

#[test]
fn l4_more_than_one_a_nanosecond_and_u32_max() {
    for limit in [1_000_000_001, 2_500_000_000, u32::MAX] {
        let limiter = limiter(limit, SECOND, 1000);
        assert_eq!(drain(&limiter, start()), 1000);
        for nanos in [7, 100, 231] {
            let limiter = RateLimiter::new(settings(limit, SECOND, 1000));
            drain(&limiter, start());
            let exact = u64::from(limit) * nanos / 1_000_000_000;
            let refilled = drain(&limiter, start() + Duration::from_nanos(nanos));
            assert!(
                (exact..=exact + 1).contains(&refilled),
                "{refilled} in {nanos} ns at {limit}, not {exact}"
            );
        }
    }
    let all = limiter(u32::MAX, SECOND, u32::MAX);
    let scale = all.scale();
    let full = scale.bucket / scale.permit;
    assert_eq!(full, u64::from(u32::MAX));
    let empty = scale.position(start()) + scale.bucket;
    assert_eq!(scale.wait(empty, 0, start()), NANO);
    // After exactly one second, all are there again, to one permit.
    let missing = empty - scale.position(start() + SECOND);
    assert!(missing <= scale.permit);
}

#[test]
fn l4_what_no_whole_number_of_nanoseconds_separates_never_drifts() {
    // Three a second, each by the refusal's own word. (With a bucket of one, who comes in the
    // nanosecond after its permit would leave the rest of that nanosecond behind.)
    let limiter = limiter(3, SECOND, 2);
    let year = 365 * 86_400 * SECOND;
    assert_eq!(drain(&limiter, start()), 2);
    let mut now = start();
    for permit in 1..10_000_u32 {
        now = now + limiter.try_acquire(now).unwrap_err().retry_in;
        limiter.try_acquire(now).unwrap();
        let exact = (SECOND * permit).as_nanos().div_ceil(3);
        let off = now.since(start()).as_nanos().abs_diff(exact);
        assert!(off <= 1, "permit {permit} came {off} ns off");
    }
    let scale = limiter.scale();
    let permits = scale.position(start() + year) - scale.position(start());
    let exact = u128::from(scale.permit) * 3 * 365 * 86_400;
    assert!(u128::from(permits).abs_diff(exact) <= 2);
}

#[test]
fn l6_zeros_count_as_one_and_do_not_divide() {
    let limiter = limiter(0, Duration::ZERO, 0);
    assert_eq!(limiter.try_acquire(start()), Ok(()));
    assert_eq!(
        limiter.try_acquire(start()),
        Err(Refusal { retry_in: NANO })
    );
}

#[test]
fn numbers_at_both_ends_neither_panic_nor_lose_the_order() {
    for limit in [1, 2, u32::MAX] {
        for burst in [1, u32::MAX] {
            for period in [NANO, MILLI, 86_400 * SECOND, Duration::MAX] {
                let limiter = limiter(limit, period, burst);
                for now in [Moment::from_nanos(0), start(), Moment::NEVER] {
                    let _ = limiter.try_acquire(now);
                    let scale = limiter.scale();
                    let empty = scale.position(now) + scale.bucket;
                    assert!(scale.wait(empty, usize::MAX, now) >= scale.wait(empty, 0, now));
                    assert!(scale.wait(empty, 0, now) > Duration::ZERO);
                }
            }
        }
    }
}

#[test]
fn l12_time_that_jumps_or_goes_backwards_neither_panics_nor_freezes() {
    let limiter = limiter(10, SECOND, 10);
    let year = 365 * 86_400 * SECOND;
    for now in [
        start(),
        start() + 40 * year,
        start(),
        Moment::NEVER,
        Moment::from_nanos(0),
        start() + 100 * SECOND,
    ] {
        assert!(drain(&limiter, now) >= 1, "frozen at {now:?}");
        if now == Moment::NEVER {
            continue;
        }
        assert!(drain(&limiter, now + SECOND) >= 9);
        let refusal = limiter.try_acquire(now + SECOND).unwrap_err();
        assert_eq!(refusal.retry_in.as_millis(), 100);
    }
    // A little earlier is a thread that has looked at the clock before another one did: nothing is
    // refilled twice.
    let now = start() + 200 * SECOND;
    assert_eq!(drain(&limiter, now), 10);
    assert_eq!(drain(&limiter, start() + 195 * SECOND), 0);
    assert_eq!(drain(&limiter, now), 0);
}

#[test]
fn l1_waiters_released_by_one_refill_are_exactly_the_refill() {
    let limiter = limiter(10, SECOND, 5);
    assert_eq!(drain(&limiter, start()), 5);
    let mut waiters: Vec<_> = (0..20).map(|_| waiting(&limiter, start())).collect();
    // Three permits are there, and all are asked to look.
    let now = start() + 300 * MILLI;
    let going: Vec<_> = waiters
        .iter_mut()
        .map(|(ticket, bell, _)| poll(&limiter, ticket, bell, now) == Turn::Go)
        .collect();
    assert_eq!(going.iter().filter(|&&goes| goes).count(), 3);
    assert_eq!(going[..3], [true; 3], "the first ones");
    assert_eq!(limiter.waiting(), 17);
}

#[test]
fn only_the_first_waits_for_its_permit_and_it_wakes_the_next() {
    let limiter = limiter(1, SECOND, 1);
    limiter.try_acquire(start()).unwrap();
    let (mut first, bell_1, turn) = waiting(&limiter, start());
    assert_eq!(turn, Turn::Wait(start() + SECOND));
    let (mut second, bell_2, turn) = waiting(&limiter, start());
    assert_eq!(turn, Turn::Wait(start() + 5 * SECOND), "its patience");
    let now = start() + SECOND;
    assert_eq!(poll(&limiter, &mut first, &bell_1, now), Turn::Go);
    assert_eq!((bell_1.rung(), bell_2.rung()), (0, 1));
    let turn = poll(&limiter, &mut second, &bell_2, now);
    assert_eq!(turn, Turn::Wait(start() + 2 * SECOND));
}

#[test]
fn who_comes_later_never_overtakes_a_waiter() {
    let limiter = limiter(1, SECOND, 1);
    limiter.try_acquire(start()).unwrap();
    let (mut first, bell, _) = waiting(&limiter, start());
    let now = start() + SECOND;
    let refusal = limiter.try_acquire(now).unwrap_err();
    assert_eq!(refusal.retry_in, SECOND, "behind the one who waits");
    let (mut second, other, _) = waiting(&limiter, now);
    assert_ne!(poll(&limiter, &mut second, &other, now), Turn::Go);
    assert_eq!(poll(&limiter, &mut first, &bell, now), Turn::Go);
}

#[test]
fn who_would_wait_too_long_is_refused_at_once_and_uses_up_nothing() {
    let limiter = limiter(1, SECOND, 1);
    limiter.try_acquire(start()).unwrap();
    let waiters: Vec<_> = (0..5).map(|_| waiting(&limiter, start())).collect();
    let refusal = limiter.enter(start()).unwrap_err();
    assert_eq!(refusal.retry_in, 6 * SECOND);
    assert_eq!(limiter.waiting(), 5);
    for (mut ticket, ..) in waiters {
        limiter.leave(&mut ticket);
    }
    assert_eq!(drain(&limiter, start() + SECOND), 1);
}

#[test]
fn l7_who_leaves_frees_its_place_takes_no_permit_and_wakes_the_next() {
    let limiter = limiter(1, SECOND, 1);
    limiter.try_acquire(start()).unwrap();
    let (mut first, _, _) = waiting(&limiter, start());
    let (mut second, bell_2, _) = waiting(&limiter, start());
    let (mut third, bell_3, _) = waiting(&limiter, start());
    limiter.leave(&mut second);
    assert_eq!(bell_3.rung(), 0, "the first is still before it");
    limiter.leave(&mut first);
    limiter.leave(&mut first);
    assert_eq!((bell_2.rung(), bell_3.rung()), (0, 1));
    let turn = poll(&limiter, &mut third, &bell_3, start());
    assert_eq!(turn, Turn::Wait(start() + SECOND));
    limiter.leave(&mut third);
    assert_eq!(limiter.waiting(), 0);
    assert_eq!(drain(&limiter, start() + SECOND), 1);
}

#[test]
fn r11_a_waiter_that_is_woken_early_or_late_looks_again() {
    let limiter = limiter(1, SECOND, 2);
    assert_eq!(drain(&limiter, start()), 2);
    let (mut ticket, bell, turn) = waiting(&limiter, start());
    let early = poll(&limiter, &mut ticket, &bell, start() + SECOND / 2);
    assert_eq!(turn, early);
    // Late, it takes the one permit that it is owed, from a bucket that went on filling.
    let now = start() + 4 * SECOND;
    assert_eq!(poll(&limiter, &mut ticket, &bell, now), Turn::Go);
    assert_eq!(drain(&limiter, now), 1);
}

#[test]
fn patience_ends_also_behind_one_who_never_looks() {
    let limiter = limiter(1, SECOND, 1);
    limiter.try_acquire(start()).unwrap();
    let (mut stuck, _, _) = waiting(&limiter, start());
    let (mut ticket, bell, turn) = waiting(&limiter, start());
    let Turn::Wait(latest) = turn else {
        panic!("{turn:?}")
    };
    let turn = poll(&limiter, &mut ticket, &bell, latest);
    assert!(matches!(turn, Turn::Refused(_)));
    assert_eq!(limiter.waiting(), 1);
    let again = poll(&limiter, &mut ticket, &bell, latest);
    assert!(matches!(again, Turn::Refused(_)), "one answer is the last");
    limiter.leave(&mut stuck);
}

#[test]
fn r12_every_attempt_pays_so_that_a_call_is_as_many_permits_as_attempts() {
    let limiter = limiter(10, SECOND, 10);
    // Three calls of three attempts each, and the first of a fourth.
    for _ in 0..10 {
        assert_eq!(limiter.try_acquire(start()), Ok(()));
    }
    assert!(limiter.try_acquire(start()).is_err());
}

#[test]
fn new_numbers_hold_from_the_next_event_on_and_keep_what_was_taken() {
    let limiter = limiter(100, SECOND, 100);
    for _ in 0..60 {
        limiter.try_acquire(start()).unwrap();
    }
    limiter.set(settings(200, SECOND, 200));
    assert_eq!(drain(&limiter, start()), 140);
    limiter.set(settings(10, SECOND, 10));
    assert_eq!(drain(&limiter, start()), 0);
    assert_eq!(drain(&limiter, start() + SECOND), 10);
    limiter.set(settings(u32::MAX, NANO, u32::MAX));
    limiter.try_acquire(start() + SECOND).unwrap();
}

#[test]
fn new_numbers_wake_all_and_those_for_whom_it_takes_too_long_now_are_refused() {
    let limiter = limiter(10, SECOND, 1);
    limiter.try_acquire(start()).unwrap();
    let mut waiters: Vec<_> = (0..4).map(|_| waiting(&limiter, start())).collect();
    limiter.set(settings(1, 2 * SECOND, 1));
    let turns: Vec<_> = waiters
        .iter_mut()
        .map(|(ticket, bell, _)| {
            assert_eq!(bell.rung(), 1);
            poll(&limiter, ticket, bell, start())
        })
        .collect();
    assert_eq!(turns[0], Turn::Wait(start() + 2 * SECOND));
    assert_eq!(turns[1], Turn::Wait(start() + 5 * SECOND));
    let refusal = Refusal {
        retry_in: 6 * SECOND,
    };
    assert_eq!(turns[2..], [Turn::Refused(refusal); 2]);
}

#[test]
fn b19_it_can_be_forgotten_when_it_is_as_a_new_one_would_be() {
    let limiter = limiter(1, SECOND, 2);
    assert!(limiter.is_fresh(start()));
    assert_eq!(drain(&limiter, start()), 2);
    assert!(!limiter.is_fresh(start() + SECOND));
    assert!(limiter.is_fresh(start() + 2 * SECOND));
    let (mut ticket, ..) = waiting(&limiter, start());
    assert!(!limiter.is_fresh(start() + 2 * SECOND), "somebody waits");
    limiter.leave(&mut ticket);
    assert!(limiter.is_fresh(start() + 2 * SECOND));
}

#[test]
fn l5_l2_threads_that_share_it_are_admitted_exactly_the_burst() {
    let limiter = limiter(1, 86_400 * SECOND, 10_000);
    let admitted: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| (0..2000).filter(|_| limiter.try_acquire(start()).is_ok())))
            .map(|thread| thread.join().unwrap().count() as u64)
            .collect();
        threads.into_iter().sum()
    });
    assert_eq!(admitted, 10_000);
}

/// The rules once more, as plainly as they can be said: a bucket of exact fractions of permits, and
/// a list of those who wait. Time is counted in nanoseconds, permits in so many parts that a
/// nanosecond refills a whole number of them.
struct Model {
    settings: RateLimitSettings,
    /// Permits that are there, in parts.
    there: u128,
    at: u64,
    waiting: Vec<(u64, u64)>,
}

impl Model {
    /// The parts of a permit; a nanosecond refills `limit` of them.
    fn parts(&self) -> u128 {
        self.settings.period.as_nanos()
    }

    fn pass(&mut self, now: u64) {
        let most = self.parts() * u128::from(self.settings.burst);
        let refill = u128::from(now - self.at) * u128::from(self.settings.limit);
        self.there = (self.there + refill).min(most);
        self.at = now;
    }

    fn wait(&self, ahead: usize) -> u64 {
        let needed = (self.parts() * (ahead as u128 + 1)).saturating_sub(self.there);
        needed.div_ceil(self.settings.limit.into()) as u64
    }

    fn take(&mut self) -> bool {
        let there = self.there >= self.parts();
        self.there -= if there { self.parts() } else { 0 };
        there
    }

    fn set(&mut self, settings: RateLimitSettings) {
        let most =
            |settings: RateLimitSettings| settings.period.as_nanos() * u128::from(settings.burst);
        let missing = most(self.settings) - self.there;
        let missing = missing * settings.period.as_nanos() / self.parts();
        self.settings = settings;
        self.there = most(settings) - missing.min(most(settings));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Try,
    Enter,
    Poll(usize),
    PollFirst,
    Leave(usize),
    Pass(u64),
    /// Another burst and patience. (Another rate is rounded to units: see the next property.)
    Set(u32, u64),
}

/// Numbers in which every fraction of a permit that the model knows is exact in units too, so that
/// both must agree to the nanosecond: the period is a whole number of intervals, and these of
/// nanoseconds.
fn even_settings() -> impl Strategy<Value = RateLimitSettings> {
    (1..20_u32, 1..50_u64, 1..6_u32, 0..400_u64).prop_map(|(limit, interval, burst, max_wait)| {
        RateLimitSettings {
            limit,
            period: Duration::from_nanos(u64::from(limit) * interval),
            burst,
            max_wait: Duration::from_nanos(max_wait),
            exact: false,
        }
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Try),
        4 => Just(Step::Enter),
        3 => any::<usize>().prop_map(Step::Poll),
        5 => Just(Step::PollFirst),
        2 => any::<usize>().prop_map(Step::Leave),
        5 => (0..60_u64).prop_map(Step::Pass),
        1 => (1..6_u32, 0..400_u64).prop_map(|(burst, max_wait)| Step::Set(burst, max_wait)),
    ];
    prop::collection::vec(step, 1..300)
}

proptest! {
    #[test]
    fn behaves_as_the_plain_model(settings in even_settings(), steps in steps()) {
        let limiter = RateLimiter::new(settings);
        let mut model = Model { settings, there: 0, at: 1000, waiting: Vec::new() };
        model.there = model.parts() * u128::from(settings.burst);
        let mut tickets: Vec<Ticket> = Vec::new();
        let (mut next, mut settings) = (0, settings);
        for step in steps {
            let now = Moment::from_nanos(model.at);
            let ours_before = limiter.waiting();
            prop_assert_eq!(ours_before, model.waiting.len());
            match step {
                Step::Pass(nanos) => model.pass(model.at + nanos),
                Step::Set(burst, max_wait) => {
                    let max_wait = Duration::from_nanos(max_wait);
                    settings = RateLimitSettings { burst, max_wait, ..settings };
                    limiter.set(settings);
                    // The next event, whatever it is: from then on they hold.
                    prop_assert_eq!(limiter.waiting(), model.waiting.len());
                    drop(limiter.hold(now));
                    model.set(settings);
                }
                Step::Try => {
                    let expected = model.waiting.is_empty() && model.take();
                    let ours = limiter.try_acquire(now);
                    prop_assert_eq!(ours.is_ok(), expected);
                    if let Err(refusal) = ours {
                        let wait = model.wait(model.waiting.len());
                        prop_assert_eq!(refusal.retry_in.as_nanos(), u128::from(wait));
                    }
                }
                Step::Enter => {
                    let ours = limiter.enter(now);
                    if model.waiting.is_empty() && model.take() {
                        prop_assert!(matches!(ours, Ok(None)));
                        continue;
                    }
                    let wait = model.wait(model.waiting.len());
                    if u128::from(wait) > settings.max_wait.as_nanos() {
                        prop_assert_eq!(ours.unwrap_err().retry_in.as_nanos(), u128::from(wait));
                        continue;
                    }
                    next += 1;
                    model.waiting.push((next, model.at + settings.max_wait.as_nanos() as u64));
                    tickets.push(ours.unwrap().unwrap());
                }
                Step::Leave(which) if !tickets.is_empty() => {
                    let which = which % tickets.len();
                    model.waiting.remove(which);
                    limiter.leave(&mut tickets.remove(which));
                }
                Step::Poll(_) | Step::PollFirst if !tickets.is_empty() => {
                    let which = if let Step::Poll(which) = step { which % tickets.len() } else { 0 };
                    let turn = limiter.poll_turn(&mut tickets[which], now, Waker::noop());
                    let (_, latest) = model.waiting[which];
                    let expected = if which == 0 && model.take() {
                        Turn::Go
                    } else {
                        let wait = model.wait(which);
                        let ready = model.at + wait;
                        if ready > latest || model.at >= latest {
                            Turn::Refused(Refusal { retry_in: Duration::from_nanos(wait) })
                        } else {
                            let until = if which == 0 { ready } else { latest };
                            Turn::Wait(Moment::from_nanos(until))
                        }
                    };
                    prop_assert_eq!(turn, expected);
                    if !matches!(turn, Turn::Wait(_)) {
                        model.waiting.remove(which);
                        drop(tickets.remove(which));
                    }
                }
                _ => {}
            }
        }
    }

    /// With any numbers, and new ones in between, the limiter is never more than one permit and the
    /// rounding of `set` off the exact bucket.
    #[test]
    fn stays_beside_the_exact_bucket_through_changes(
        changes in prop::collection::vec(
            (1..5000_u32, 1..2_000_000_u64, 1..100_u32, prop::collection::vec(0..100_000_u64, 1..30)),
            1..6,
        ),
    ) {
        let mut limiter = None;
        let mut model = Model {
            settings: settings(1, NANO, 1), there: 0, at: 1_000_000, waiting: Vec::new(),
        };
        for (limit, period, burst, pauses) in changes {
            let new = settings(limit, Duration::from_nanos(period), burst);
            let mut pending = None;
            if let Some(limiter) = &limiter {
                RateLimiter::set(limiter, new);
                pending = Some(new);
            } else {
                model.settings = new;
                model.there = model.parts() * u128::from(burst);
            }
            let limiter = limiter.get_or_insert_with(|| RateLimiter::new(new));
            for pause in pauses {
                model.pass(model.at + pause);
                // From this event on.
                pending.take().into_iter().for_each(|new| model.set(new));
                let now = Moment::from_nanos(model.at);
                let ours = drain(limiter, now);
                let exact = model.there / model.parts();
                prop_assert!(u128::from(ours).abs_diff(exact) <= 1, "{} for {}", ours, exact);
                // Go on from the same state: what one of both had more is owed.
                model.there = model.there.saturating_sub(u128::from(ours) * model.parts());
            }
        }
    }

    /// The documented bound, over every pair of moments of a random history.
    #[test]
    fn l2_over_any_window_no_more_than_the_burst_and_the_refill(
        limit in 1..5_000_000_000_u64, period in 1..10_000_000_000_u64, burst in 1..50_u32,
        pauses in prop::collection::vec(0..3_000_000_000_u64, 1..60),
    ) {
        let limit = u32::try_from(limit.min(u32::MAX.into())).unwrap();
        let limiter = limiter(limit, Duration::from_nanos(period), burst);
        let mut now = 1_000_000;
        let mut admitted = Vec::new();
        for pause in pauses {
            now += pause % (period * 3 / u64::from(limit) + 2);
            admitted.push((now, drain(&limiter, Moment::from_nanos(now))));
        }
        for (i, &(from, _)) in admitted.iter().enumerate() {
            let mut sum = 0;
            for &(to, count) in &admitted[i..] {
                sum += count;
                let refill = (u128::from(to - from) * u128::from(limit))
                    .div_ceil(u128::from(period));
                prop_assert!(u128::from(sum) <= u128::from(burst) + refill);
            }
        }
    }

    /// Who waits as long as a refusal says is let through, and not a nanosecond earlier.
    #[test]
    fn the_time_to_wait_is_accurate(
        limit in 1..u32::MAX, period in 1..100_000_000_000_u64, burst in 1..1000_u32,
        at in 0..1_000_000_000_000_000_u64, used in 0..2000_u32,
    ) {
        let scale = Scale::new(settings(limit, Duration::from_nanos(period), burst));
        let now = Moment::from_nanos(at);
        let mut taken = 0;
        for _ in 0..used.min(burst) {
            taken = scale.take(taken, now).unwrap();
        }
        let wait = scale.wait(taken, 0, now);
        prop_assert!(scale.take(taken, now + wait).is_some());
        if let Some(earlier) = wait.checked_sub(NANO) {
            prop_assert!(scale.take(taken, now + earlier).is_none());
        }
    }
}
