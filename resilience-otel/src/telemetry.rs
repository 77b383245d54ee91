//! The providers, what they are fed by, and the guard that ends them.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{
    LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{BatchLogProcessor, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider};
use opentelemetry_sdk::{logs, trace};
use resilience_core::Runtime;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::client::Client;
use crate::config::{Config, Error, Kind, Output, Target, variable};
use crate::delivery::{Counted, Counts, Delivery, say};
use crate::metrics::Metrics;

/// Sets everything up: the global `tracing` subscriber with an output on standard error, the export,
/// and the metrics of the global runtime. The answer is a guard, to be kept until the end of `main`.
///
/// # Errors
///
/// If the configuration cannot work, or there is a global subscriber already.
pub fn init(config: &Config) -> Result<Telemetry, Error> {
    let telemetry = Telemetry::new(config)?;
    let directives = config.output_filter.clone();
    let directives = directives
        .or_else(|| variable("RUST_LOG"))
        .unwrap_or_else(|| "info".to_owned());
    let filter = filter(&directives)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let output = match config.output {
        Output::Text => Some(lines.boxed()),
        Output::Json => Some(lines.json().flatten_event(true).boxed()),
        Output::None => None,
    };
    let subscriber = Registry::default()
        .with(output.map(|layer| layer.with_filter(filter)))
        .with(telemetry.layer());
    tracing::subscriber::set_global_default(subscriber)?;
    telemetry.watch(Runtime::global());
    Ok(telemetry)
}

/// Traces, logs and metrics on their way to a collector.
///
/// Dropping it sends what is left, in bounded time, and says on standard error if something was
/// lost. `std::process::exit` drops nothing: return from `main` instead.
#[must_use = "dropping it ends the export"]
pub struct Telemetry {
    tracer: Option<SdkTracerProvider>,
    logger: Option<SdkLoggerProvider>,
    meter: Option<SdkMeterProvider>,
    spans: Arc<Counts>,
    logs: Arc<Counts>,
    metrics: Arc<Counts>,
    filter: EnvFilter,
    shutdown_timeout: Duration,
    over: bool,
}

