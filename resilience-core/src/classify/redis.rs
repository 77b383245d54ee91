//! `redis::RedisError`, by its kind and by the code that the server's answers begin with.

use std::error::Error as _;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::text::verdict::{self, Verdict};
use super::{Classify, walk};
use crate::Classification;

/// The cause inside, where it is of a known type, says more than these; see the walk.
impl Classify for RedisError {
    fn classify(&self) -> Classification {
        walk::typed(self).unwrap_or_else(|| itself(self))
    }
}

/// What the error says apart from its sources.
pub(super) fn itself(error: &RedisError) -> Classification {
    match of_kind(error.kind()) {
        Some((verdict, reason)) => verdict.because(reason),
        None => by_code(error),
    }
}

fn of_kind(kind: ErrorKind) -> Option<(Verdict, &'static str)> {
    use ServerErrorKind as Server;

    Some(match kind {
        ErrorKind::AuthenticationFailed => (verdict::AUTH, "redis: authentication failed"),
        ErrorKind::Server(Server::NoPerm) => (verdict::AUTH, "redis: NOPERM"),
        ErrorKind::Parse
        | ErrorKind::UnexpectedReturnType
        | ErrorKind::InvalidClientConfig
        | ErrorKind::RESP3NotSupported
        | ErrorKind::Client => (verdict::VALIDATION, "redis: wrong call or answer"),
        ErrorKind::Server(Server::CrossSlot | Server::NotBusy | Server::NoSub) => {
            (verdict::VALIDATION, "redis: the command cannot be done")
        }
        // EVAL once, and EVALSHA finds it.
        ErrorKind::Server(Server::NoScript) => (verdict::NOT_FOUND, "redis: NOSCRIPT"),
        // Turned away before anything was done.
        ErrorKind::Server(Server::BusyLoading) => (verdict::SERVICE_BUSY, "redis: LOADING"),
        ErrorKind::Server(Server::TryAgain) => (verdict::SERVICE_BUSY, "redis: TRYAGAIN"),
        ErrorKind::Server(Server::ClusterDown) => (verdict::SERVICE_BUSY, "redis: CLUSTERDOWN"),
        ErrorKind::Server(Server::MasterDown) => (verdict::SERVICE_BUSY, "redis: MASTERDOWN"),
        ErrorKind::Server(Server::ReadOnly) => (verdict::SERVICE_BUSY, "redis: READONLY"),
        ErrorKind::Server(Server::Moved | Server::Ask) => {
            (verdict::SERVICE_BUSY, "redis: the slot has moved")
        }
        ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel
        | ErrorKind::EmptySentinelList
        | ErrorKind::ClusterConnectionNotFound => {
            (verdict::SERVICE_BUSY, "redis: no server to talk to")
        }
        _ => return None,
    })
}

/// `ERR`, and codes of servers and modules that the client has no kind for; failures of the
/// connection whose cause is of no known type.
fn by_code(error: &RedisError) -> Classification {
    match error.code() {
        Some("OOM") => return verdict::MEMORY.because("redis: OOM"),
        Some("WRONGTYPE") => return verdict::VALIDATION.because("redis: WRONGTYPE"),
        Some("NOAUTH" | "WRONGPASS") => {
            return verdict::AUTH.because("redis: no or wrong password");
        }
        Some("BUSY") => return verdict::SERVICE_BUSY.because("redis: BUSY"),
        Some("BUSYGROUP") => return verdict::CONFLICT.because("redis: BUSYGROUP"),
        Some("MISCONF") => return verdict::SERVICE_FINAL.because("redis: MISCONF"),
        Some("NOREPLICAS") => return verdict::SERVICE_BUSY.because("redis: NOREPLICAS"),
        Some("EXECABORT") => return verdict::VALIDATION.because("redis: EXECABORT"),
        _ => {}
    }
    if error.is_timeout() {
        return verdict::TIMEOUT.because("redis: timed out");
    }
    let found = walk::by_text(error, error.source());
    if walk::says_something(&found) {
        return found;
    }
    if error.is_io_error() {
        return verdict::NETWORK.because("redis: the exchange broke off");
    }
    found
}
