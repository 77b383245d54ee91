use loom::thread;

use super::*;
use crate::bulkhead::Bulkhead;
use crate::error::ServiceName;
use crate::settings::{BreakerSettings, BulkheadSettings};

/// What an attempt with the only slot and half of a pool holds.
fn held() -> (Held, Arc<Guards>, Arc<Pool>) {
    let guards = Guards::new(ServiceName::new("test"), BreakerSettings::default());
    let guards = Arc::new(guards);
    let slots = BulkheadSettings {
        concurrency: 1,
        queue: 0,
    };
    guards.bulkhead(slots).try_acquire().expect("it is free");
    let pool = Arc::new(Pool::new(Some(2)));
    let lease = pool.acquire(1).expect("it is free");
    let held = Held {
        guards: HeldGuards::Keyed(Arc::clone(&guards)),
        slot: true,
        leases: vec![(Arc::clone(&pool), lease)],
    };
    (held, guards, pool)
}

fn is_held(guards: &Guards, pool: &Pool) -> bool {
    let taken = guards.known_bulkhead().map_or(0, Bulkhead::taken);
    assert_eq!(u64::from(taken), pool.current(), "both or none");
    taken > 0
}

#[test]
fn loom_an_attempt_that_ends_beside_its_work_gives_everything_back_once() {
    loom::model(|| {
        let (held, guards, pool) = held();
        let work = Arc::new(Work::default());
        let running = work.begin();
        let ending = thread::spawn(move || drop(running));
        drop(work.keep(held));
        ending.join().expect("no panic");
        assert!(!is_held(&guards, &pool));
    });
}

#[test]
fn loom_the_last_of_two_closures_gives_everything_back() {
    loom::model(|| {
        let (held, guards, pool) = held();
        let work = Arc::new(Work::default());
        let (first, last) = (work.begin(), work.begin());
        let ending = thread::spawn(move || drop(first));
        drop(work.keep(held));
        assert!(is_held(&guards, &pool), "one is still running");
        drop(last);
        ending.join().expect("no panic");
        assert!(!is_held(&guards, &pool));
    });
}
