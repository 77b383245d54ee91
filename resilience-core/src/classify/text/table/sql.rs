//! SQLSTATE codes.
//!
//! Source: ISO/IEC 9075-2 (classes), `PostgreSQL` appendix A, `MySQL`'s error reference. A code that is
//! not listed means what its class, the first two characters, does.

use crate::classify::text::rule::{Rank, Verdict, verdict};

/// What a SQLSTATE means.
#[derive(Clone, Copy)]
pub(in crate::classify) struct SqlState {
    code: &'static str,
    pub(in crate::classify::text) rank: Rank,
    pub(in crate::classify) verdict: Verdict,
    pub(in crate::classify) reason: &'static str,
}

/// The meaning of a code in lower case, as it stands in a normalised text.
pub(in crate::classify) fn state(code: &[u8]) -> Option<&'static SqlState> {
    if code.len() != 5 {
        return None;
    }
    let find = |wanted: &[u8]| STATES.iter().find(|state| state.code.as_bytes() == wanted);
    find(code).or_else(|| find(&code[..2]))
}

macro_rules! states {
    ($($code:literal $name:literal $rank:ident $verdict:expr;)*) => {
        &[$(SqlState {
            code: $code,
            rank: Rank::$rank,
            verdict: $verdict,
            reason: concat!("SQLSTATE ", $code, " (", $name, ")"),
        },)*]
    };
}

static STATES: &[SqlState] = states![
    "02" "no data" Code verdict::NOT_FOUND;
    "08" "connection exception" Code verdict::NETWORK;
    "08001" "unable to establish the connection" Code verdict::UNREACHED;
    // MySQL gives it to its 1040, too many connections.
    "08004" "connection rejected" Code verdict::SERVICE_BUSY;
    "08p01" "protocol violation" Code verdict::VALIDATION;
    "0a" "feature not supported" Code verdict::VALIDATION;
    "21" "cardinality violation" Code verdict::VALIDATION;
    "22" "data exception" Code verdict::VALIDATION;
    "22021" "character not in repertoire" Code verdict::ENCODING;
    "22p05" "untranslatable character" Code verdict::ENCODING;
    "23" "integrity constraint violation" Code verdict::CONFLICT;
    "23502" "not null violation" Code verdict::VALIDATION;
    "23514" "check violation" Code verdict::VALIDATION;
    "25" "invalid transaction state" Code verdict::VALIDATION;
    "25p03" "idle in transaction timeout" Code verdict::TIMEOUT;
    "26" "invalid statement name" Code verdict::NOT_FOUND;
    "28" "invalid authorization" Code verdict::AUTH;
    "34" "invalid cursor name" Code verdict::NOT_FOUND;
    "3d" "invalid catalog name" Code verdict::NOT_FOUND;
    "3f" "invalid schema name" Code verdict::NOT_FOUND;
    "40" "transaction rollback" Code verdict::COLLISION;
    "40001" "serialization failure" Decisive verdict::COLLISION;
    "40p01" "deadlock detected" Decisive verdict::COLLISION;
    "42" "syntax error or access rule violation" Code verdict::VALIDATION;
    "42501" "insufficient privilege" Code verdict::AUTH;
    "42704" "undefined object" Code verdict::NOT_FOUND;
    "42710" "duplicate object" Code verdict::CONFLICT;
    "42883" "undefined function" Code verdict::VALIDATION;
    "42p01" "undefined table" Code verdict::NOT_FOUND;
    "42p04" "duplicate database" Code verdict::CONFLICT;
    "42p06" "duplicate schema" Code verdict::CONFLICT;
    "42p07" "duplicate table" Code verdict::CONFLICT;
    "42s01" "table already exists" Code verdict::CONFLICT;
    "42s02" "table not found" Code verdict::NOT_FOUND;
    "42s22" "column not found" Code verdict::VALIDATION;
    "44" "with check option violation" Code verdict::VALIDATION;
    "53" "insufficient resources" Code verdict::SERVICE;
    "53100" "disk full" Code verdict::DISK;
    "53200" "out of memory" Code verdict::MEMORY;
    "53300" "too many connections" Code verdict::SERVICE_BUSY;
    "54" "program limit exceeded" Code verdict::VALIDATION;
    "55" "object not in prerequisite state" Code verdict::CONFLICT;
    "55006" "object in use" Code verdict::COLLISION;
    // A lock timeout has it too.
    "55p03" "lock not available" Phrase verdict::COLLISION;
    "57" "operator intervention" Code verdict::SERVICE;
    // DB2: the log is full; a deadlock or a lock timeout without a rollback.
    "57011" "resource not available" Code verdict::SERVICE_FINAL;
    "57033" "deadlock or timeout" Code verdict::COLLISION;
    // A statement timeout has this code too; only the words tell the two apart.
    "57014" "query cancelled" Vague verdict::CANCELLED;
    "57p01" "admin shutdown" Code verdict::SERVICE;
    "57p02" "crash shutdown" Code verdict::SERVICE;
    "57p03" "cannot connect now" Code verdict::SERVICE_BUSY;
    "58" "system error" Code verdict::SERVICE_UNSURE;
    "58030" "io error" Code verdict::DISK;
    "hy008" "operation cancelled" Code verdict::CANCELLED;
    "hyt00" "timeout expired" Code verdict::TIMEOUT;
    "hyt01" "connection timeout expired" Code verdict::TIMEOUT;
    "xx" "internal error" Vague verdict::SERVICE_UNSURE;
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_is_not_listed_means_what_its_class_does() {
        let reason = |code: &str| state(code.as_bytes()).map(|state| state.reason);
        assert_eq!(
            reason("40001"),
            Some("SQLSTATE 40001 (serialization failure)")
        );
        assert_eq!(
            reason("23505"),
            Some("SQLSTATE 23 (integrity constraint violation)")
        );
        assert_eq!(reason("hy000"), None);
        assert_eq!(reason("4000"), None);
    }
}
