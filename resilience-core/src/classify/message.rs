//! Two texts of an error: for people who do not know the code, and for those who do.

use std::error::Error;
use std::fmt;

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

/// Says for developers what went wrong: the error's text and those of all its sources, from the
/// outermost to the cause, as `{:#}` of `anyhow` does. A source whose text the error above it ends
/// with is not repeated.
///
/// ```
/// use resilience_core::classify;
///
/// let error = anyhow::anyhow!("connection reset").context("reading page 3").context("indexing");
/// assert_eq!(
///     classify::technical(error.as_ref()),
///     "indexing: reading page 3: connection reset",
/// );
/// ```
pub fn technical(error: &(dyn Error + 'static)) -> String {
    struct Chain<'a>(&'a (dyn Error + 'static));

    impl fmt::Display for Chain<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_chain(self.0, self.0.source(), f)
        }
    }

    text_of(&Chain(error))
}

/// What a value displays, as far as it does: `to_string` panics where a `Display` fails.
fn text_of(value: &(impl fmt::Display + ?Sized)) -> String {
    let mut text = String::new();
    let _ = fmt::write(&mut text, format_args!("{value}"));
    text
}

/// Writes an error and its sources, a source's text only where the one above does not end with it:
/// many errors repeat what they wrap.
pub(crate) fn write_chain(
    error: &(impl fmt::Display + ?Sized),
    mut source: Option<&(dyn Error + 'static)>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    if source.is_none() {
        return error.fmt(f);
    }
    let mut above = text_of(error);
    f.write_str(&above)?;
    // A chain that never ends is a mistake of its author's, not of whoever reports it.
    for _ in 0..walk::LONGEST {
        let Some(error) = source else { break };
        let text = text_of(error);
        if !above.ends_with(&text) {
            write!(f, ": {text}")?;
        }
        above = text;
        source = error.source();
    }
    Ok(())
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
    fn a_chain_is_written_once_and_ends() {
        #[derive(Debug)]
        struct Loop;
        impl fmt::Display for Loop {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("round")
            }
        }
        impl Error for Loop {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(self)
            }
        }
        assert_eq!(technical(&Loop), "round");

        let inner = std::io::Error::other("disk on fire");
        let repeated = anyhow::Error::from(inner).context("saving: disk on fire");
        assert_eq!(technical(repeated.as_ref()), "saving: disk on fire");
    }

    #[test]
    fn what_fails_to_write_itself_is_told_as_far_as_it_goes() {
        #[derive(Debug)]
        struct Broken(Option<Box<Self>>);
        impl fmt::Display for Broken {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("half")?;
                Err(fmt::Error)
            }
        }
        impl Error for Broken {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(self.0.as_deref()?)
            }
        }
        assert_eq!(technical(&Broken(None)), "half");
        let inner = std::io::Error::other(Broken(Some(Box::new(Broken(None)))));
        let outer = anyhow::Error::from(inner).context("saving");
        assert_eq!(technical(outer.as_ref()), "saving: half");
    }

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
