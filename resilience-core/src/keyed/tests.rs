use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn at(seconds: u64) -> Moment {
    Moment::from_nanos(0) + Duration::from_secs(seconds)
}

/// Knows its number, and is not fresh until a certain second.
struct Toy {
    number: usize,
    busy_until: AtomicU64,
}

impl Toy {
    const fn new(number: usize) -> Self {
        Self {
            number,
            busy_until: AtomicU64::new(0),
        }
    }

    fn busy_until(&self, seconds: u64) {
        self.busy_until.store(seconds, Ordering::Relaxed);
    }
}

impl Forgettable for Toy {
    fn is_fresh(&self, now: Moment) -> bool {
        at(self.busy_until.load(Ordering::Relaxed)) <= now
    }
}

#[test]
fn a_key_finds_its_state_again_and_other_keys_do_not() {
    let keyed = Keyed::new(10);
    let one = keyed.get(keyed.id("one"), || at(0), || Toy::new(1));
    let two = keyed.get(keyed.id(&2_u64), || at(0), || Toy::new(2));
    assert!(Arc::ptr_eq(
        &one,
        &keyed.get(keyed.id(&"one".to_owned()), || at(0), || Toy::new(3))
    ));
    assert!(Arc::ptr_eq(
        &two,
        &keyed.get(keyed.id(&2_u64), || at(0), || Toy::new(4))
    ));
    assert_eq!((keyed.len(), keyed.values().len()), (2, 2));
}

#[test]
fn b19_a_million_keys_have_a_bounded_number_of_states() {
    for bound in [0, 1, 63, 1_000, Keyed::<Toy>::DEFAULT_BOUND] {
        let keyed = Keyed::new(bound);
        let keys = if bound == 10_000 { 1_000_000 } else { 10_000 };
        for key in 0..keys {
            keyed
                .get(keyed.id(&key), || at(0), || Toy::new(key))
                .busy_until(9);
        }
        assert!(keyed.len() <= bound.max(1), "{bound}: {}", keyed.len());
        assert!(keyed.len() * 10 >= bound * 9, "{bound}: {}", keyed.len());
    }
}

#[test]
fn an_attack_with_new_keys_does_not_make_a_busy_one_forget() {
    let keyed = Keyed::new(10);
    let open = keyed.get(keyed.id("open"), || at(0), || Toy::new(0));
    open.busy_until(60);
    drop(open);
    for key in 0..1_000 {
        keyed.get(keyed.id(&key), || at(1), || Toy::new(1));
    }
    assert_eq!(
        keyed
            .get(keyed.id("open"), || at(59), || Toy::new(2))
            .number,
        0
    );
    // As new again: it goes with the others.
    for key in 0..1_000 {
        keyed.get(keyed.id(&key), || at(60), || Toy::new(1));
    }
    assert_eq!(
        keyed
            .get(keyed.id("open"), || at(60), || Toy::new(2))
            .number,
        2
    );
}

#[test]
fn with_a_call_on_every_key_late_ones_share_a_state() {
    let keyed = Keyed::new(3);
    let held: Vec<_> = (0..3)
        .map(|key| keyed.get(keyed.id(&key), || at(0), || Toy::new(key)))
        .collect();
    let late = [3, 4].map(|key| keyed.get(keyed.id(&key), || at(0), || Toy::new(key)));
    assert!(Arc::ptr_eq(&late[0], &late[1]));
    assert_eq!((keyed.len(), keyed.values().len()), (3, 4));
    drop(held);
    let own = keyed.get(keyed.id(&4), || at(0), || Toy::new(4));
    assert!(!Arc::ptr_eq(&late[1], &own));
}

/// Every key with its number, the least recently used first.
#[derive(Default)]
struct Model {
    bound: usize,
    keys: Vec<(u8, usize)>,
    overflow: Option<usize>,
}

impl Model {
    fn get(&mut self, key: u8, number: usize, busy: &dyn Fn(usize) -> (bool, bool)) -> usize {
        if let Some(place) = self.keys.iter().position(|(known, _)| *known == key) {
            let known = self.keys.remove(place);
            self.keys.push(known);
            return known.1;
        }
        if self.keys.len() == self.bound {
            let unheld = |(_, number): &(u8, usize)| !busy(*number).0;
            let fresh = |entry: &(u8, usize)| unheld(entry) && !busy(entry.1).1;
            let place = self.keys.iter().position(fresh);
            match place.or_else(|| self.keys.iter().position(unheld)) {
                Some(place) => drop(self.keys.remove(place)),
                None => return *self.overflow.get_or_insert(number),
            }
        }
        self.keys.push((key, number));
        number
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Ask for a key, and hold on to it or not; keep it busy for so many seconds.
    Get(u8, bool, Option<u64>),
    Drop(usize),
    Pass(u64),
}

proptest! {
    #[test]
    fn behaves_as_the_plain_model(
        bound in 1..6_usize,
        steps in prop::collection::vec(prop_oneof![
            6 => (0..10_u8, any::<bool>(), prop::option::of(0..20_u64))
                .prop_map(|(key, hold, busy)| Step::Get(key, hold, busy)),
            3 => any::<usize>().prop_map(Step::Drop),
            1 => (1..10_u64).prop_map(Step::Pass),
        ], 1..200),
    ) {
        let keyed = Keyed::new(bound);
        let mut model = Model { bound, ..Model::default() };
        let mut held: Vec<Arc<Toy>> = Vec::new();
        let mut busy_until = BTreeMap::new();
        let (mut now, mut made) = (0, 0);
        for step in steps {
            match step {
                Step::Pass(seconds) => now += seconds,
                Step::Drop(_) if held.is_empty() => {}
                Step::Drop(which) => drop(held.swap_remove(which % held.len())),
                Step::Get(key, hold, busy) => {
                    made += 1;
                    let ours = keyed.get(keyed.id(&key), || at(now), || Toy::new(made));
                    let expected = model.get(key, made, &|number| (
                        held.iter().any(|toy| toy.number == number),
                        busy_until.get(&number).is_some_and(|until| *until > now),
                    ));
                    prop_assert_eq!(ours.number, expected);
                    if let Some(seconds) = busy {
                        ours.busy_until(now + seconds);
                        busy_until.insert(expected, now + seconds);
                    }
                    if hold {
                        held.push(ours);
                    }
                }
            }
            prop_assert_eq!(keyed.len(), model.keys.len());
        }
    }
}

#[test]
fn no_key_ever_has_two_states() {
    /// Counts the living states of its key.
    struct Counted(&'static AtomicU32);

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    impl Forgettable for Counted {
        fn is_fresh(&self, _: Moment) -> bool {
            true
        }
    }

    static LIVING: [AtomicU32; 64] = [const { AtomicU32::new(0) }; 64];
    // A place for each thread at least, so that none comes too late.
    let keyed = Keyed::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let keyed = &keyed;
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(thread);
                for _ in 0..5_000 {
                    let key = random.usize(..LIVING.len());
                    let make = || {
                        assert_eq!(LIVING[key].fetch_add(1, Ordering::SeqCst), 0);
                        Counted(&LIVING[key])
                    };
                    let held = keyed.get(keyed.id(&key), || at(0), make);
                    assert!(std::ptr::eq(held.0, &raw const LIVING[key]));
                    assert!(keyed.len() <= 8);
                }
            });
        }
    });
}
