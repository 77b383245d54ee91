//! `std::io::Error`, by its kind and by the number that the operating system gave.

use std::io::{self, ErrorKind};

use super::text::verdict::{self, Verdict};
use super::text::{self, os};
use super::{Classify, walk};
use crate::{Category, Classification, Fault, Retry};

impl Classify for io::Error {
    fn classify(&self) -> Classification {
        walk::typed(self).unwrap_or_else(Classification::unknown)
    }
}

/// What an `io::Error` says apart from what was put into it, which the walk looks at by itself.
pub(super) fn itself(error: &io::Error) -> Classification {
    if error.kind() == ErrorKind::InvalidData {
        return of_data(error);
    }
    if let Some((verdict, reason)) = of_kind(error.kind()) {
        return verdict.because(reason);
    }
    // The number tells apart what has no kind of its own, such as too many open files.
    if let Some(errno) = error.raw_os_error().and_then(os::here) {
        return errno.verdict.because(errno.reason);
    }
    // A failed name lookup has no kind, and `io::Error::other("…")` has only its message.
    text::Window::of(error, text::bytes)
}

/// std's own "stream did not contain valid UTF-8" has no type, only its message, and TLS
/// libraries put certificates that they do not accept into this kind.
fn of_data(error: &io::Error) -> Classification {
    let found = text::Window::of(error, text::bytes);
    if matches!(found.category(), Category::ENCODING | Category::NETWORK) {
        return found;
    }
    verdict::VALIDATION.because("io: invalid data")
}

/// Every stable kind.
pub(super) fn of_kind(kind: ErrorKind) -> Option<(Verdict, &'static str)> {
    Some(match kind {
        // A missing file does not appear by waiting.
        ErrorKind::NotFound => (verdict::FILE_MISSING, "io: not found"),
        ErrorKind::PermissionDenied => (verdict::FILE_REFUSED, "io: permission denied"),

        // Nothing was sent.
        ErrorKind::ConnectionRefused => (verdict::UNREACHED, "io: connection refused"),

        // The request may have arrived before the connection broke, or before a router said so.
        ErrorKind::HostUnreachable => (verdict::NETWORK, "io: host unreachable"),
        ErrorKind::NetworkUnreachable => (verdict::NETWORK, "io: network unreachable"),
        ErrorKind::NetworkDown => (verdict::NETWORK, "io: network down"),
        ErrorKind::ConnectionReset => (verdict::NETWORK, "io: connection reset"),
        ErrorKind::ConnectionAborted => (verdict::NETWORK, "io: connection aborted"),
        ErrorKind::NotConnected => (verdict::NETWORK, "io: not connected"),
        ErrorKind::BrokenPipe => (verdict::NETWORK, "io: broken pipe"),
        // A short file gives it too; a short answer is by far the more frequent.
        ErrorKind::UnexpectedEof => (verdict::NETWORK, "io: unexpected end"),
        // The sink takes no more: the other end is closed or full.
        ErrorKind::WriteZero => (verdict::NETWORK, "io: nothing could be written"),

        // The port stays taken until somebody frees it.
        ErrorKind::AddrInUse => (verdict::SOCKET, "io: address in use"),
        // A wrong address to bind to, or all local ports in use for the moment.
        ErrorKind::AddrNotAvailable => (
            verdict::SOCKET.retry(Retry::Unsure),
            "io: address not available",
        ),

        ErrorKind::TimedOut => (verdict::TIMEOUT, "io: timed out"),

        // Passing by definition; which side it concerns nobody can tell.
        ErrorKind::WouldBlock => (NOT_NOW, "io: would block"),
        ErrorKind::Interrupted => (NOT_NOW, "io: interrupted"),

        ErrorKind::ResourceBusy => (verdict::FILE_BUSY, "io: resource busy"),
        ErrorKind::ExecutableFileBusy => (verdict::FILE_BUSY, "io: executable file busy"),
        // NFS: opening the path again finds the new file.
        ErrorKind::StaleNetworkFileHandle => (verdict::FILE_BUSY, "io: stale file handle"),
        // Two that locked each other: the same again goes through.
        ErrorKind::Deadlock => (verdict::COLLISION.fault(Fault::Local), "io: deadlock"),

        // Somebody has to make room or repair.
        ErrorKind::StorageFull => (verdict::DISK, "io: storage full"),
        ErrorKind::QuotaExceeded => (verdict::DISK, "io: disk quota exceeded"),
        ErrorKind::ReadOnlyFilesystem => (verdict::DISK, "io: read-only file system"),

        // This path cannot do what was asked.
        ErrorKind::AlreadyExists => (verdict::FILE_REFUSED, "io: already exists"),
        ErrorKind::IsADirectory => (verdict::FILE_REFUSED, "io: is a directory"),
        ErrorKind::NotADirectory => (verdict::FILE_REFUSED, "io: not a directory"),
        ErrorKind::DirectoryNotEmpty => (verdict::FILE_REFUSED, "io: directory not empty"),
        ErrorKind::NotSeekable => (verdict::FILE_REFUSED, "io: not seekable"),
        ErrorKind::FileTooLarge => (verdict::FILE_REFUSED, "io: file too large"),
        ErrorKind::CrossesDevices => (verdict::FILE_REFUSED, "io: crosses devices"),
        ErrorKind::TooManyLinks => (verdict::FILE_REFUSED, "io: too many links"),
        ErrorKind::InvalidFilename => (verdict::FILE_REFUSED, "io: invalid file name"),

        ErrorKind::InvalidInput => (verdict::VALIDATION, "io: invalid input"),
        ErrorKind::ArgumentListTooLong => (verdict::VALIDATION, "io: argument list too long"),
        ErrorKind::Unsupported => (verdict::VALIDATION, "io: unsupported"),

        ErrorKind::OutOfMemory => (verdict::MEMORY, "io: out of memory"),

        _ => return None,
    })
}

