use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::task::Wake;

use proptest::prelude::*;

use super::*;

fn bulkhead(concurrency: u32, queue: u32) -> Bulkhead {
    Bulkhead::new(BulkheadSettings { concurrency, queue })
}

/// Counts its wakes.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Bell {
    fn rung(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// One who waits.
fn waiting(bulkhead: &Bulkhead) -> (Ticket, Arc<Bell>) {
    let mut ticket = bulkhead.enter().unwrap().unwrap();
    let bell = Arc::new(Bell::default());
    let turn = bulkhead.poll_turn(&mut ticket, &Waker::from(bell.clone()));
    assert_eq!(turn, Poll::Pending);
    (ticket, bell)
}

fn has_turn(bulkhead: &Bulkhead, ticket: &mut Ticket) -> bool {
    bulkhead.poll_turn(ticket, Waker::noop()).is_ready()
}

#[test]
fn l3_a_full_one_refuses_at_once_where_nobody_may_wait() {
    let bulkhead = bulkhead(2, 0);
    assert_eq!(bulkhead.try_acquire(), Ok(()));
    assert!(bulkhead.enter().unwrap().is_none());
    assert_eq!(bulkhead.try_acquire(), Err(Full));
    assert_eq!(bulkhead.enter().unwrap_err(), Full);
    bulkhead.release();
    assert_eq!(bulkhead.try_acquire(), Ok(()));
    assert_eq!(bulkhead.taken(), 2);
}

#[test]
fn slots_are_handed_out_in_the_order_of_coming() {
    let bulkhead = bulkhead(1, 2);
    bulkhead.try_acquire().unwrap();
    let (mut first, bell_1) = waiting(&bulkhead);
    let (mut second, bell_2) = waiting(&bulkhead);
    assert_eq!(bulkhead.enter().unwrap_err(), Full, "the line is full");
    bulkhead.release();
    assert_eq!((bell_1.rung(), bell_2.rung()), (1, 0));
    assert_eq!(bulkhead.try_acquire(), Err(Full), "nobody overtakes");
    assert!(!has_turn(&bulkhead, &mut second));
    assert!(has_turn(&bulkhead, &mut first));
    assert!(
        has_turn(&bulkhead, &mut first),
        "asking again takes no more"
    );
    bulkhead.release();
    assert!(has_turn(&bulkhead, &mut second));
    assert_eq!((bulkhead.taken(), bulkhead.waiting()), (1, 0));
    bulkhead.release();
    assert_eq!(bulkhead.taken(), 0);
}

#[test]
fn several_free_slots_go_to_as_many_at_once() {
    let bulkhead = bulkhead(2, 3);
    (0..2).for_each(|_| bulkhead.try_acquire().unwrap());
    let mut waiters: Vec<_> = (0..3).map(|_| waiting(&bulkhead)).collect();
    (0..2).for_each(|_| bulkhead.release());
    let rung: Vec<_> = waiters.iter().map(|(_, bell)| bell.rung()).collect();
    assert_eq!(rung, [1, 1, 0]);
    // The second need not wait until the first has looked.
    assert!(has_turn(&bulkhead, &mut waiters[1].0));
    assert!(!has_turn(&bulkhead, &mut waiters[2].0));
}

#[test]
fn l7_who_leaves_frees_its_place() {
    let bulkhead = bulkhead(1, 1);
    bulkhead.try_acquire().unwrap();
    let (mut ticket, _) = waiting(&bulkhead);
    bulkhead.leave(&mut ticket);
    bulkhead.leave(&mut ticket);
    assert_eq!(bulkhead.waiting(), 0);
    bulkhead.release();
    assert_eq!(bulkhead.taken(), 0);
    bulkhead.try_acquire().unwrap();
}

#[test]
fn l7_who_leaves_with_a_slot_just_handed_to_it_passes_it_on() {
    let bulkhead = bulkhead(1, 2);
    bulkhead.try_acquire().unwrap();
    let (mut first, bell_1) = waiting(&bulkhead);
    let (mut second, bell_2) = waiting(&bulkhead);
    bulkhead.release();
    assert_eq!((bell_1.rung(), bell_2.rung()), (1, 0));
    bulkhead.leave(&mut first);
    assert_eq!(bell_2.rung(), 1);
    assert!(has_turn(&bulkhead, &mut second));
    bulkhead.release();
    assert_eq!(bulkhead.taken(), 0);
}

#[test]
fn fewer_slots_drain_and_more_are_handed_out_at_once() {
    let bulkhead = bulkhead(3, 2);
    (0..3).for_each(|_| bulkhead.try_acquire().unwrap());
    let (mut ticket, bell) = waiting(&bulkhead);
    bulkhead.set(BulkheadSettings {
        concurrency: 1,
        queue: 0,
    });
    (0..2).for_each(|_| bulkhead.release());
    assert_eq!(bell.rung(), 0);
    assert_eq!(bulkhead.taken(), 1);
    assert_eq!(bulkhead.enter().unwrap_err(), Full);
    bulkhead.set(BulkheadSettings {
        concurrency: 2,
        queue: 0,
    });
    assert_eq!(bell.rung(), 1);
    assert!(has_turn(&bulkhead, &mut ticket));
    assert_eq!(bulkhead.taken(), 2);
}

#[test]
fn l6_no_slot_at_all_counts_as_one_and_u32_max_is_no_trouble() {
    let none = bulkhead(0, 0);
    none.try_acquire().unwrap();
    assert_eq!(none.try_acquire(), Err(Full));
    let all = bulkhead(u32::MAX, u32::MAX);
    (0..1000).for_each(|_| all.try_acquire().unwrap());
    assert_eq!(all.taken(), 1000);
}

#[test]
fn b19_it_can_be_forgotten_when_nobody_is_inside() {
    let now = Moment::from_nanos(0);
    let bulkhead = bulkhead(1, 1);
    assert!(bulkhead.is_fresh(now));
    bulkhead.try_acquire().unwrap();
    let (mut ticket, _) = waiting(&bulkhead);
    assert!(!bulkhead.is_fresh(now));
    bulkhead.release();
    assert!(!bulkhead.is_fresh(now));
    bulkhead.leave(&mut ticket);
    assert!(bulkhead.is_fresh(now));
}

#[test]
fn threads_never_run_more_than_there_are_slots_and_lose_none() {
    let bulkhead = bulkhead(3, 100);
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (bulkhead, running, most) = (&bulkhead, &running, &most);
            scope.spawn(move || {
                for round in 0..2000 {
                    let Ok(entered) = bulkhead.enter() else {
                        continue;
                    };
                    if let Some(mut ticket) = entered {
                        let woken = Arc::new(Flag(AtomicBool::new(true), std::thread::current()));
                        // Some lose patience at their first look.
                        let patient = (round + thread) % 5 != 0;
                        let waker = Waker::from(woken.clone());
                        while bulkhead.poll_turn(&mut ticket, &waker).is_pending() && patient {
                            while !woken.0.swap(false, Ordering::SeqCst) {
                                std::thread::park();
                            }
                        }
                        if ticket.0.is_some() {
                            bulkhead.leave(&mut ticket);
                            continue;
                        }
                    }
                    let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    if round % 7 == 0 {
                        std::thread::yield_now();
                    }
                    running.fetch_sub(1, Ordering::SeqCst);
                    bulkhead.release();
                }
            });
        }
    });
    assert!(most.into_inner() <= 3);
    assert_eq!((bulkhead.taken(), bulkhead.waiting()), (0, 0));
    (0..3).for_each(|_| bulkhead.try_acquire().unwrap());
}

