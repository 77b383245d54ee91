//! Error types of tokio.

use tokio::sync::{AcquireError, TryAcquireError, broadcast, mpsc, oneshot, watch};
use tokio::task::JoinError;
use tokio::time::error::Elapsed;

use super::Classify;
use super::std_types::{EMPTY, FULL, GONE, MISTAKE};
use super::text::verdict;
use crate::{Classification, Fault, Retry};

impl Classify for Elapsed {
    fn classify(&self) -> Classification {
        verdict::TIMEOUT.because("tokio: deadline has elapsed")
    }
}

impl Classify for JoinError {
    fn classify(&self) -> Classification {
        if self.is_cancelled() {
            verdict::CANCELLED.because("tokio: task cancelled")
        } else {
            MISTAKE.because("tokio: task panicked")
        }
    }
}

impl Classify for AcquireError {
    fn classify(&self) -> Classification {
        GONE.because("tokio: semaphore closed")
    }
}

impl Classify for TryAcquireError {
    fn classify(&self) -> Classification {
        match self {
            Self::Closed => GONE.because("tokio: semaphore closed"),
            Self::NoPermits => FULL.because("tokio: no permits left"),
        }
    }
}

impl Classify for oneshot::error::RecvError {
    fn classify(&self) -> Classification {
        GONE.because("tokio: channel closed")
    }
}

impl Classify for oneshot::error::TryRecvError {
    fn classify(&self) -> Classification {
        match self {
            Self::Empty => EMPTY.because("tokio: channel empty"),
            Self::Closed => GONE.because("tokio: channel closed"),
        }
    }
}

impl Classify for mpsc::error::TryRecvError {
    fn classify(&self) -> Classification {
        match self {
            Self::Empty => EMPTY.because("tokio: channel empty"),
            Self::Disconnected => GONE.because("tokio: channel closed"),
        }
    }
}

impl<T> Classify for mpsc::error::SendError<T> {
    fn classify(&self) -> Classification {
        GONE.because("tokio: channel closed")
    }
}

impl<T> Classify for mpsc::error::TrySendError<T> {
    fn classify(&self) -> Classification {
        match self {
            Self::Full(_) => FULL.because("tokio: channel full"),
            Self::Closed(_) => GONE.because("tokio: channel closed"),
        }
    }
}

impl<T> Classify for mpsc::error::SendTimeoutError<T> {
    fn classify(&self) -> Classification {
        match self {
            Self::Timeout(_) => verdict::TIMEOUT
                .fault(Fault::Local)
                .unprocessed()
                .because("tokio: send timed out"),
            Self::Closed(_) => GONE.because("tokio: channel closed"),
        }
    }
}

impl Classify for broadcast::error::RecvError {
    fn classify(&self) -> Classification {
        match self {
            Self::Closed => GONE.because("tokio: channel closed"),
            // Messages are lost; the next receive gets the oldest one that is left.
            Self::Lagged(_) => LAGGED.because("tokio: receiver lagged"),
        }
    }
}

impl Classify for broadcast::error::TryRecvError {
    fn classify(&self) -> Classification {
        match self {
            Self::Empty => EMPTY.because("tokio: channel empty"),
            Self::Closed => GONE.because("tokio: channel closed"),
            Self::Lagged(_) => LAGGED.because("tokio: receiver lagged"),
        }
    }
}

impl<T> Classify for broadcast::error::SendError<T> {
    fn classify(&self) -> Classification {
        GONE.because("tokio: no receivers")
    }
}

impl Classify for watch::error::RecvError {
    fn classify(&self) -> Classification {
        GONE.because("tokio: channel closed")
    }
}

impl<T> Classify for watch::error::SendError<T> {
    fn classify(&self) -> Classification {
        GONE.because("tokio: no receivers")
    }
}

const LAGGED: super::text::verdict::Verdict =
    verdict::UNKNOWN.fault(Fault::Local).retry(Retry::Yes);
