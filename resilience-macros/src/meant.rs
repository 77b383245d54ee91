//! Which option somebody means who writes a word of another crate, and how to write it.

use quote::ToTokens as _;
use syn::{Expr, ExprPath, Lit};

use crate::forms::{is_off, means_off};
use crate::grammar::{RawValue, peel};
use crate::names;
use crate::words::{TOTALS, UNITS, for_option};

/// What somebody who wrote a word of another crate most likely means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meant {
    /// The list that the option stands in, `""` for the attribute itself.
    pub(crate) list: &'static str,
    pub(crate) option: &'static str,
    value: Value,
}

/// How the value of the word becomes that of the option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Same,
    /// It is a number of this unit.
    Of(&'static str),
    /// It counts the first attempt as well.
    Total,
}

/// The lists in an attribute, in the order in which a word is looked for in them.
const LISTS: &[&str] = &["backoff", "breaker", "bulkhead", "rate_limit", "budget"];

/// What `word` means in this list, `""` for the attribute itself.
pub(crate) fn meant(list: &str, word: &str) -> Option<Meant> {
    let meant = |(list, option), value| Meant {
        list,
        option,
        value,
    };
    if list.is_empty() && TOTALS.contains(&word) {
        return Some(meant(("", "retries"), Value::Total));
    }
    let find = |word| match list {
        "" => in_attribute(word),
        list => exactly(list, word).or_else(|| for_option(list, word)),
    };
    let same = find(word).map(|found| meant(found, Value::Same));
    same.or_else(|| {
        let with_unit = |(end, unit)| Some((word.strip_suffix(end)?, unit));
        let (word, unit) = UNITS.iter().copied().find_map(with_unit)?;
        let of_unit = meant(find(word)?, Value::Of(unit));
        of_unit.is_duration().then_some(of_unit)
    })
}

/// The list and the option: of the attribute itself, or of a list in it.
fn in_attribute(word: &str) -> Option<(&'static str, &'static str)> {
    exactly("resilient", word)
        .or_else(|| exactly("fail_fast", word))
        .map(|(_, option)| ("", option))
        .or_else(|| for_option("", word))
        .or_else(|| LISTS.iter().find_map(|list| exactly(list, word)))
        .or_else(|| LISTS.iter().find_map(|list| for_option(list, word)))
}

fn exactly(list: &str, word: &str) -> Option<(&'static str, &'static str)> {
    let (list, _) = names::OPTIONS.iter().find(|(name, _)| *name == list)?;
    let option = names::options(list)
        .into_iter()
        .find(|option| *option == word)?;
    Some((list, option))
}

