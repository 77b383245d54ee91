//! `rusqlite::Error`, by `SQLite`'s result codes (sqlite.org/rescode.html).

use rusqlite::{Error, ErrorCode};

use super::Classify;
use super::text::verdict::{self, Verdict};
use crate::{Classification, Fault};

impl Classify for Error {
    fn classify(&self) -> Classification {
        match self {
            Self::SqliteFailure(failure, _) => {
                let (verdict, reason) = of_code(failure.code, failure.extended_code);
                verdict.because(reason)
            }
            Self::QueryReturnedNoRows => verdict::NOT_FOUND.because("sqlite: no rows"),
            Self::Utf8Error(..) => verdict::ENCODING.because("sqlite: text is not UTF-8"),
            // Wrong SQL, a wrong column or a wrong type: it stays wrong.
            _ => verdict::VALIDATION.because("sqlite: wrong statement or type"),
        }
    }
}

fn of_code(code: ErrorCode, extended: i32) -> (Verdict, &'static str) {
    match code {
        // Another connection writes; the same statement goes through when it is done.
        ErrorCode::DatabaseBusy => (LOCKED, "SQLITE_BUSY"),
        ErrorCode::DatabaseLocked => (LOCKED, "SQLITE_LOCKED"),
        ErrorCode::FileLockingProtocolFailed => (LOCKED, "SQLITE_PROTOCOL"),
        ErrorCode::SchemaChanged => (LOCKED, "SQLITE_SCHEMA"),
        ErrorCode::ConstraintViolation => match extended {
            NOT_NULL | CHECK | DATATYPE => (verdict::VALIDATION, "SQLITE_CONSTRAINT on a value"),
            _ => (verdict::CONFLICT, "SQLITE_CONSTRAINT"),
        },
        ErrorCode::DiskFull => (verdict::DISK, "SQLITE_FULL"),
        ErrorCode::SystemIoFailure => (verdict::DISK, "SQLITE_IOERR"),
        ErrorCode::DatabaseCorrupt => (verdict::DISK, "SQLITE_CORRUPT"),
        ErrorCode::NotADatabase => (verdict::DISK, "SQLITE_NOTADB"),
        ErrorCode::CannotOpen => (verdict::FILE_REFUSED, "SQLITE_CANTOPEN"),
        ErrorCode::ReadOnly => (verdict::FILE_REFUSED, "SQLITE_READONLY"),
        ErrorCode::PermissionDenied => (verdict::FILE_REFUSED, "SQLITE_PERM"),
        ErrorCode::OutOfMemory => (verdict::MEMORY, "SQLITE_NOMEM"),
        ErrorCode::OperationInterrupted => (verdict::CANCELLED, "SQLITE_INTERRUPT"),
        ErrorCode::OperationAborted => (verdict::CANCELLED, "SQLITE_ABORT"),
        ErrorCode::AuthorizationForStatementDenied => (verdict::AUTH, "SQLITE_AUTH"),
        ErrorCode::NotFound => (verdict::NOT_FOUND, "SQLITE_NOTFOUND"),
        ErrorCode::TooBig => (verdict::VALIDATION, "SQLITE_TOOBIG"),
        ErrorCode::TypeMismatch => (verdict::VALIDATION, "SQLITE_MISMATCH"),
        ErrorCode::ParameterOutOfRange => (verdict::VALIDATION, "SQLITE_RANGE"),
        ErrorCode::ApiMisuse => (verdict::VALIDATION, "SQLITE_MISUSE"),
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
