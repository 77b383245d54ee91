use loom::sync::Arc;
use loom::thread;

use super::*;

fn start() -> Moment {
    Moment::from_nanos(0) + Duration::from_secs(3600)
}

fn budget(percent: u32, floor: u32) -> Arc<Budget> {
    Arc::new(Budget::new(BudgetSettings { percent, floor }, start()))
}

#[test]
fn loom_never_grants_more_than_there_is() {
    loom::model(|| {
        let budget = budget(50, 0);
        (0..2).for_each(|_| budget.count());
        let other = budget.clone();
        let thread = thread::spawn(move || other.withdraw(start()));
        let mine = budget.withdraw(start());
        assert!(mine ^ thread.join().unwrap(), "two calls are one retry");
        assert!(!budget.withdraw(start()));
    });
}

#[test]
fn loom_a_call_that_is_counted_while_a_retry_asks_is_not_lost() {
    loom::model(|| {
        let budget = budget(50, 0);
        budget.count();
        let other = budget.clone();
        let counting = thread::spawn(move || other.count());
        let early = budget.withdraw(start());
        counting.join().unwrap();
        let late = budget.withdraw(start());
        assert!(
            early ^ late,
            "two calls are one retry, whenever they are seen"
        );
    });
}

#[test]
fn loom_the_floor_is_never_overdrawn() {
    loom::model(|| {
        let budget = budget(0, 1);
        // All but one.
        (0..9).for_each(|_| assert!(budget.withdraw(start())));
        let other = budget.clone();
        let thread = thread::spawn(move || other.withdraw(start()));
        let mine = budget.withdraw(start());
        assert!(mine ^ thread.join().unwrap());
        assert_eq!(lock(&budget.ledger).reserve, 0);
        assert!(budget.withdraw(start() + Duration::from_secs(1)));
    });
}
