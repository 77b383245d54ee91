//! Finds the word that somebody meant, and lists words.

/// The name out of `list` that `word` is most likely a misspelling of.
pub(crate) fn nearest(word: &str, list: &[&'static str]) -> Option<&'static str> {
    list.iter()
        .map(|name| (distance(word, name), *name))
        .filter(|(distance, name)| *distance <= name.len().max(word.len()).div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The number of inserted, deleted, replaced and swapped characters between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Rows for the prefixes of `a` that are two, one and no character shorter.
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                let swapped: &Vec<usize> = &before_last;
                best = best.min(swapped[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// "`a`, `b` and `c`".
pub(crate) fn enumerate(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [most @ .., last] => {
            let most: Vec<_> = most.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and `{last}`", most.join(", "))
        }
    }
}

/// `waitDuration` and `with_wait_duration`, as other languages and builders spell it, in our way.
pub(crate) fn ours(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 4);
    for c in word.chars() {
        if c.is_uppercase() && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    match out.strip_prefix("with_") {
        Some(rest) => rest.to_owned(),
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::options;

    #[test]
    fn misspellings_find_their_name() {
        let options = options("resilient");
        for (word, name) in [
            ("retires", "retries"),
            ("retrys", "retries"),
            ("catgory", "category"),
            ("time_out", "timeout"),
            ("deadlin", "deadline"),
            ("breakr", "breaker"),
        ] {
            assert_eq!(nearest(word, &options), Some(name), "{word}");
        }
        assert_eq!(nearest("colour", &options), None);
    }

    #[test]
    fn other_ways_of_writing_become_ours() {
        assert_eq!(
            ours("waitDurationInOpenState"),
            "wait_duration_in_open_state"
        );
        assert_eq!(ours("MaxRetryAttempts"), "max_retry_attempts");
        assert_eq!(ours("with_max_delay"), "max_delay");
    }
}