impl Telemetry {
    /// The parts, for a program with a subscriber of its own.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use resilience_core::Runtime;
    /// use resilience_otel::{Config, Telemetry};
    /// use tracing_subscriber::layer::SubscriberExt;
    /// use tracing_subscriber::util::SubscriberInitExt;
    ///
    /// let telemetry = Telemetry::new(&Config::new("app").endpoint("http://localhost:4318"))?;
    /// tracing_subscriber::registry().with(telemetry.layer()).init();
    /// telemetry.watch(Runtime::global());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If the configuration cannot work.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let resource = resource(config);
        let certificates = config.certificates()?;
        let certificates = certificates.as_deref();
        let (spans, logs, metrics) = (
            Counts::new("spans"),
            Counts::new("log records"),
            Counts::new("exports of metrics"),
        );
        let tracer = config
            .target(Kind::Traces)?
            .map(|target| tracer(config, target, certificates, &resource, &spans))
            .transpose()?;
        let logger = config
            .target(Kind::Logs)?
            .map(|target| logger(config, target, certificates, &resource, &logs))
            .transpose()?;
        let meter = config
            .target(Kind::Metrics)?
            .map(|target| meter(config, target, certificates, &resource, &metrics))
            .transpose()?;
        Ok(Self {
            tracer,
            logger,
            meter,
            spans,
            logs,
            metrics,
            filter: filter(&config.filter)?,
            shutdown_timeout: config.shutdown_timeout,
            over: false,
        })
    }

    /// The layer that exports spans, and events as log records, for a `tracing` registry.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method's lifetime is not general enough"
    )]
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let mut layers = Vec::new();
        if let Some(provider) = &self.tracer {
            // Events go out as log records, and only as these.
            let is_span =
                filter_fn(|metadata| metadata.is_span()).with_max_level_hint(LevelFilter::TRACE);
            let spans = tracing_opentelemetry::layer()
                .with_tracer(provider.tracer(SCOPE))
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_tracked_inactivity(false)
                .with_filter(self.exported().and(is_span));
            layers.push(spans.boxed());
        }
        if let Some(provider) = &self.logger {
            let logs = OpenTelemetryTracingBridge::new(provider).with_filter(self.exported());
            layers.push(logs.boxed());
        }
        layers
    }

    /// What is exported: what the export itself logs would make it export more.
    #[expect(
        clippy::redundant_closure,
        reason = "the function's lifetime is not general enough"
    )]
    fn exported<S: 'static>(&self) -> impl Filter<S> + Send + Sync + 'static + use<S> {
        // Without a hint the combined filter would have none, and every level would seem wanted.
        let not_ours =
            filter_fn(|metadata| is_not_ours(metadata)).with_max_level_hint(LevelFilter::TRACE);
        FilterExt::<S>::and(self.filter.clone(), not_ours)
    }

    /// Makes metrics of what happens in a runtime, and of its breakers.
    pub fn watch(&self, runtime: &Runtime) {
        if let Some(provider) = &self.meter {
            let meter = provider.meter(SCOPE);
            runtime.add_listener(Metrics::new(&meter));
            Metrics::show_breakers(&meter, runtime.clone());
        }
    }

    /// The provider of metrics, for the program's own.
    pub const fn meter_provider(&self) -> Option<&SdkMeterProvider> {
        self.meter.as_ref()
    }

    /// The provider of spans, for the program's own.
    pub const fn tracer_provider(&self) -> Option<&SdkTracerProvider> {
        self.tracer.as_ref()
    }

    /// What has arrived so far, and what has not.
    pub fn delivery(&self) -> Delivery {
        Delivery {
            spans: self.spans.signal(),
            logs: self.logs.signal(),
            metrics: self.metrics.signal(),
        }
    }

    /// Sends what there is now, and waits for it, but no longer than so. It blocks the thread.
    pub fn flush(&self, timeout: Duration) -> Delivery {
        self.each(timeout, |part| match part {
            Part::Traces(provider) => drop(provider.force_flush()),
            Part::Logs(provider) => drop(provider.force_flush()),
            Part::Metrics(provider) => drop(provider.force_flush()),
        });
        self.delivery()
    }

    /// Ends the export as dropping does, and answers what has arrived in place of saying what has
    /// not.
    pub fn shutdown(mut self) -> Delivery {
        self.end();
        self.delivery()
    }

    fn end(&mut self) {
        self.over = true;
        let timeout = self.shutdown_timeout;
        self.each(timeout, move |part| match part {
            Part::Traces(provider) => drop(provider.shutdown_with_timeout(timeout)),
            Part::Logs(provider) => drop(provider.shutdown_with_timeout(timeout)),
            Part::Metrics(provider) => drop(provider.shutdown_with_timeout(timeout)),
        });
    }

    /// Does something with every provider, each in a thread of its own: not all of them keep to the
    /// time that they are given.
    fn each(&self, timeout: Duration, act: impl Fn(Part) + Clone + Send + 'static) {
        let (done, wait) = mpsc::channel();
        let parts = [
            self.tracer.clone().map(Part::Traces),
            self.logger.clone().map(Part::Logs),
            self.meter.clone().map(Part::Metrics),
        ];
        for part in parts.into_iter().flatten() {
            let (act, done) = (act.clone(), done.clone());
            let name = "resilience-otel".to_owned();
            let spawned = thread::Builder::new().name(name).spawn(move || {
                act(part);
                drop(done);
            });
            drop(spawned);
        }
        drop(done);
        // Ends with an error when all have dropped their end, or the time is over.
        let over: Result<(), _> = wait.recv_timeout(timeout);
        debug_assert!(over.is_err(), "nobody sends");
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        self.end();
        let delivery = self.delivery();
        if !delivery.is_complete() {
            say(format_args!("{delivery}"));
        }
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry")
            .field("delivery", &self.delivery())
            .finish_non_exhaustive()
    }
}

