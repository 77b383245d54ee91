//! Error types of the standard library other than `std::io::Error`.

use super::Classify;
use super::text::verdict::{self, Verdict};
use crate::{Classification, Fault, Retry, Severity};

/// One line a type: what it means, and the reason.
macro_rules! classify {
    ($($($ty:ty),+ => $verdict:expr, $reason:literal;)*) => {
        $($(impl Classify for $ty {
            fn classify(&self) -> Classification {
                $verdict.because($reason)
            }
        })+)*
    };
}

classify! {
    std::str::Utf8Error, std::string::FromUtf8Error => verdict::ENCODING, "std: not UTF-8";
    std::string::FromUtf16Error, std::char::DecodeUtf16Error => verdict::ENCODING, "std: not UTF-16";
    std::char::CharTryFromError, std::char::TryFromCharError, std::char::ParseCharError =>
        verdict::ENCODING, "std: not a character";
    std::ffi::IntoStringError => verdict::ENCODING, "std: C string is not UTF-8";
    std::ffi::NulError, std::ffi::FromBytesWithNulError, std::ffi::FromBytesUntilNulError =>
        verdict::VALIDATION, "std: wrong place of a NUL byte";
    std::num::ParseIntError, std::num::ParseFloatError, std::num::TryFromIntError =>
        verdict::VALIDATION, "std: not such a number";
    std::str::ParseBoolError => verdict::VALIDATION, "std: not a bool";
    std::net::AddrParseError => verdict::VALIDATION, "std: not a network address";
    std::array::TryFromSliceError => verdict::VALIDATION, "std: slice of another length";
    std::path::StripPrefixError => verdict::VALIDATION, "std: path without the prefix";
    // Configuration that is missing or wrong; it stays so while the process runs.
    std::env::VarError => verdict::VALIDATION, "std: environment variable";
    std::alloc::LayoutError => verdict::VALIDATION, "std: impossible memory layout";
    std::collections::TryReserveError => verdict::MEMORY, "std: memory could not be reserved";
    // The clock was set back. The next reading may be right.
    std::time::SystemTimeError => HERE.retry(Retry::Unsure), "std: clock went backwards";
    std::cell::BorrowError, std::cell::BorrowMutError => MISTAKE, "std: already borrowed";
    std::thread::AccessError => MISTAKE, "std: thread-local is gone";
    std::sync::mpsc::RecvError => GONE, "std: channel closed";
}

impl Classify for std::sync::mpsc::RecvTimeoutError {
    fn classify(&self) -> Classification {
        match self {
            Self::Timeout => verdict::TIMEOUT
                .fault(Fault::Local)
                .because("std: receive timed out"),
            Self::Disconnected => GONE.because("std: channel closed"),
        }
    }
}

impl Classify for std::sync::mpsc::TryRecvError {
    fn classify(&self) -> Classification {
        match self {
            Self::Empty => EMPTY.because("std: channel empty"),
            Self::Disconnected => GONE.because("std: channel closed"),
        }
    }
}

impl<T> Classify for std::sync::mpsc::SendError<T> {
    fn classify(&self) -> Classification {
        GONE.because("std: channel closed")
    }
}

impl<T> Classify for std::sync::mpsc::TrySendError<T> {
    fn classify(&self) -> Classification {
        match self {
            Self::Full(_) => FULL.because("std: channel full"),
            Self::Disconnected(_) => GONE.because("std: channel closed"),
        }
    }
}

impl<T> Classify for std::sync::PoisonError<T> {
    fn classify(&self) -> Classification {
        MISTAKE.because("std: lock poisoned")
    }
}

/// Something in this process.
const HERE: Verdict = verdict::UNKNOWN.fault(Fault::Local);
/// The other half was dropped, on purpose or with its task; it does not come back.
pub(super) const GONE: Verdict = verdict::CANCELLED;
/// Nothing there yet.
pub(super) const EMPTY: Verdict = HERE.retry(Retry::Yes).unprocessed();
/// Our own backpressure: no sign of a sick service.
pub(super) const FULL: Verdict = verdict::THROTTLED.fault(Fault::Local);
/// A mistake in this program happens again.
pub(super) const MISTAKE: Verdict = HERE.retry(Retry::No).severity(Severity::High);
