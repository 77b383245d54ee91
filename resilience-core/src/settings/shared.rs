//! The numbers that the sites of one service wrote, made one.

use crate::settings::counted::Counted;
use crate::settings::key::{Key, Value};
use crate::settings::layer::Layer;

/// For each number of a shared part the first one written, unless it clashes with an earlier one.
/// `disagreement` hears of every later one that differs or clashes: its position, and the key.
///
/// A part is on if some site wrote it so; a site's `off` is its own.
pub(crate) fn merge(
    written: impl IntoIterator<Item = Layer>,
    mut disagreement: impl FnMut(usize, Key),
) -> Layer {
    let mut merged = Layer::default();
    for (position, later) in written.into_iter().enumerate() {
        for (key, entry) in later.iter().filter(|(key, _)| key.part().is_some()) {
            if entry.value == Value::Off || merged.value(key) == Some(&entry.value) {
                continue;
            }
            if merged.get(key).is_some() {
                disagreement(position, key);
                continue;
            }
            merged.set(key, entry.value.clone(), entry.origin.clone());
            if merged.breaker().clash().is_some() || Counted::of(&merged).clash().is_some() {
                merged.remove(key);
                disagreement(position, key);
            }
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::options::{BreakerOptions, Options, Window};
    use crate::settings::origin::{Level, Origin};

    fn merge_breakers(
        written: impl IntoIterator<Item = BreakerOptions>,
        told: &mut Vec<(usize, Key)>,
    ) -> BreakerOptions {
        let layers = written.into_iter().map(|breaker| {
            let mut options = Options::resilient();
            options.breaker = Some(crate::Switch::On(breaker));
            Layer::of(&options, &Origin::built_in(Level::Attribute))
        });
        merge(layers, |position, key| told.push((position, key))).breaker()
    }

    #[test]
    fn the_first_written_breaker_number_holds_and_later_ones_that_differ_are_told() {
        let written = [
            BreakerOptions::new().failure_threshold(3),
            BreakerOptions::new()
                .failure_threshold(3)
                .success_threshold(2),
            BreakerOptions::new().failure_threshold(4),
        ];
        let mut told = Vec::new();
        let merged = merge_breakers(written, &mut told);
        assert_eq!(
            merged,
            BreakerOptions::new()
                .failure_threshold(3)
                .success_threshold(2)
        );
        assert_eq!(told, [(2, Key::FailureThreshold)]);
    }
    #[test]
    fn numbers_that_clash_with_the_first_are_told_and_not_taken() {
        let second = Duration::from_secs(1);
        let new = BreakerOptions::new;
        let written = [
            new().failure_threshold(3).wait_duration(second),
            new().failure_rate_threshold(0.5).minimum_calls(50),
            new()
                .slow_call_duration(second)
                .window(Window::Count(10))
                .wait_duration(second)
                .wait_duration_max(2 * second),
        ];
        let mut told = Vec::new();
        let merged = merge_breakers(written, &mut told);
        assert_eq!(merged.failure_threshold, Some(3));
        assert_eq!(merged.failure_rate_threshold, None);
        assert_eq!(merged.minimum_calls, Some(50));
        assert_eq!(
            (merged.window, merged.wait_duration_max),
            (None, Some(second))
        );
        let expected = [
            (1, Key::FailureRateThreshold),
            (2, Key::Window),
            (2, Key::WaitDuration),
        ];
        assert_eq!(told, expected);
    }
}