enum Part {
    Traces(SdkTracerProvider),
    Logs(SdkLoggerProvider),
    Metrics(SdkMeterProvider),
}

fn resource(config: &Config) -> Resource {
    let mut attributes = Vec::new();
    if variable("OTEL_SERVICE_NAME").is_none() {
        attributes.push(KeyValue::new("service.name", config.service.clone()));
    }
    if let Some(version) = &config.version {
        attributes.push(KeyValue::new("service.version", version.clone()));
    }
    if let Some(environment) = &config.environment {
        let name = "deployment.environment.name";
        attributes.push(KeyValue::new(name, environment.clone()));
    }
    for (name, value) in &config.attributes {
        attributes.push(KeyValue::new(name.clone(), value.clone()));
    }
    Resource::builder().with_attributes(attributes).build()
}

/// Gives an exporter's builder its target.
macro_rules! http {
    ($exporter:ty, $target:expr, $certificates:expr, $counts:expr) => {{
        let Target {
            endpoint,
            headers,
            timeout,
        } = $target;
        let client = Client::new(timeout, $certificates, Arc::clone($counts))?;
        let builder = <$exporter>::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(timeout)
            .with_headers(headers)
            .with_http_client(client);
        match endpoint {
            Some(endpoint) => builder.with_endpoint(endpoint).build()?,
            None => builder.build()?,
        }
    }};
}

fn tracer(
    config: &Config,
    target: Target,
    certificates: Option<&[u8]>,
    resource: &Resource,
    counts: &Arc<Counts>,
) -> Result<SdkTracerProvider, Error> {
    let exporter = http!(SpanExporter, target, certificates, counts);
    let mut batch = trace::BatchConfigBuilder::default();
    if let Some(delay) = config.batch_delay_or(trace::OTEL_BSP_SCHEDULE_DELAY) {
        batch = batch.with_scheduled_delay(delay);
    }
    let processor = BatchSpanProcessor::builder(Counted::new(exporter, counts))
        .with_batch_config(batch.build())
        .build();
    Ok(SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_span_processor(Counted::new(processor, counts))
        .build())
}

fn logger(
    config: &Config,
    target: Target,
    certificates: Option<&[u8]>,
    resource: &Resource,
    counts: &Arc<Counts>,
) -> Result<SdkLoggerProvider, Error> {
    let exporter = http!(LogExporter, target, certificates, counts);
    let mut batch = logs::BatchConfigBuilder::default();
    if let Some(delay) = config.batch_delay_or("OTEL_BLRP_SCHEDULE_DELAY") {
        batch = batch.with_scheduled_delay(delay);
    }
    let processor = BatchLogProcessor::builder(Counted::new(exporter, counts))
        .with_batch_config(batch.build())
        .build();
    Ok(SdkLoggerProvider::builder()
        .with_resource(resource.clone())
        .with_log_processor(Counted::new(processor, counts))
        .build())
}

fn meter(
    config: &Config,
    target: Target,
    certificates: Option<&[u8]>,
    resource: &Resource,
    counts: &Arc<Counts>,
) -> Result<SdkMeterProvider, Error> {
    let exporter = http!(MetricExporter, target, certificates, counts);
    let mut reader = PeriodicReader::builder(Counted::new(exporter, counts));
    if let Some(interval) = config.metric_interval_or("OTEL_METRIC_EXPORT_INTERVAL") {
        reader = reader.with_interval(interval);
    }
    Ok(SdkMeterProvider::builder()
        .with_resource(resource.clone())
        .with_reader(reader.build())
        .build())
}

fn filter(directives: &str) -> Result<EnvFilter, Error> {
    EnvFilter::builder()
        .parse(directives)
        .map_err(|source| Error::Filter {
            filter: directives.to_owned(),
            source,
        })
}

fn is_not_ours(metadata: &Metadata<'_>) -> bool {
    !["opentelemetry", "ureq", "rustls", "resilience_otel"]
        .iter()
        .any(|name| metadata.target().starts_with(name))
}

const SCOPE: &str = "resilience";
