use proptest::prelude::*;

use super::*;

#[test]
fn l3_more_than_is_free_is_refused_with_the_numbers() {
    let pool = Pool::new(Some(100));
    let lease = pool.acquire(60).unwrap();
    let refused = pool.acquire(41).unwrap_err();
    assert_eq!((refused.current, refused.limit), (60, 100));
    let rest = pool.acquire(40).unwrap();
    assert!(pool.acquire(1).is_err());
    assert_eq!(pool.acquire(0), Ok(Lease(0)), "nothing is always free");
    pool.release(lease);
    pool.release(rest);
    assert_eq!(pool.current(), 0);
}

#[test]
fn a_limit_can_move_and_what_is_leased_stays_leased() {
    let pool = Pool::new(Some(100));
    let lease = pool.acquire(80).unwrap();
    pool.set_limit(Some(50));
    let refused = pool.acquire(1).unwrap_err();
    assert_eq!((refused.current, refused.limit), (80, 50));
    pool.release(lease);
    let _half = pool.acquire(50).unwrap();
    assert_eq!(pool.limit(), Some(50));
    pool.set_limit(None);
    let _more = pool.acquire(1000).unwrap();
    assert_eq!((pool.current(), pool.limit()), (1050, None));
}

#[test]
fn amounts_as_large_as_can_be_do_not_overflow() {
    let limited = Pool::new(Some(u64::MAX - 1));
    let _one = limited.acquire(1).unwrap();
    assert!(limited.acquire(u64::MAX).is_err());
    let unlimited = Pool::new(None);
    let leases = [u64::MAX, 7, u64::MAX].map(|amount| unlimited.acquire(amount).unwrap());
    assert_eq!(unlimited.current(), u64::MAX);
    for lease in leases {
        unlimited.release(lease);
    }
    assert_eq!(unlimited.current(), 0);
}

#[test]
fn l5_one_name_is_one_pool() {
    let pools = Pools::default();
    let tokens = pools.pool("llm_tokens");
    tokens.set_limit(Some(10));
    assert_eq!(pools.pool("llm_tokens").limit(), Some(10));
    assert_eq!(pools.pool("connections").limit(), None);
    let all = pools.all();
    let names: Vec<_> = all.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["connections", "llm_tokens"]);
}

#[test]
fn threads_never_lease_more_than_there_is_and_give_all_back() {
    let pool = Pool::new(Some(100));
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let pool = &pool;
            scope.spawn(move || {
                for round in 0..10_000 {
                    if let Ok(lease) = pool.acquire((thread + round) % 40) {
                        assert!(pool.current() <= 100);
                        pool.release(lease);
                    }
                }
            });
        }
    });
    assert_eq!(pool.current(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Acquire(u64),
    Release(usize),
    Limit(Option<u64>),
}

proptest! {
    /// The model is the list of what is leased.
    #[test]
    fn behaves_as_the_plain_model(steps in prop::collection::vec(prop_oneof![
        4 => (0..60_u64).prop_map(Step::Acquire),
        1 => any::<u64>().prop_map(Step::Acquire),
        3 => any::<usize>().prop_map(Step::Release),
        1 => prop::option::of(0..200_u64).prop_map(Step::Limit),
    ], 1..200)) {
        let pool = Pool::new(Some(100));
        let mut limit = Some(100_u64);
        let mut leases: Vec<Lease> = Vec::new();
        for step in steps {
            let current: u128 = leases.iter().map(|lease| u128::from(lease.0)).sum();
            match step {
                Step::Acquire(amount) => {
                    let fits = limit
                        .is_none_or(|limit| current + u128::from(amount) <= u128::from(limit));
                    let ours = pool.acquire(amount);
                    prop_assert_eq!(ours.is_ok(), fits);
                    leases.extend(ours.ok());
                }
                Step::Release(which) if !leases.is_empty() => {
                    pool.release(leases.swap_remove(which % leases.len()));
                }
                Step::Release(_) => {}
                Step::Limit(new) => {
                    limit = new;
                    pool.set_limit(new);
                }
            }
            let current: u128 = leases.iter().map(|lease| u128::from(lease.0)).sum();
            prop_assert_eq!(u128::from(pool.current()), current);
        }
    }
}