impl Meant {
    /// How it is written, with an example of a value.
    fn form(self) -> &'static str {
        let form = match self.list {
            "" => names::form("resilient", self.option)
                .or_else(|| names::form("fail_fast", self.option)),
            list => names::form(list, self.option),
        };
        form.unwrap_or(self.option)
    }

    fn is_duration(self) -> bool {
        self.form().ends_with("s\"") || self.form().ends_with("m\"")
    }

    /// How to write it, with the value that stands there, where that can be had.
    pub(crate) fn written(self, value: &RawValue) -> String {
        let form = self.form();
        if let RawValue::Expr(expr) = value
            && form.ends_with(')')
            && (is_off(expr) || means_off(expr))
        {
            return format!("{} = off", self.option);
        }
        let Some((name, example)) = form.split_once(" = ").filter(|_| !form.ends_with(')')) else {
            return form.to_owned();
        };
        let value = match value {
            RawValue::Expr(expr) => match peel(expr) {
                Expr::Lit(lit) => self.literal(example, &lit.lit),
                Expr::Path(path) => self.path(example, path),
                _ => None,
            },
            _ => None,
        };
        match value {
            Some(value) => format!("{name} = {value}"),
            None => form.to_owned(),
        }
    }

    /// The literal as a value of the option, if it is of its kind.
    fn literal(self, example: &str, lit: &Lit) -> Option<String> {
        let is_text = example.starts_with('"');
        let is_whole = example.bytes().all(|b| b.is_ascii_digit());
        let is_share = example.starts_with("0.");
        match (self.value, lit) {
            (Value::Of(unit), Lit::Int(int)) => Some(format!("\"{}{unit}\"", int.base10_digits())),
            (Value::Total, Lit::Int(int)) => {
                let number = int.base10_parse::<u64>().ok()?.checked_sub(1)?;
                Some(number.to_string())
            }
            (Value::Same, Lit::Str(text)) if is_text || self.option == "window" => {
                Some(text.to_token_stream().to_string())
            }
            (Value::Same, Lit::Int(int)) if is_whole => Some(int.base10_digits().to_owned()),
            (Value::Same, Lit::Int(percent)) if is_share => {
                let percent = percent.base10_parse::<u8>().ok()?;
                (2..=100)
                    .contains(&percent)
                    .then(|| (f64::from(percent) / 100.0).to_string())
            }
            (Value::Same, Lit::Float(share)) if is_share => Some(share.to_string()),
            (Value::Same, Lit::Bool(yes)) if self.option == "enabled" => {
                Some(yes.value.to_string())
            }
            _ => None,
        }
    }

    /// A constant as a value of the option; a function, of one that takes any.
    fn path(self, example: &str, path: &ExprPath) -> Option<String> {
        let name = path.path.segments.last()?.ident.to_string();
        let is_constant = !name.contains(|c: char| c.is_lowercase());
        let takes_functions = example.starts_with('|');
        let path = path.to_token_stream().to_string().replace(' ', "");
        match self.value {
            Value::Same if is_constant || takes_functions => Some(path),
            Value::Total if is_constant => Some(format!("{path} - 1")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_list_is_found_outside_of_it() {
        for (word, list, option) in [
            ("max_retries", "", "retries"),
            ("initial", "backoff", "initial"),
            ("delay", "backoff", "initial"),
            ("max_delay_ms", "backoff", "max"),
            ("wait_duration", "breaker", "wait_duration"),
            ("sliding_window_size", "breaker", "window"),
            ("limit", "", "rate_limit"),
            ("permits", "bulkhead", "concurrency"),
        ] {
            let meant = meant("", word).expect(word);
            assert_eq!((meant.list, meant.option), (list, option), "{word}");
        }
    }

    #[test]
    fn the_value_is_kept_where_it_fits() {
        let written = |list, word, value: &str| {
            let value = RawValue::Expr(Box::new(syn::parse_str(value).expect("an expression")));
            meant(list, word).expect(word).written(&value)
        };
        assert_eq!(written("", "attempts", "5"), "retries = 4");
        assert_eq!(written("", "attempts", "0"), "retries = 3");
        assert_eq!(written("", "max_retries", "7"), "retries = 7");
        assert_eq!(written("", "timeout_ms", "500"), "timeout = \"500ms\"");
        assert_eq!(written("", "initial_delay", "\"2s\""), "initial = \"2s\"");
        assert_eq!(written("", "initial_delay", "200"), "initial = \"1s\"");
        assert_eq!(written("", "circuit_breaker", "false"), "breaker = off");
        assert_eq!(written("", "window_size", "\"9s\""), "window = \"9s\"");
        assert_eq!(meant("breaker", "failure_threshold_ms"), None);
        assert_eq!(written("budget", "percent", "50"), "ratio = 0.5");
        assert_eq!(
            written("", "attempts", "LIMITS::ALL"),
            "retries = LIMITS::ALL - 1"
        );
        assert_eq!(written("", "max_retries", "MAX"), "retries = MAX");
        assert_eq!(written("", "max_retries", "None"), "retries = 3");
        assert_eq!(written("", "when", "is_busy"), "retry_if = is_busy");
        assert_eq!(written("", "enable", "true"), "enabled = true");
        assert_eq!(
            written("breaker", "threshold", "9"),
            "failure_threshold = 9"
        );
    }
}
