use loom::sync::Arc as LoomArc;
use loom::thread;

use super::*;

#[test]
fn loom_never_leases_more_than_there_is_and_loses_nothing() {
    loom::model(|| {
        let pool = LoomArc::new(Pool::new(Some(10)));
        let other = pool.clone();
        let thread = thread::spawn(move || {
            let lease = other.acquire(6).ok();
            assert!(other.current() <= 10);
            lease.into_iter().for_each(|lease| other.release(lease));
        });
        let lease = pool.acquire(6).ok();
        assert!(pool.current() <= 12 - if lease.is_some() { 6 } else { 0 });
        lease.into_iter().for_each(|lease| pool.release(lease));
        thread.join().unwrap();
        assert_eq!(pool.current(), 0);
    });
}

#[test]
fn loom_a_limit_that_moves_meanwhile_loses_nothing() {
    loom::model(|| {
        let pool = LoomArc::new(Pool::new(Some(10)));
        let other = pool.clone();
        let thread = thread::spawn(move || other.set_limit(Some(5)));
        if let Ok(lease) = pool.acquire(8) {
            pool.release(lease);
        }
        thread.join().unwrap();
        assert_eq!((pool.current(), pool.limit()), (0, Some(5)));
        assert!(pool.acquire(6).is_err());
    });
}

#[test]
fn loom_l5_one_name_is_one_pool() {
    loom::model(|| {
        let pools = LoomArc::new(Pools::default());
        let other = pools.clone();
        let thread = thread::spawn(move || other.pool("llm_tokens"));
        let mine = pools.pool("llm_tokens");
        assert!(Arc::ptr_eq(&mine, &thread.join().unwrap()));
        assert_eq!(pools.all().len(), 1);
    });
}
