//! Text to words, for prose and for code.
//!
//! `BucketSize::max_bytes` gives `bucket`, `size`, `max`, `byte`. Words that
//! every English text has are left out, and the commonest endings are cut, so that `calls` and
//! `called` are the same word as `call`.

/// The words of a text, in order.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower_before = false;
    for c in text.chars() {
        if !c.is_alphanumeric() {
            push(&mut words, &mut word);
            lower_before = false;
            continue;
        }
        if c.is_uppercase() && lower_before {
            push(&mut words, &mut word);
        }
        lower_before = c.is_lowercase();
        word.extend(c.to_lowercase());
    }
    push(&mut words, &mut word);
    words
}

fn push(words: &mut Vec<String>, word: &mut String) {
    let word = std::mem::take(word);
    if word.chars().nth(1).is_none() || STOP_WORDS.contains(&word.as_str()) {
        return;
    }
    words.push(stem(word));
}

/// Cuts the endings of plurals, participles and third persons. Not grammar: it is enough that both
/// sides of a comparison lose the same letters.
fn stem(mut word: String) -> String {
    if !word.is_ascii() {
        return word;
    }
    let cut = |word: &mut String, ending: &str| {
        let fits = word.ends_with(ending) && word.len() >= ending.len() + 3;
        if fits {
            word.truncate(word.len() - ending.len());
        }
        fits
    };
    if word.ends_with("ies") && word.len() > 4 {
        word.truncate(word.len() - 3);
        word.push('y');
    } else if !word.ends_with("ss") && !word.ends_with("us") {
        cut(&mut word, "s");
    }
    if cut(&mut word, "ing") || cut(&mut word, "ed") {
        let bytes = word.as_bytes();
        let doubled = bytes.len() > 3 && bytes[bytes.len() - 1] == bytes[bytes.len() - 2];
        if doubled && !matches!(bytes[bytes.len() - 1], b'l' | b's' | b'z') {
            word.pop();
        }
    }
    // `close` and `closing`: without its ending the latter has no `e`.
    cut(&mut word, "e");
    word
}

const STOP_WORDS: &[&str] = &[
    "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do",
    "does", "for", "from", "had", "has", "have", "how", "if", "in", "into", "is", "it", "its",
    "may", "no", "not", "of", "on", "or", "our", "so", "such", "than", "that", "the", "their",
    "them", "then", "there", "these", "they", "this", "those", "to", "was", "we", "were", "what",
    "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_prose_give_the_same_words() {
        assert_eq!(
            words("BucketSize::max_bytes"),
            ["bucket", "siz", "max", "byt"]
        );
        assert_eq!(words("When do the kettles whistle?"), ["kettl", "whistl"]);
        assert_eq!(words("HTTP2 é a"), ["http2"]);
    }

    #[test]
    fn forms_of_a_word_meet() {
        for forms in [
            ["open", "opens", "opened", "opening"],
            ["retry", "retries", "retry", "retrys"],
            ["close", "closes", "closed", "closing"],
            ["stop", "stops", "stopped", "stopping"],
            ["call", "calls", "called", "calling"],
        ] {
            let stems: Vec<_> = forms.iter().flat_map(|form| words(form)).collect();
            assert!(stems.iter().all(|stem| *stem == stems[0]), "{stems:?}");
        }
        assert_eq!(words("status pass"), ["status", "pass"]);
    }
}