/// Passing, on whichever side.
const NOT_NOW: Verdict = Verdict::of(Category::FILESYSTEM);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Effect;

    fn of(kind: ErrorKind) -> Classification {
        io::Error::from(kind).classify()
    }

    #[test]
    fn a_missing_file_is_the_callers_and_final() {
        for kind in [ErrorKind::NotFound, ErrorKind::PermissionDenied] {
            let found = of(kind);
            assert_eq!(found.category(), Category::FILESYSTEM);
            assert_eq!((found.retry(), found.fault()), (Retry::No, Fault::Caller));
        }
        assert_eq!(of(ErrorKind::NotFound).severity(1), crate::Severity::Low);
        assert_eq!(
            of(ErrorKind::PermissionDenied).severity(1),
            crate::Severity::Medium
        );
    }

    #[test]
    fn what_was_never_sent_had_no_effect() {
        assert_eq!(of(ErrorKind::ConnectionRefused).effect(), Effect::None);
        assert_eq!(of(ErrorKind::HostUnreachable).effect(), Effect::Possible);
        assert_eq!(of(ErrorKind::ConnectionReset).effect(), Effect::Possible);
    }

    #[test]
    fn what_is_inside_says_more_than_the_kind_around_it() {
        let refused = io::Error::from(ErrorKind::ConnectionRefused);
        let found = io::Error::new(ErrorKind::InvalidData, refused).classify();
        assert_eq!(found.category(), Category::NETWORK);

        let not_utf8 = String::from_utf8(vec![0xff]).expect_err("0xff is not UTF-8");
        let found = io::Error::new(ErrorKind::InvalidData, not_utf8).classify();
        assert_eq!(found.category(), Category::ENCODING);

        let found = io::Error::new(ErrorKind::InvalidData, "column 3 is no number").classify();
        assert_eq!(found.category(), Category::VALIDATION);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_number_decides_where_there_is_no_kind() {
        for (number, category, retry) in [
            (24, Category::FILESYSTEM, Retry::Yes),
            (5, Category::FILESYSTEM, Retry::No),
            (112, Category::NETWORK, Retry::Yes),
            (125, Category::CANCELLED, Retry::No),
        ] {
            let found = io::Error::from_raw_os_error(number).classify();
            assert_eq!(
                (found.category(), found.retry()),
                (category, retry),
                "{number}"
            );
        }
    }
}
