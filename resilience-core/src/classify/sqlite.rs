//! `SQLite`'s result codes (sqlite.org/rescode.html), for every client that hands them on.

use super::text::verdict::{self, Verdict};
use crate::Fault;

/// What an extended result code means; its low byte is the primary code.
pub(super) fn of(extended: i32) -> (Verdict, &'static str) {
    match extended & 0xff {
        4 => (verdict::CANCELLED, "SQLITE_ABORT"),
        3 => (verdict::FILE_REFUSED, "SQLITE_PERM"),
        // Another connection writes; the same statement goes through when it is done.
        5 => (LOCKED, "SQLITE_BUSY"),
        6 => (LOCKED, "SQLITE_LOCKED"),
        7 => (verdict::MEMORY, "SQLITE_NOMEM"),
        8 => (verdict::FILE_REFUSED, "SQLITE_READONLY"),
        9 => (verdict::CANCELLED, "SQLITE_INTERRUPT"),
        10 => (verdict::DISK, "SQLITE_IOERR"),
        11 => (verdict::DISK, "SQLITE_CORRUPT"),
        12 => (verdict::NOT_FOUND, "SQLITE_NOTFOUND"),
        13 => (verdict::DISK, "SQLITE_FULL"),
        14 => (verdict::FILE_REFUSED, "SQLITE_CANTOPEN"),
        15 => (LOCKED, "SQLITE_PROTOCOL"),
        17 => (LOCKED, "SQLITE_SCHEMA"),
        18 => (verdict::VALIDATION, "SQLITE_TOOBIG"),
        19 => match extended {
            CHECK | NOT_NULL | DATATYPE => (verdict::VALIDATION, "SQLITE_CONSTRAINT on a value"),
            _ => (verdict::CONFLICT, "SQLITE_CONSTRAINT"),
        },
        20 => (verdict::VALIDATION, "SQLITE_MISMATCH"),
        21 => (verdict::VALIDATION, "SQLITE_MISUSE"),
        23 => (verdict::AUTH, "SQLITE_AUTH"),
        25 => (verdict::VALIDATION, "SQLITE_RANGE"),
        26 => (verdict::DISK, "SQLITE_NOTADB"),
        // SQLITE_ERROR and its kind: mostly wrong SQL.
        _ => (verdict::VALIDATION, "SQLITE_ERROR"),
    }
}

/// The database is a file of this machine, so the fault of a lock is nobody's far away.
const LOCKED: Verdict = verdict::COLLISION.fault(Fault::Local);

// Extended codes of SQLITE_CONSTRAINT (19, 0x13).
const CHECK: i32 = 0x13 | (1 << 8);
const NOT_NULL: i32 = 0x13 | (5 << 8);
const DATATYPE: i32 = 0x13 | (12 << 8);
