use loom::sync::Arc;
use loom::thread;

use super::toy::Settings;
use super::*;

/// Both numbers have been in force before: loom does not see what a `OnceLock` makes known to others.
fn reloads_and_calls(here: &'static [u32], there: &'static [u32]) {
    loom::model(move || {
        let settings = Settings::new(1);
        let kept = Arc::new(Kept::new());
        assert_eq!(settings.call(&kept), 1);
        settings.reload(2);
        assert_eq!(settings.call(&kept), 2);
        let other = {
            let (settings, kept) = (settings.clone(), kept.clone());
            thread::spawn(move || {
                for &number in there {
                    settings.reload(number);
                    settings.call(&kept);
                }
                settings.call(&kept);
            })
        };
        for &number in here {
            settings.reload(number);
            settings.call(&kept);
        }
        other.join().unwrap();
        settings.call(&kept);
    });
}

#[test]
fn loom_a_call_never_sees_settings_that_were_replaced_before_it_began() {
    reloads_and_calls(&[1, 2], &[]);
}

#[test]
fn loom_two_reloads_at_a_time_leave_the_later_one_in_use() {
    reloads_and_calls(&[1], &[2]);
}
