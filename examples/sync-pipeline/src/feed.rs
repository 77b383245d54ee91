//! The lines that are to be worked on, read ahead by a task of its own as far as there is room.
//!
//! A run that is taken up again gives only what is left of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use sync_pipeline::lines::Line;
use sync_pipeline::record::{self, Body, Op, Record, RecordError};
use sync_pipeline::store::{FailedFilter, FailedPlace, LineHash, LineState, Store};
use tokio::sync::mpsc;

use crate::input::Input;
use crate::room::{Place, Room};

/// A line with what it asks for.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) run_id: Arc<str>,
    pub(crate) number: u64,
    pub(crate) hash: LineHash,
    pub(crate) bytes: Vec<u8>,
    pub(crate) record: Result<Record, RecordError>,
    /// Held as long as the line is in memory.
    pub(crate) place: Place,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Fed {
    /// Work.
    Job(Box<Job>),
    /// Dealt with before the run was taken up again.
    Done,
    /// Failed too often before.
    GivenUp,
    /// The input cannot be read any further.
    Broken(anyhow::Error),
}

/// How a run that is taken up again goes through its input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resume {
    /// How often a failed line is tried again.
    pub(crate) max_retries: u32,
}

/// Feeds the lines of an input.
pub(crate) fn lines(
    input: Input,
    run_id: Arc<str>,
    resume: Option<(Store, Resume)>,
    room: Room,
) -> mpsc::Receiver<Fed> {
    let (feed, ahead) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let known = resume.map(|(store, resume)| Known {
            store,
            resume,
            run_id: Arc::clone(&run_id),
            from: 0,
            states: HashMap::new(),
        });
        let reader = Reader {
            run_id,
            room,
            known,
        };
        if let Err(error) = reader.all(input, &feed).await {
            // Nobody listens any more if the run is over.
            let _ = feed.send(Fed::Broken(error)).await;
        }
    });
    ahead
}

/// Feeds failed lines of earlier runs, each once: one that fails again keeps its place.
pub(crate) fn failed(store: Store, filter: FailedFilter, room: Room) -> mpsc::Receiver<Fed> {
    let (feed, ahead) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let again = async {
            let mut place = FailedPlace::default();
            loop {
                let lines = store
                    .failed_lines(filter.clone(), place, PAGE_OF_FAILED)
                    .await
                    .context("reading the failed lines")?;
                let Some(end) = lines.last() else {
                    return anyhow::Ok(());
                };
                place = end.place;
                for failed in lines {
                    let line = Line {
                        number: failed.line,
                        bytes: failed.payload,
                    };
                    let job = job(failed.run_id.into(), line, &room).await;
                    let Some(job) = job else { continue };
                    if feed.send(Fed::Job(job)).await.is_err() {
                        return Ok(());
                    }
                }
            }
        };
        if let Err(error) = again.await {
            let _ = feed.send(Fed::Broken(error)).await;
        }
    });
    ahead
}

struct Reader {
    run_id: Arc<str>,
    room: Room,
    known: Option<Known>,
}

impl Reader {
    /// Goes through the input, until it ends or nobody wants more.
    async fn all(mut self, mut input: Input, feed: &mpsc::Sender<Fed>) -> anyhow::Result<()> {
        while let Some(line) = input.next().await.context("reading the input")? {
            let Some(job) = job(Arc::clone(&self.run_id), line, &self.room).await else {
                continue;
            };
            let next = match &mut self.known {
                Some(known) => known.look_at(job).await?,
                None => Fed::Job(job),
            };
            if feed.send(next).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// What the store knows about the lines of a run, a page at a time.
struct Known {
    store: Store,
    resume: Resume,
    run_id: Arc<str>,
    /// The states are those from this line on, for one page.
    from: u64,
    states: HashMap<u64, LineState>,
}

impl Known {
    async fn look_at(&mut self, job: Box<Job>) -> anyhow::Result<Fed> {
        let number = job.number;
        if self.from == 0 || number >= self.from + PAGE {
            self.from = number;
            self.states = self
                .store
                .lines(&self.run_id, number, number + PAGE)
                .await
                .context("reading the checkpoint")?;
        }
        Ok(match self.states.remove(&number) {
            Some(LineState::Done { hash, began })
                if hash == job.hash && !has_changed_since(&job, began).await =>
            {
                Fed::Done
            }
            Some(LineState::Failed { hash, attempts })
                if hash == job.hash && attempts > self.resume.max_retries =>
            {
                Fed::GivenUp
            }
            _ => Fed::Job(job),
        })
    }
}

/// A line, once there is room for it. A blank one is nothing.
async fn job(run_id: Arc<str>, line: Line, room: &Room) -> Option<Box<Job>> {
    let record = record::parse(&line.bytes).transpose()?;
    // The line itself, and its content in the record.
    let place = room.place(2 * line.bytes.len() as u64 + OVERHEAD).await;
    Some(Box::new(Job {
        run_id,
        number: line.number,
        hash: LineHash::of(&line.bytes),
        bytes: line.bytes,
        record,
        place,
    }))
}

/// Whether the file that a line names may have other content than at that time. The time of the
/// last change of its metadata cannot be set by hand, unlike that of its content.
async fn has_changed_since(job: &Job, began: f64) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let path = match &job.record {
        Ok(Record::Change(change)) if change.op != Op::Delete => match &change.body {
            Body::Disk => change.path.as_ref(),
            Body::Ref(path) => path.as_path(),
            Body::Text(_) | Body::Base64(_) | Body::Absent => return false,
        },
        _ => return false,
    };
    let Ok(metadata) = tokio::fs::metadata(path).await else {
        return true;
    };
    let changed = SystemTime::UNIX_EPOCH
        + std::time::Duration::new(
            u64::try_from(metadata.ctime()).unwrap_or_default(),
            u32::try_from(metadata.ctime_nsec()).unwrap_or_default(),
        );
    let began = SystemTime::UNIX_EPOCH
        + std::time::Duration::try_from_secs_f64(began - CLOCK_STEP).unwrap_or_default();
    changed >= began
}

/// How many lines are read ahead, if there is room.
const AHEAD: usize = 32;
/// How many states are looked up at once.
const PAGE: u64 = 2_000;
/// Failed lines come with their payload, so fewer at once.
const PAGE_OF_FAILED: u32 = 16;
/// What a line takes beside its bytes.
const OVERHEAD: u64 = 1_024;
/// File systems keep time in steps, in seconds.
const CLOCK_STEP: f64 = 0.02;
