//! A scripted dependency, a future polled by hand, and a place for files.
#![allow(dead_code, unreachable_pub, reason = "no test file uses all of it")]

use std::fmt;
use std::future::{Future, pending};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use resilience::{Category, Classification, Classify, Error, Runtime};

/// What the scripted dependency fails with.
#[derive(Debug)]
pub enum Failure {
    Theirs(Classification, u32),
    Ours(Error),
}

impl Failure {
    pub fn of(category: Category) -> Self {
        Self::Theirs(Classification::new(category), 0)
    }

    pub fn with(self, change: impl FnOnce(Classification) -> Classification) -> Self {
        match self {
            Self::Theirs(classification, number) => Self::Theirs(change(classification), number),
            ours @ Self::Ours(_) => ours,
        }
    }

    /// The failure of run `number`, from 0.
    pub fn number(self, number: u32) -> Self {
        match self {
            Self::Theirs(classification, _) => Self::Theirs(classification, number),
            ours @ Self::Ours(_) => ours,
        }
    }

    pub fn is_circuit_open(&self) -> bool {
        matches!(self, Self::Ours(error)
            if matches!(error.kind(), resilience::ErrorKind::CircuitOpen { .. }))
    }
}

impl PartialEq for Failure {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Theirs(a, i), Self::Theirs(b, j)) => (a, i) == (b, j),
            _ => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Theirs(found, number) => write!(f, "{} failure {number}", found.category()),
            Self::Ours(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl Classify for Failure {
    fn classify(&self) -> Classification {
        match self {
            Self::Theirs(classification, _) => classification.clone(),
            Self::Ours(error) => error.classify(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

/// A dependency that does what it is told, and counts.
#[derive(Debug)]
pub struct Script {
    failures: u32,
    failure: Classification,
    takes: Option<Duration>,
    hangs: bool,
    runs: AtomicU32,
}

impl Script {
    /// Fails so many times, then succeeds.
    pub fn failing(category: Category, failures: u32) -> Self {
        Self::failing_with(Failure::of(category), failures)
    }

    pub fn failing_with(failure: Failure, failures: u32) -> Self {
        let Failure::Theirs(failure, _) = failure else {
            panic!("not a failure of theirs")
        };
        Self {
            failures,
            failure,
            takes: None,
            hangs: false,
            runs: AtomicU32::new(0),
        }
    }

    pub fn always(category: Category) -> Self {
        Self::failing(category, u32::MAX)
    }

    pub fn always_with(failure: Failure) -> Self {
        Self::failing_with(failure, u32::MAX)
    }

    /// Takes its time, then fails, always.
    pub fn slow(takes: Duration, category: Category) -> Self {
        Self {
            takes: Some(takes),
            ..Self::always(category)
        }
    }

    pub fn hanging() -> Self {
        Self {
            hangs: true,
            ..Self::always(Category::NETWORK)
        }
    }

    pub fn runs(&self) -> u32 {
        self.runs.load(Ordering::Relaxed)
    }

    /// One run: how many failed before it.
    pub async fn next(&self) -> Result<u32, Failure> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        if self.hangs {
            pending::<()>().await;
        }
        if let Some(takes) = self.takes {
            tokio::time::sleep(takes).await;
        }
        if run < self.failures {
            Err(Failure::Theirs(self.failure.clone(), run))
        } else {
            Ok(run)
        }
    }
}

/// How long a future takes.
pub async fn elapsed<T>(future: impl Future<Output = T>) -> Duration {
    let start = tokio::time::Instant::now();
    let _ = future.await;
    start.elapsed()
}

/// A future's output, and how long it takes.
pub async fn waited<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let start = tokio::time::Instant::now();
    (future.await, start.elapsed())
}

/// How a call ended, in a word.
pub fn kind<T>(result: Result<T, Failure>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(Failure::Theirs(..)) => "theirs",
        Err(Failure::Ours(error)) => error.kind_name(),
    }
}

/// How a call in this runtime ends, in a word.
pub async fn ends<T>(
    runtime: &Runtime,
    call: impl Future<Output = Result<T, Failure>>,
) -> &'static str {
    kind(runtime.scope(call).await)
}

/// A future that the test polls by hand.
pub fn polled<F: Future>(future: F) -> Polled<F> {
    Polled(Box::pin(future))
}

pub struct Polled<F>(Pin<Box<F>>);

impl<F: Future> Polled<F> {
    pub fn poll_once(&mut self) -> Poll<F::Output> {
        self.0
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
    }
}

/// A directory of its own, removed at the end.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("resilience-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
