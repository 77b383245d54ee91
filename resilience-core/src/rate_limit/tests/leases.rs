use super::*;

/// 1000 a second, of which each shard of threads holds eight.
const BURST: u64 = 1024;
const LEASE: u64 = 8;

fn leasing() -> RateLimiter {
    limiter(1000, SECOND, 1024)
}

/// Whether there is a permit for a thread of this shard.
fn passes(limiter: &RateLimiter, shard: usize, now: Moment) -> bool {
    limiter.spend(shard) || limiter.lease(shard, now)
}

/// How many permits there are at once for the threads of these shards, in turn.
fn drain_in(limiter: &RateLimiter, shards: std::ops::Range<usize>, now: Moment) -> u64 {
    let mut admitted = 0;
    for shard in shards.cycle() {
        if !passes(limiter, shard, now) && limiter.try_acquire(now).is_err() {
            break;
        }
        admitted += 1;
    }
    admitted
}

#[test]
fn with_a_lease_only_one_in_so_many_asks_for_the_time() {
    for (burst, exact, one_in) in [
        (1024, false, 8),
        (20_000, false, 64),
        (1023, false, 1),
        (20_000, true, 1),
    ] {
        let limiter = RateLimiter::new(RateLimitSettings {
            exact,
            ..settings(1_000_000, SECOND, burst)
        });
        let mut asked = 0;
        for _ in 0..450 {
            if !limiter.spend(3) {
                asked += 1;
                assert!(limiter.lease(3, start()));
            }
        }
        // A lease is there beside the permit of the one that asked.
        let expected = 450_u32.div_ceil(if one_in == 1 { 1 } else { one_in + 1 });
        assert_eq!(asked, expected, "of a burst of {burst}");
    }
}

#[test]
fn a_full_bucket_is_there_at_once_to_the_last_permit_for_one_thread_or_many() {
    for shards in [1, 2, 16] {
        let limiter = leasing();
        assert_eq!(drain_in(&limiter, 0..shards, start()), BURST);
        let refusal = limiter.try_acquire(start()).unwrap_err();
        assert_eq!(refusal.retry_in, MILLI);
        assert_eq!(drain_in(&limiter, 0..shards, start() + 5 * MILLI), 5);
    }
}

#[test]
fn after_a_pause_there_are_fewer_by_no_more_than_what_is_set_aside() {
    for shards in [1, 2, 16] {
        let limiter = leasing();
        for shard in 0..shards {
            assert!(passes(&limiter, shard, start()));
        }
        let there = drain_in(&limiter, 0..shards, start() + 3600 * SECOND);
        assert!(
            (BURST - shards as u64 * LEASE..=BURST).contains(&there),
            "{there}"
        );
        // What was taken back is not set aside any more.
        let later = start() + 7200 * SECOND;
        assert_eq!(drain(&limiter, later), BURST);
    }
}

#[test]
fn permits_that_a_thread_holds_are_there_for_whoever_runs_short() {
    let limiter = leasing();
    assert!(passes(&limiter, 0, start()));
    // The thread of that shard ends here, with eight permits in its purse.
    assert_eq!(drain(&limiter, start()), BURST - 1);
}

#[test]
fn who_waits_is_not_overtaken_by_one_with_a_lease() {
    let limiter = leasing();
    assert!(passes(&limiter, 0, start()));
    drain(&limiter, start());
    let (mut first, bell, _) = waiting(&limiter, start());
    let now = start() + 3600 * SECOND;
    assert!(!passes(&limiter, 0, now), "one waits");
    assert_eq!(poll(&limiter, &mut first, &bell, now), Turn::Go);
    assert!(passes(&limiter, 0, now));
}

#[test]
fn no_lease_is_given_while_less_than_half_is_there() {
    let limiter = leasing();
    for _ in 0..=BURST / 2 {
        limiter.try_acquire(start()).unwrap();
    }
    assert!(passes(&limiter, 0, start()));
    assert!(!limiter.leases.are_out());
    assert!(passes(&limiter, 0, start() + SECOND));
    assert!(limiter.leases.are_out());
}

#[test]
fn new_numbers_end_all_leases_at_once() {
    let limiter = leasing();
    for shard in 0..4 {
        assert!(passes(&limiter, shard, start()));
    }
    limiter.set(settings(1, 3600 * SECOND, 1));
    for shard in 0..4 {
        assert!(!passes(&limiter, shard, start()), "four are used of one");
    }
    assert!(limiter.try_acquire(start()).is_err());
    let later = start() + 3600 * SECOND;
    assert_eq!(drain_in(&limiter, 0..4, later), 1);

    // A switch of `exact` alone changes nothing of what was used.
    let limiter = leasing();
    assert!(passes(&limiter, 0, start()));
    let exact = RateLimitSettings {
        exact: true,
        ..settings(1000, SECOND, 1024)
    };
    limiter.set(exact);
    assert_eq!(drain_in(&limiter, 0..4, start()), BURST - 1, "none is lost");
    assert!(!limiter.leases.are_out());
    assert_eq!(drain_in(&limiter, 0..4, start() + 9 * SECOND), BURST);
}

