//! Where the lines come from.

use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use sync_pipeline::lines::{Line, Lines};
use sync_pipeline::record::MAX_LINE;
use tokio::io::{AsyncRead, BufReader, ReadBuf};

use crate::cli::SyncArgs;
use crate::steps::hex;

/// An open input, with its first line looked at.
pub(crate) struct Input {
    /// What it is called.
    pub(crate) name: String,
    /// What it is known by when it comes again: where it is read, and how it begins. Every line
    /// has a hash of its own, so this need not tell all inputs apart.
    pub(crate) fingerprint: String,
    lines: Lines<BufReader<Reader>>,
    next: Option<Line>,
    progress: Arc<InputProgress>,
}

/// How much of an input has been read.
#[derive(Debug)]
pub(crate) struct InputProgress {
    read: AtomicU64,
    /// Nobody knows how long a pipe is.
    all: Option<u64>,
}

impl Input {
    pub(crate) async fn open(args: &SyncArgs) -> anyhow::Result<Self> {
        let (name, reader, all) = match &args.input {
            Some(path) if path != Path::new("-") => {
                let file = tokio::fs::File::open(path)
                    .await
                    .with_context(|| format!("opening the input `{}`", path.display()))?;
                let metadata = file.metadata().await.ok();
                let all = metadata.filter(Metadata::is_file).map(|it| it.len());
                (path.display().to_string(), Reader::File(file), all)
            }
            _ => ("stdin".to_owned(), Reader::Stdin(tokio::io::stdin()), None),
        };
        let mut lines = Lines::new(BufReader::with_capacity(BUFFER, reader), MAX_LINE);
        let next = lines.next().await.context("reading the input")?;
        let mut hash = Sha256::new();
        // Relative paths mean other files in another folder.
        if let Ok(folder) = std::env::current_dir() {
            hash.update(folder.as_os_str().as_encoded_bytes());
        }
        hash.update(b"\n");
        hash.update(next.as_ref().map_or(&[][..], |line| &line.bytes));
        Ok(Self {
            name,
            fingerprint: hex(&hash.finalize()),
            lines,
            next,
            progress: Arc::new(InputProgress {
                read: AtomicU64::new(0),
                all,
            }),
        })
    }

    /// How much has been read, for others to look at.
    pub(crate) fn progress(&self) -> Arc<InputProgress> {
        Arc::clone(&self.progress)
    }

    /// The next line.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Line>> {
        let line = match self.next.take() {
            Some(line) => Some(line),
            None => self.lines.next().await?,
        };
        if let Some(line) = &line {
            let bytes = line.bytes.len() as u64 + 1;
            self.progress.read.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(line)
    }
}

impl InputProgress {
    /// The time that is left if the rest goes as what was read so far.
    pub(crate) fn left(&self, elapsed: Duration) -> Option<Duration> {
        let (read, all) = (self.read.load(Ordering::Relaxed), self.all?);
        if read == 0 {
            return None;
        }
        let millis = u64::try_from(elapsed.as_millis()).ok()?;
        let left = millis.checked_mul(all.saturating_sub(read))? / read;
        Some(Duration::from_millis(left))
    }
}

enum Reader {
    Stdin(tokio::io::Stdin),
    File(tokio::fs::File),
}

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Stdin(stdin) => Pin::new(stdin).poll_read(cx, buffer),
            Self::File(file) => Pin::new(file).poll_read(cx, buffer),
        }
    }
}

const BUFFER: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_takes_as_long_as_what_was_read() {
        let progress = |read: u64, all| InputProgress {
            read: AtomicU64::new(read),
            all,
        };
        let half_a_second = Duration::from_millis(500);
        let left = progress(100, Some(1_000)).left(half_a_second);
        assert_eq!(left, Some(Duration::from_millis(4_500)));
        let more_than_there_was = progress(11, Some(10)).left(half_a_second);
        assert_eq!(more_than_there_was, Some(Duration::ZERO));
        assert_eq!(progress(0, Some(10)).left(half_a_second), None);
        assert_eq!(progress(10, None).left(half_a_second), None);
    }
}
