//! The name that somebody who wrote another one most likely meant.

/// The nearest of `names` to `word`, if one is near. `db1` is not near to `db2`: whoever counts means
/// both.
pub(crate) fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let mut nearest = None;
    let mut least = usize::MAX;
    for &name in names {
        if differ_in_digits(word, name) {
            continue;
        }
        let distance = distance(word, name);
        if distance < least && distance <= (name.chars().count() / 3).max(1) {
            (nearest, least) = (Some(name), distance);
        }
    }
    nearest
}

/// Whether they are the same but for digits that both have.
fn differ_in_digits(word: &str, name: &str) -> bool {
    let is_digit = |c: &char| c.is_ascii_digit();
    let letters = |text: &str| text.chars().filter(|c| !is_digit(c)).collect::<String>();
    let both_count = [word, name]
        .iter()
        .all(|text| text.chars().any(|c| is_digit(&c)));
    both_count && letters(word) == letters(name)
}

/// Letters to insert, remove, replace or exchange with their neighbour; case and the kind of dash do
/// not count.
fn distance(word: &str, name: &str) -> usize {
    let (word, name) = (folded(word), folded(name));
    let mut rows = [
        vec![0; name.len() + 1],
        (0..=name.len()).collect(),
        vec![0; name.len() + 1],
    ];
    for (i, a) in word.iter().enumerate() {
        let [before, last, row] = &mut rows;
        row[0] = i + 1;
        for (j, b) in name.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            let mut cost = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == name[j - 1] && word[i - 1] == *b {
                cost = cost.min(before[j - 1] + 1);
            }
            row[j + 1] = cost;
        }
        std::mem::swap(before, last);
        std::mem::swap(last, row);
    }
    rows[1][name.len()]
}

fn folded(text: &str) -> Vec<char> {
    let fold = |c: char| match c {
        '-' => '_',
        c => c.to_ascii_lowercase(),
    };
    text.chars().take(LONGEST).map(fold).collect()
}

/// No name is longer; what is, is compared up to here.
const LONGEST: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = &["retries", "timeout", "deadline"];
        assert_eq!(nearest("retires", names), Some("retries"));
        assert_eq!(nearest("Time-out", names), Some("timeout"));
        assert_eq!(nearest("dedline", names), Some("deadline"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest("db2", &["db1", "tdb2"]), Some("tdb2"));
        assert_eq!(nearest(&"x".repeat(100_000), names), None);
    }
}