#[test]
fn it_is_not_forgotten_while_something_is_set_aside() {
    let limiter = leasing();
    assert!(passes(&limiter, 0, start()));
    assert!(!limiter.is_fresh(start() + 60 * SECOND));
}

#[test]
fn time_that_goes_backwards_does_not_freeze_it() {
    let limiter = leasing();
    for hours in [2, 1, 4, 3, 6] {
        let now = start() + hours * 3600 * SECOND;
        let there = drain_in(&limiter, 0..3, now);
        assert!((1..=BURST).contains(&there), "{there}");
        let refilled = drain_in(&limiter, 0..3, now + SECOND);
        assert!((999..=1000).contains(&refilled), "{refilled}");
        assert!(passes(&limiter, 1, now + 9 * SECOND));
    }
}

#[test]
fn threads_together_are_admitted_exactly_the_burst() {
    for threads in [2, 8, 40] {
        let limiter = limiter(1, 86_400 * SECOND, 10_000);
        let calls = 20_000 / threads;
        let one = || {
            let goes = |_: &usize| {
                passes(&limiter, my_shard(), start()) || limiter.try_acquire(start()).is_ok()
            };
            (0..calls).filter(goes).count()
        };
        let admitted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(admitted, 10_000);
    }
}

#[derive(Clone, Debug)]
enum Move {
    /// So many calls of a thread of this shard.
    Calls(usize, u32),
    /// So many that ask the word alone.
    Tries(u32),
    /// One that waits for as long as it has to, with what comes meanwhile.
    Waits(usize),
    Pass(u64),
    /// Another burst, and whether there are leases.
    Set(u32, bool),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => (0..SHARDS, 1..200_u32).prop_map(|(shard, calls)| Move::Calls(shard, calls)),
        1 => (1..1500_u32).prop_map(Move::Tries),
        1 => (0..SHARDS).prop_map(Move::Waits),
        4 => (0..3_000_u64).prop_map(Move::Pass),
        2 => (0..300_000_u64).prop_map(Move::Pass),
        1 => (500..3000_u32, any::<bool>()).prop_map(|(burst, exact)| Move::Set(burst, exact)),
    ];
    prop::collection::vec(one, 1..120)
}

proptest! {
    /// Beside a plain bucket that knows of no leases, whose rate is exact in units: whatever is let
    /// through, the bucket has a permit for; and where one is refused, the bucket has no more than
    /// what can be set aside, and a permit.
    #[test]
    fn lets_no_more_through_than_the_plain_bucket_and_hardly_fewer(
        interval in 1..50_u64, limit in 1..20_u32, burst in 1024..3000_u32, moves in moves(),
    ) {
        let max_wait = SECOND;
        let period = Duration::from_nanos(u64::from(limit) * interval);
        let mut numbers = RateLimitSettings { max_wait, ..settings(limit, period, burst) };
        let limiter = RateLimiter::new(numbers);
        let mut model = Model { settings: numbers, there: 0, at: 1000, waiting: Vec::new() };
        model.there = model.parts() * u128::from(burst);
        let mut largest = u64::from(limiter.leases.size());
        let mut admitted: Vec<(u64, u64)> = Vec::new();
        for step in moves {
            let now = Moment::from_nanos(model.at);
            let (shard, calls, tries) = match step {
                Move::Pass(nanos) => {
                    model.pass(model.at + nanos);
                    continue;
                }
                Move::Set(burst, exact) => {
                    numbers = RateLimitSettings { burst, exact, ..numbers };
                    limiter.set(numbers);
                    drop(limiter.hold(now));
                    model.set(numbers);
                    largest = largest.max(limiter.leases.size().into());
                    // A change is one of the two cases that the bound is not for.
                    admitted.clear();
                    continue;
                }
                Move::Waits(shard) => {
                    let Ok(Some(mut ticket)) = limiter.enter(now) else {
                        prop_assert!(model.take());
                        continue;
                    };
                    while let Turn::Wait(until) =
                        limiter.poll_turn(&mut ticket, Moment::from_nanos(model.at), Waker::noop())
                    {
                        let now = Moment::from_nanos(model.at);
                        prop_assert!(!passes(&limiter, shard, now), "it was overtaken");
                        model.pass(until.as_nanos());
                    }
                    prop_assert!(model.take());
                    admitted.push((model.at, 1));
                    continue;
                }
                Move::Calls(shard, calls) => (shard, calls, false),
                Move::Tries(calls) => (0, calls, true),
            };
            let mut count = 0;
            for _ in 0..calls {
                if !tries && passes(&limiter, shard, now) || limiter.try_acquire(now).is_ok() {
                    prop_assert!(model.take(), "the bucket has none");
                    count += 1;
                } else {
                    let there = model.there / model.parts();
                    let set_aside = u128::from(largest * SHARDS as u64);
                    prop_assert!(there <= set_aside, "refused with {}", there);
                    break;
                }
            }
            admitted.push((model.at, count));
            for (first, &(from, _)) in admitted.iter().enumerate() {
                let sum: u64 = admitted[first..].iter().map(|&(_, count)| count).sum();
                let refill = (model.at - from).div_ceil(interval);
                prop_assert!(sum <= u64::from(numbers.burst) + refill);
            }
        }
    }
}
