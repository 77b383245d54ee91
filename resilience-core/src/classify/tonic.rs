//! `tonic::Status`: the code, and what the server says about trying again.

use std::time::Duration;

use tonic::{Code, Status};

use super::text::verdict::{self, Verdict};
use super::{Classify, text, walk};
use crate::{Classification, Retry};

/// The cause inside, where it is of a known type, says more than the code; see the walk.
impl Classify for Status {
    fn classify(&self) -> Classification {
        walk::typed(self).unwrap_or_else(|| itself(self))
    }
}

/// What the status says apart from its sources.
pub(super) fn itself(status: &Status) -> Classification {
    let found = of_code(status);
    match pushback(status) {
        Some(Pushback::Never) => found.with_retry(Retry::No),
        Some(Pushback::After(wait)) if found.retry() != Retry::No => found.with_retry_after(wait),
        _ => found,
    }
}

/// The code; the message where the code leaves it open (`status.proto` of gRPC says when which).
fn of_code(status: &Status) -> Classification {
    let (verdict, reason): (Verdict, _) = match status.code() {
        Code::Ok => return Classification::unknown(),
        Code::Cancelled => (verdict::CANCELLED, "gRPC CANCELLED"),
        Code::InvalidArgument => (verdict::VALIDATION, "gRPC INVALID_ARGUMENT"),
        Code::DeadlineExceeded => (verdict::TIMEOUT, "gRPC DEADLINE_EXCEEDED"),
        Code::NotFound => (verdict::NOT_FOUND, "gRPC NOT_FOUND"),
        Code::AlreadyExists => (verdict::CONFLICT, "gRPC ALREADY_EXISTS"),
        Code::PermissionDenied => (verdict::AUTH, "gRPC PERMISSION_DENIED"),
        // A pace, a quota, or a message that is too large.
        Code::ResourceExhausted => {
            let said = text::Window::of(status, text::bytes);
            return if walk::says_something(&said) {
                said
            } else {
                verdict::LIMITED.because("gRPC RESOURCE_EXHAUSTED")
            };
        }
        Code::FailedPrecondition => (verdict::CONFLICT, "gRPC FAILED_PRECONDITION"),
        Code::Aborted => (verdict::COLLISION, "gRPC ABORTED"),
        Code::OutOfRange => (verdict::VALIDATION, "gRPC OUT_OF_RANGE"),
        Code::Unimplemented => (verdict::SERVICE_FINAL, "gRPC UNIMPLEMENTED"),
        Code::Unavailable => (verdict::SERVICE, "gRPC UNAVAILABLE"),
        Code::DataLoss => (verdict::SERVICE_FINAL, "gRPC DATA_LOSS"),
        Code::Unauthenticated => (verdict::AUTH, "gRPC UNAUTHENTICATED"),
        Code::Unknown | Code::Internal => {
            let said = text::bytes(status.message().as_bytes());
            return if walk::says_something(&said) {
                said
            } else {
                verdict::SERVICE_UNSURE.because("gRPC UNKNOWN or INTERNAL")
            };
        }
    };
    verdict.because(reason)
}

/// What the server says about another attempt.
enum Pushback {
    Never,
    After(Duration),
}

/// `grpc-retry-pushback-ms` (gRFC A6), else `google.rpc.RetryInfo` among the details.
fn pushback(status: &Status) -> Option<Pushback> {
    if let Some(told) = status.metadata().get("grpc-retry-pushback-ms") {
        // A6: what is negative or no number means that nobody shall try again.
        let wait = told.to_str().ok().and_then(|text| text.trim().parse().ok());
        return Some(wait.map_or(Pushback::Never, |wait| {
            Pushback::After(Duration::from_millis(wait))
        }));
    }
    retry_delay(status.details()).map(Pushback::After)
}

/// The delay of a `google.rpc.RetryInfo` in an encoded `google.rpc.Status`.
fn retry_delay(details: &[u8]) -> Option<Duration> {
    fields(details)
        .filter(|field| field.number == 3)
        .find_map(|any| {
            let name = fields(any.bytes).find(|field| field.number == 1)?;
            let value = fields(any.bytes).find(|field| field.number == 2)?;
            if !name.bytes.ends_with(b"google.rpc.RetryInfo") {
                return None;
            }
            let delay = fields(value.bytes).find(|field| field.number == 1)?;
            let part = |number| {
                fields(delay.bytes)
                    .find(|field| field.number == number)
                    .map_or(0, |field| field.value)
            };
            let nanos = u32::try_from(part(2)).ok().filter(|n| *n < 1_000_000_000)?;
            // A negative delay is a huge number here.
            i64::try_from(part(1)).ok()?;
            Some(Duration::new(part(1), nanos))
        })
}

/// A field of a protobuf message.
struct Field<'a> {
    number: u64,
    /// Of a number.
    value: u64,
    /// Of a message, a text or bytes.
    bytes: &'a [u8],
}

/// The fields of a message, up to the first that cannot be read.
fn fields(mut rest: &[u8]) -> impl Iterator<Item = Field<'_>> {
    std::iter::from_fn(move || {
        let tag = varint(&mut rest)?;
        let number = tag >> 3;
        let (mut value, mut bytes): (u64, &[u8]) = (0, &[]);
        match tag & 0x7 {
            0 => value = varint(&mut rest)?,
            1 => take(&mut rest, 8).map(drop)?,
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                bytes = take(&mut rest, length)?;
            }
            5 => take(&mut rest, 4).map(drop)?,
            _ => return None,
        }
        Some(Field {
            number,
            value,
            bytes,
        })
    })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let (&byte, left) = rest.split_first()?;
        *rest = left;
        value |= u64::from(byte & 0x7f).checked_shl(7 * place)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
