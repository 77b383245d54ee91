//! The numbers that the sites of one service wrote, made one.

use crate::settings::counted::Counted;
use crate::settings::key::{Key, Value};
use crate::settings::layer::Layer;

/// What several sites wrote for the parts that they share.
pub(crate) struct Merged {
    pub(crate) layer: Layer,
    /// What differs from something earlier, or clashes with it: its position, and the key.
    pub(crate) disagreements: Vec<(usize, Key)>,
}

/// For each number of a shared part the first one written, unless it clashes with an earlier one.
///
/// A part is on if some site wrote it so; a site's `off` is its own.
pub(crate) fn merge(written: &[Layer]) -> Merged {
    let mut merged = Layer::default();
    let mut disagreements = Vec::new();
    for (position, later) in written.iter().enumerate() {
        for (key, entry) in later.iter().filter(|(key, _)| key.part().is_some()) {
            if entry.value == Value::Off || merged.value(*key) == Some(&entry.value) {
                continue;
            }
            if merged.get(*key).is_some() {
                disagreements.push((position, *key));
                continue;
            }
            merged.copy(*key, entry);
            if merged.breaker().clash().is_some() || Counted::of(&merged).clash().is_some() {
                merged.remove(*key);
                disagreements.push((position, *key));
            }
        }
    }
    Merged {
        layer: merged,
        disagreements,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::options::{BreakerOptions, Options, Window};
    use crate::settings::origin::{Level, Origin};

    fn merge_breakers(
        written: impl IntoIterator<Item = BreakerOptions>,
    ) -> (BreakerOptions, Vec<(usize, Key)>) {
        let layers = written.into_iter().map(|breaker| {
            let mut options = Options::resilient();
            options.breaker = Some(crate::Switch::On(breaker));
            Layer::of(&options, &Origin::built_in(Level::Attribute))
        });
        let merged = merge(&layers.collect::<Vec<_>>());
        (merged.layer.breaker(), merged.disagreements)
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
        let (merged, told) = merge_breakers(written);
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
        let (merged, told) = merge_breakers(written);
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
