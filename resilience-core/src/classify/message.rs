//! A text for people who do not know the code.

use std::error::Error;

use super::{registry, walk};
use crate::{Category, Classification};

/// Says in plain words what went wrong: the text of the outermost type in the chain that has one
/// of its own ([`Classify::user_message`](super::Classify::user_message)), else what the category
/// says.
///
/// The text of the category names no host, path, type or message of the error, and promises
/// nothing that nobody has checked.
///
/// ```
/// use std::io;
/// use resilience_core::classify;
///
/// let error = io::Error::from(io::ErrorKind::ConnectionRefused);
/// assert_eq!(
///     classify::user_message(&error),
///     "The connection to another system failed.",
/// );
/// ```
pub fn user_message(error: &(dyn Error + 'static)) -> String {
    let own = walk::chain(error)
        .find_map(|link| walk::own_message(link).or_else(|| registry::find(link)?.user_message()));
    own.unwrap_or_else(|| of(&super::error(error)).to_owned())
}

/// What the category says.
fn of(classification: &Classification) -> &'static str {
    let final_limit = classification.retry() == crate::Retry::No;
    match classification.category() {
        Category::NETWORK => "The connection to another system failed.",
        Category::TIMEOUT => "This took too long and was stopped.",
        Category::RATE_LIMIT if final_limit => "A usage limit has been reached.",
        Category::RATE_LIMIT => "There were too many requests in a short time.",
        Category::FILESYSTEM => "A file could not be read or written.",
        Category::ENCODING => "The text contains characters that could not be read.",
        Category::VALIDATION => "Something in the request or in the data is not valid.",
        Category::MEMORY => "There was not enough memory to do this.",
        Category::AUTH => "Access was denied.",
        Category::NOT_FOUND => "What was asked for does not exist.",
        Category::CONFLICT => "This conflicts with what is already there.",
        Category::CANCELLED => "This was cancelled.",
        Category::UNKNOWN => "Something went wrong.",
        // `service`, `weaviate` and the application's own dependencies.
        _ => "Another system that this needs is not working properly.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_has_words_of_a_sentence_and_none_of_a_program() {
        for category in Category::BUILT_IN {
            let text = of(&Classification::new(category));
            assert!(
                text.ends_with('.') && !text.contains(['_', ':', '`']),
                "{text}"
            );
            assert!(
                !text.contains("again") && !text.contains("retry"),
                "promises nothing: {text}"
            );
        }
    }
}
