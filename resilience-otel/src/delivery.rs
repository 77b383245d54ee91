//! What has been handed over and what has arrived, counted around the SDK's queues: neither the SDK's
//! `shutdown` nor its exporters say that something was lost.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::logs::LogRecord as _;
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, LogProcessor, SdkLogRecord};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};

/// What has become of the telemetry so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// Spans.
    pub spans: Signal,
    /// Log records.
    pub logs: Signal,
    /// Exports of metrics: each holds all sums since the beginning, so that one that is lost is made
    /// up for by the next.
    pub metrics: Signal,
}

/// What has become of one signal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signal {
    /// Handed over.
    pub taken: u64,
    /// Taken by the other side.
    pub delivered: u64,
    /// Refused, or not taken in time. What no longer fits into the queue shows in the difference
    /// between `taken` and `delivered`.
    pub lost: u64,
    /// The last thing that went wrong: a status, or why there was no answer.
    pub last_error: Option<String>,
}

impl Delivery {
    /// Whether everything that was handed over has arrived.
    pub fn is_complete(&self) -> bool {
        [&self.spans, &self.logs, &self.metrics]
            .iter()
            .all(|signal| signal.missing() == 0)
    }
}

impl Signal {
    /// Handed over, and not arrived (yet).
    pub fn missing(&self) -> u64 {
        self.taken.saturating_sub(self.delivered)
    }
}

/// What is missing, in a line.
impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_complete() {
            return f.write_str("everything was delivered");
        }
        let mut separator = "";
        for (signal, name) in [
            (&self.spans, "spans"),
            (&self.logs, "log records"),
            (&self.metrics, "exports of metrics"),
        ] {
            if signal.missing() > 0 {
                write!(
                    f,
                    "{separator}{} of {} {name}",
                    signal.missing(),
                    signal.taken
                )?;
                separator = ", ";
            }
        }
        f.write_str(" were not delivered")?;
        let errors = [&self.spans, &self.logs, &self.metrics];
        if let Some(error) = errors.iter().find_map(|signal| signal.last_error.as_ref()) {
            write!(f, " ({error})")?;
        }
        Ok(())
    }
}

/// Says something on standard error. Where nobody reads that any more, it stays unsaid: `eprintln`
/// would panic.
pub(crate) fn say(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "resilience-otel: {text}");
}

/// The counts of one signal.
pub(crate) struct Counts {
    name: &'static str,
    taken: AtomicU64,
    delivered: AtomicU64,
    lost: AtomicU64,
    trouble: Mutex<Trouble>,
}

#[derive(Default)]
struct Trouble {
    last_error: Option<String>,
    told: Option<Instant>,
    /// Refused by the answer to the request that is under way.
    rejected: u64,
}

impl Counts {
    pub(crate) fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            taken: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            trouble: Mutex::default(),
        })
    }

    pub(crate) fn signal(&self) -> Signal {
        Signal {
            taken: self.taken.load(Ordering::Relaxed),
            delivered: self.delivered.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
            last_error: self.trouble().last_error.clone(),
        }
    }

    /// Something went wrong with a request: it may be tried again.
    pub(crate) fn error(&self, error: String) {
        self.trouble().last_error = Some(error);
    }

    /// An answer has come, which says that some items were not taken.
    pub(crate) fn rejected(&self, rejected: Option<(u64, String)>) {
        let mut trouble = self.trouble();
        trouble.rejected = 0;
        if let Some((items, error)) = rejected {
            trouble.rejected = items;
            trouble.last_error = Some(error);
        }
    }

    fn take(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// A request with so many items has ended for good. Says on standard error that something was
    /// lost, at most once a minute.
    fn ended(&self, items: u64, succeeded: bool) {
        let mut trouble = self.trouble();
        let rejected = std::mem::take(&mut trouble.rejected);
        let lost = if succeeded {
            rejected.min(items)
        } else {
            items
        };
        self.delivered.fetch_add(items - lost, Ordering::Relaxed);
        if lost == 0 {
            return;
        }
        let all = self.lost.fetch_add(lost, Ordering::Relaxed) + lost;
        if trouble.told.is_some_and(|told| told.elapsed() < QUIET) {
            return;
        }
        trouble.told = Some(Instant::now());
        let error = trouble.last_error.clone();
        drop(trouble);
        let error = error.as_deref().unwrap_or("not sent");
        say(format_args!("{all} {} lost so far ({error})", self.name));
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.signal().fmt(f)
    }
}

/// Between an exporter or a processor and the one that uses it.
#[derive(Debug)]
pub(crate) struct Counted<T> {
    inner: T,
    counts: Arc<Counts>,
}

impl<T> Counted<T> {
    pub(crate) fn new(inner: T, counts: &Arc<Counts>) -> Self {
        Self {
            inner,
            counts: Arc::clone(counts),
        }
    }
}

impl<T: SpanExporter> SpanExporter for Counted<T> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let items = batch.len() as u64;
        let result = self.inner.export(batch).await;
        self.counts.ended(items, result.is_ok());
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<T: SpanProcessor> SpanProcessor for Counted<T> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.counts.take();
        }
        self.inner.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<T: LogExporter> LogExporter for Counted<T> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let items = batch.iter().count() as u64;
        let result = self.inner.export(batch).await;
        self.counts.ended(items, result.is_ok());
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<T: LogProcessor> LogProcessor for Counted<T> {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        self.counts.take();
        // The bridge says only when it saw the event, which is when it happened.
        if record.timestamp().is_none()
            && let Some(seen) = record.observed_timestamp()
        {
            record.set_timestamp(seen);
        }
        self.inner.emit(record, scope);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<T: PushMetricExporter> PushMetricExporter for Counted<T> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.counts.take();
        let result = self.inner.export(metrics).await;
        self.counts.ended(1, result.is_ok());
        result
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.inner.temporality()
    }
}

/// How long after a message another one waits.
const QUIET: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_with_the_reason() {
        let counts = Counts::new("spans");
        for _ in 0..5 {
            counts.take();
        }
        counts.rejected(Some((1, "part of a request was refused".to_owned())));
        counts.ended(2, true);
        counts.rejected(None);
        counts.ended(1, true);
        counts.error("status 503".to_owned());
        counts.ended(1, false);
        let spans = counts.signal();
        assert_eq!((spans.taken, spans.delivered, spans.lost), (5, 2, 2));
        let delivery = Delivery {
            spans,
            ..Delivery::default()
        };
        assert_eq!(
            delivery.to_string(),
            "3 of 5 spans were not delivered (status 503)"
        );
        assert_eq!(Delivery::default().to_string(), "everything was delivered");
    }
}
