//! Reload when a file changes: a thread that is woken by the file system, and looks for itself now
//! and then, since not every file system wakes anybody.
//!
//! What is watched is the directory of each file, and of each link on the way to it: editors and
//! deployments replace a file or a link rather than write into it, and a watch on the file would go
//! with the old one. Which name an event is about does not matter; whether the content is another
//! one does.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use crate::runtime::Runtime;
use crate::settings::load::Settings;

/// Settings are reloaded for as long as this is held.
#[must_use = "dropping it ends the watch"]
pub struct Watch(Sender<Message>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    Changed,
    Stop,
}

impl Settings {
    /// Makes these settings those of the current runtime, as [`apply`](crate::apply) does, and
    /// reloads them whenever one of their files has changed; see [`Runtime::watch`].
    pub fn watch(&self) -> Watch {
        let runtime = Runtime::current();
        runtime.apply(self);
        runtime.watch()
    }
}

impl Runtime {
    /// Reloads the settings of this runtime whenever one of their files has changed, for as long as
    /// the answer is held, in a thread of its own. What is wrong with them then is in
    /// [`inspect`](Self::inspect) and told in an event; the settings before hold. Where no thread can be
    /// had, nothing is watched, which is logged.
    pub fn watch(&self) -> Watch {
        let (sender, receiver) = channel();
        let told = sender.clone();
        let runtime = self.clone();
        let watching = move || Watching::new(runtime, told).run(&receiver);
        let thread = std::thread::Builder::new().name("resilience-settings".into());
        if let Err(error) = thread.spawn(watching) {
            tracing::warn!(
                name: "resilience.settings.unwatched",
                "settings are not watched: {error}"
            );
        }
        Watch(sender)
    }

    /// Reloads the settings of this runtime whenever the process gets SIGHUP, from now on until the
    /// process ends, in a thread of its own. The process no longer ends by SIGHUP then.
    ///
    /// # Errors
    ///
    /// Where the signal, or a thread, cannot be had.
    #[cfg(unix)]
    pub fn reload_on_hangup(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};

        let waiting = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let mut hangups = {
            let _inside = waiting.enter();
            signal(SignalKind::hangup())?
        };
        let runtime = self.clone();
        let thread = std::thread::Builder::new().name("resilience-hangup".into());
        thread.spawn(move || {
            while waiting.block_on(hangups.recv()).is_some() {
                // What is wrong has been told by then.
                drop(runtime.reload_blocking());
            }
        })?;
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Without a thread there is nobody to stop.
        let _ = self.0.send(Message::Stop);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

struct Watching {
    runtime: Runtime,
    watcher: Option<RecommendedWatcher>,
    directories: BTreeSet<PathBuf>,
}

impl Watching {
    fn new(runtime: Runtime, told: Sender<Message>) -> Self {
        let tell = move |event: notify::Result<notify::Event>| {
            if event.map_or(true, |event| is_change(event.kind)) {
                let _ = told.send(Message::Changed);
            }
        };
        let watcher = notify::recommended_watcher(tell);
        if let Err(error) = &watcher {
            tracing::warn!(
                name: "resilience.settings.polled",
                "settings are only looked at every {POLL:?}: {error}"
            );
        }
        Self {
            runtime,
            watcher: watcher.ok(),
            directories: BTreeSet::new(),
        }
    }

    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            self.follow();
            // After that, so that no change falls between the two; the first time it finds what has
            // changed since the settings were loaded. What is wrong has been told by then.
            drop(self.runtime.reload_blocking());
            match messages.recv_timeout(POLL) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Message::Changed) if !self.is_quiet(messages) => return,
                Ok(Message::Changed) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Waits until the file system has been quiet for a moment, or busy for too long; not if the
    /// watch is over.
    fn is_quiet(&self, messages: &Receiver<Message>) -> bool {
        let clock = self.runtime.shared().clock;
        let latest = clock.now() + BUSY;
        while clock.now() < latest {
            match messages.recv_timeout(QUIET) {
                Ok(Message::Changed) => {}
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        true
    }

    /// Watches where the files are now.
    fn follow(&mut self) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        let mut now = of_files(&self.runtime);
        // Again if a link was moved before it was watched; from then on there is an event.
        for _ in 0..MOST_LINKS {
            for gone in self.directories.difference(&now) {
                // It may be gone itself.
                drop(watcher.unwatch(gone));
            }
            // A directory that was removed and made again needs another watch, so all are renewed.
            let is_watched = |directory: &&PathBuf| {
                watcher
                    .watch(directory, RecursiveMode::NonRecursive)
                    .is_ok()
            };
            self.directories = now.iter().filter(is_watched).cloned().collect();
            let before = std::mem::replace(&mut now, of_files(&self.runtime));
            if before == now {
                return;
            }
        }
    }
}

/// The directories that decide what is read.
fn of_files(runtime: &Runtime) -> BTreeSet<PathBuf> {
    let files = runtime.settings().loader_used().files();
    files.iter().flat_map(|file| directories(file)).collect()
}

/// The directory of a file, and those of all links on the way to it.
fn directories(file: &Path) -> Vec<PathBuf> {
    let mut path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let mut found = Vec::new();
    for _ in 0..MOST_LINKS {
        // The outermost link, so that what is before it is none.
        let links = path
            .ancestors()
            .filter_map(|it| Some((it, it.read_link().ok()?)));
        let Some((link, target)) = links.last() else {
            break;
        };
        let directory = link.parent().unwrap_or(link);
        let target = directory.join(target);
        let rest = path.components().skip(link.components().count());
        let next = target.components().chain(rest).collect();
        found.push(directory.to_owned());
        path = next;
    }
    found.extend(path.parent().map(PathBuf::from));
    found
}

/// Reading is none; we do it ourselves.
const fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

const POLL: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_millis(100);
const BUSY: Duration = Duration::from_secs(1);
/// As many as Linux follows.
const MOST_LINKS: u32 = 40;
