//! Being told to stop: once to come to an end, twice to end at once.

use std::process::ExitCode;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Hears the signals of this process.
#[derive(Debug)]
pub(crate) struct Stop {
    heard: watch::Receiver<Option<Signal>>,
}

/// A request to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// From a service manager.
    Terminate,
}

impl Stop {
    /// Listens from now on. The second signal ends the process at once: what is in flight is
    /// done again by the next run.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let (tell, heard) = watch::channel(None);
        let mut interrupts = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
        let mut terminations = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
        tokio::spawn(async move {
            let mut heard_one = false;
            loop {
                let signal = tokio::select! {
                    Some(()) = interrupts.recv() => Signal::Interrupt,
                    Some(()) = terminations.recv() => Signal::Terminate,
                    else => return,
                };
                if heard_one {
                    std::process::exit(i32::from(signal.status()));
                }
                heard_one = true;
                // Nobody listens any more when the run is over.
                let _ = tell.send(Some(signal));
            }
        });
        Ok(Self { heard })
    }

    /// Waits for the first signal, for ever if there is none.
    pub(crate) async fn wait(&mut self) -> Signal {
        loop {
            if let Some(signal) = *self.heard.borrow_and_update() {
                return signal;
            }
            if self.heard.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Signal {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }

    /// The exit status that shells give to it.
    pub(crate) const fn status(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

impl From<Signal> for ExitCode {
    fn from(signal: Signal) -> Self {
        Self::from(signal.status())
    }
}
