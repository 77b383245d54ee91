//! SQLSTATEs that arrive typed.

use super::text::{self, sql};
use crate::{Category, Classification};

/// What a SQLSTATE means; `message` is asked only where the code leaves it open.
pub(super) fn of_state(state: &str, message: &str) -> Option<Classification> {
    let known = sql::state(state.to_ascii_lowercase().as_bytes())?;
    if state == QUERY_CANCELED {
        // A statement timeout has this code too.
        let said = text::bytes(message.as_bytes());
        if said.category() == Category::TIMEOUT {
            return Some(said);
        }
    }
    Some(known.verdict.because(known.reason))
}

const QUERY_CANCELED: &str = "57014";
