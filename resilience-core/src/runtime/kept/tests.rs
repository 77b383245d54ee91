use std::thread;

use super::toy::Settings;
use super::*;

#[test]
fn settings_that_come_back_find_what_they_made_and_others_take_no_more_room_than_there_is() {
    let settings = Settings::new(0);
    let kept = Kept::new();
    let made = |number| {
        settings.reload(number);
        assert_eq!(settings.call(&kept), number);
        let staying = kept.first().or_else(|| kept.other());
        staying.map(|toy| std::ptr::from_ref(toy).addr())
    };
    let staying = 0..=STAYING as u32;
    let first: Vec<_> = staying.clone().map(made).collect();
    assert!(first.iter().all(Option::is_some));
    for number in 100..1_000 {
        assert_eq!(made(number), None);
    }
    // Backwards, and those at once that say the same again.
    for number in staying.rev() {
        assert_eq!(made(number), first[number as usize]);
        assert_eq!(made(number), first[number as usize]);
    }
}

#[test]
fn threads_that_reload_and_call_at_the_same_time_see_what_is_in_force() {
    let settings = Settings::new(0);
    let kept = Kept::new();
    thread::scope(|scope| {
        for thread in 0..4 {
            let (settings, kept) = (&settings, &kept);
            scope.spawn(move || {
                for turn in 0..2_000 {
                    if turn % 3 == thread % 3 {
                        // More than stay, and again and again.
                        settings.reload((turn * 7 + thread) % 24);
                    }
                    settings.call(kept);
                }
            });
        }
    });
    settings.call(&kept);
}