/// Wakes a parked thread.
struct Flag(AtomicBool, std::thread::Thread);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
        self.1.unpark();
    }
}

/// The rules once more, as plainly as they can be said: a list of all who hold a slot or wait, in
/// the order of coming, and after every event the first waiters get what is free.
#[derive(Default)]
struct Model {
    concurrency: u32,
    queue: u32,
    /// Those that wait: who, in the order of coming.
    waiting: Vec<u32>,
    /// Those that hold a slot, whether they know it or not.
    holding: Vec<u32>,
}

impl Model {
    fn enter(&mut self, who: u32) -> Option<bool> {
        if self.waiting.is_empty() && self.holding.len() < self.concurrency as usize {
            self.holding.push(who);
            return Some(true);
        }
        (self.waiting.len() < self.queue as usize).then(|| {
            self.waiting.push(who);
            false
        })
    }

    fn remove(&mut self, who: u32) {
        self.waiting.retain(|&other| other != who);
        self.holding.retain(|&other| other != who);
        self.hand_out();
    }

    fn hand_out(&mut self) {
        while self.holding.len() < self.concurrency as usize && !self.waiting.is_empty() {
            self.holding.push(self.waiting.remove(0));
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Try,
    Enter,
    Poll(usize),
    /// Ends or drops one of those inside.
    End(usize),
    Set(u32, u32),
}

proptest! {
    #[test]
    fn behaves_as_the_plain_model(
        concurrency in 1..4_u32, queue in 0..5_u32,
        steps in prop::collection::vec(prop_oneof![
            1 => Just(Step::Try),
            5 => Just(Step::Enter),
            4 => any::<usize>().prop_map(Step::Poll),
            4 => any::<usize>().prop_map(Step::End),
            1 => (1..5_u32, 0..5_u32).prop_map(|(slots, queue)| Step::Set(slots, queue)),
        ], 1..400),
    ) {
        let bulkhead = bulkhead(concurrency, queue);
        let mut model = Model { concurrency, queue, ..Model::default() };
        // Who is inside, and the ticket of those that had to wait.
        let mut inside: Vec<(u32, Option<Ticket>)> = Vec::new();
        for (who, step) in (0..).zip(steps) {
            match step {
                Step::Try => {
                    let room = model.waiting.is_empty()
                        && model.holding.len() < model.concurrency as usize;
                    prop_assert_eq!(bulkhead.try_acquire().is_ok(), room);
                    if room {
                        model.holding.push(who);
                        inside.push((who, None));
                    }
                }
                Step::Enter => {
                    let ours = bulkhead.enter();
                    let expected = model.enter(who);
                    prop_assert_eq!(ours.as_ref().ok().map(Option::is_none), expected);
                    inside.extend(ours.ok().map(|ticket| (who, ticket)));
                }
                Step::Poll(which) if !inside.is_empty() => {
                    let which = which % inside.len();
                    let (who, ticket) = &mut inside[which];
                    if let Some(ticket) = ticket {
                        prop_assert_eq!(has_turn(&bulkhead, ticket), model.holding.contains(who));
                    }
                }
                Step::End(which) if !inside.is_empty() => {
                    let (who, ticket) = inside.swap_remove(which % inside.len());
                    match ticket {
                        Some(mut ticket) if ticket.0.is_some() => bulkhead.leave(&mut ticket),
                        _ => bulkhead.release(),
                    }
                    model.remove(who);
                }
                Step::Set(concurrency, queue) => {
                    bulkhead.set(BulkheadSettings { concurrency, queue });
                    (model.concurrency, model.queue) = (concurrency, queue);
                    model.hand_out();
                }
                _ => {}
            }
            prop_assert_eq!(bulkhead.taken() as usize, model.holding.len());
            prop_assert_eq!(bulkhead.waiting(), model.waiting.len());
        }
    }
}
