//! Something that is made of settings which are a number.

use std::sync::Arc;

use super::{Kept, Made};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, lock};

/// As [`Live`](crate::settings::live::Live) has them: the generation apart from the snapshot.
#[derive(Debug)]
pub(super) struct Settings {
    generation: AtomicU64,
    /// Of all generations so far, from 1.
    numbers: Mutex<Vec<u32>>,
}

#[derive(Debug)]
pub(super) struct Toy {
    settings: Arc<Settings>,
    generation: AtomicU64,
    number: u32,
}

impl Settings {
    pub(super) fn new(number: u32) -> Arc<Self> {
        Arc::new(Self {
            generation: AtomicU64::new(1),
            numbers: Mutex::new(vec![number]),
        })
    }

    pub(super) fn reload(&self, number: u32) {
        let mut numbers = lock(&self.numbers);
        numbers.push(number);
        self.generation
            .store(numbers.len() as u64, Ordering::Release);
    }

    /// A call: what it sees must have been in force since it began.
    pub(super) fn call(self: &Arc<Self>, kept: &Kept<Toy>) -> u32 {
        let before = self.generation.load(Ordering::Acquire) as usize;
        let number = match kept.first().or_else(|| kept.other()) {
            Some(toy) => toy.number,
            None => kept.in_force(|| self.make()).shared().number,
        };
        let numbers = lock(&self.numbers);
        assert!(
            numbers[before - 1..].contains(&number),
            "{number} in a call that began at {before} of {numbers:?}"
        );
        number
    }

    fn make(self: &Arc<Self>) -> Toy {
        let numbers = lock(&self.numbers);
        Toy {
            settings: Arc::clone(self),
            generation: AtomicU64::new(numbers.len() as u64),
            number: numbers[numbers.len() - 1],
        }
    }
}

impl Made for Toy {
    fn generation(&self) -> &AtomicU64 {
        &self.generation
    }

    fn generation_in_force(&self) -> u64 {
        self.settings.generation.load(Ordering::Acquire)
    }

    fn is_same(&self, later: &Self) -> bool {
        self.number == later.number
    }
}
