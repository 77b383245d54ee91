//! Where telemetry goes, and what of it.

use std::collections::HashMap;
use std::env;
use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};

use crate::axiom::Axiom;

/// Where telemetry goes, and what of it.
///
/// What is said here beats the `OTEL_*` variables, and these beat the defaults. `OTEL_SERVICE_NAME`
/// alone beats the name given to [`new`](Self::new). A time of more than a year counts as a year, and
/// a delay or interval of less than a millisecond as one.
#[derive(Clone, Debug)]
#[must_use]
pub struct Config {
    pub(crate) service: String,
    pub(crate) version: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) attributes: Vec<(String, String)>,
    endpoint: Option<String>,
    headers: Secret<Vec<(String, String)>>,
    axiom: Option<Axiom>,
    pub(crate) filter: String,
    pub(crate) output: Output,
    pub(crate) output_filter: Option<String>,
    timeout: Option<Duration>,
    batch_delay: Option<Duration>,
    metric_interval: Option<Duration>,
    pub(crate) shutdown_timeout: Duration,
    root_certificates: Option<Vec<u8>>,
}

/// What [`init`](crate::init) writes to standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Output {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
    /// Nothing.
    None,
}

/// Why telemetry cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No token.
    #[error("the token of Axiom is empty")]
    EmptyToken,
    /// A token that edges refuse.
    #[error(
        "a personal token (`xapt-..`) is refused by Axiom's edges, which want an API token (`xaat-..`)"
    )]
    PersonalToken,
    /// Nothing would be sent.
    #[error("no dataset of Axiom is named")]
    NoDataset,
    /// The address is none, or has a query: a key belongs into a header.
    #[error("the endpoint is no http or https URL without a query")]
    Endpoint,
    /// The header cannot be sent.
    #[error("the header `{0}` has characters that no header may have")]
    Header(String),
    /// The filter does not parse.
    #[error("the filter `{filter}` does not parse")]
    Filter {
        /// The filter.
        filter: String,
        /// Why.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The certificates do not parse or cannot be read.
    #[error("the root certificates cannot be used: {0}")]
    Certificates(String),
    /// An exporter does not take what it was given.
    #[error("an exporter cannot be built")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// Somebody else has set the global subscriber.
    #[error("there is a global subscriber already")]
    Subscriber(#[from] tracing::subscriber::SetGlobalDefaultError),
}

impl Config {
    /// To the collector that the `OTEL_*` variables name, else to `http://localhost:4318`.
    pub fn new(service: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            version: None,
            environment: None,
            attributes: Vec::new(),
            endpoint: None,
            headers: Secret(Vec::new()),
            axiom: None,
            filter: FILTER.to_owned(),
            output: Output::Text,
            output_filter: None,
            timeout: None,
            batch_delay: None,
            metric_interval: None,
            shutdown_timeout: Duration::from_secs(5),
            root_certificates: None,
        }
    }

    /// The version of the application, `service.version`.
    pub fn service_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Where it runs, `deployment.environment.name`.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// Any other attribute of the resource.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// The base URL of a collector, such as `http://localhost:4318`: `/v1/traces` and so on are
    /// added.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// A header of every request. Its value is never shown.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.0.push((name.into(), value.into()));
        self
    }

    /// To Axiom.
    pub fn axiom(mut self, axiom: Axiom) -> Self {
        self.axiom = Some(axiom);
        self
    }

    /// Which spans and events are exported, in the form of `RUST_LOG`; `info,resilience=debug`
    /// unless said otherwise, which has the spans of all calls.
    pub fn filter(mut self, directives: impl Into<String>) -> Self {
        self.filter = directives.into();
        self
    }

    /// What [`init`](crate::init) writes to standard error.
    pub fn output(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// What of it; `RUST_LOG` unless said otherwise, and `info` without that.
    pub fn output_filter(mut self, directives: impl Into<String>) -> Self {
        self.output_filter = Some(directives.into());
        self
    }

    /// How long a request may take, and from when on what failed is not sent again; 10 s unless said
    /// otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout.min(LONGEST));
        self
    }

    /// How long spans and log records wait for others to go with them; 1 s unless said otherwise.
    pub fn batch_delay(mut self, delay: Duration) -> Self {
        self.batch_delay = Some(delay.clamp(SHORTEST, LONGEST));
        self
    }

    /// How often metrics are sent; every 10 s unless said otherwise.
    pub fn metric_interval(mut self, interval: Duration) -> Self {
        self.metric_interval = Some(interval.clamp(SHORTEST, LONGEST));
        self
    }

    /// How long dropping the guard may take; 5 s unless said otherwise.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout.min(LONGEST);
        self
    }

    /// The certificates to trust, in PEM form, in place of Mozilla's.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }

    /// Where a signal goes; `None` where it goes nowhere.
    pub(crate) fn target(&self, signal: Kind) -> Result<Option<Target>, Error> {
        let exporter = variable(&format!("OTEL_{}_EXPORTER", signal.variable()));
        let disabled = variable("OTEL_SDK_DISABLED");
        if exporter.is_some_and(|to| to == "none")
            || disabled.is_some_and(|off| off.eq_ignore_ascii_case("true"))
        {
            return Ok(None);
        }
        let mut headers = self.headers.0.clone();
        let mut endpoint = self.endpoint.clone();
        if let Some(axiom) = &self.axiom {
            endpoint = axiom.address(signal, &mut headers)?;
            if endpoint.is_none() {
                return Ok(None);
            }
        }
        for (name, value) in &headers {
            if HeaderName::from_bytes(name.as_bytes()).is_err()
                || HeaderValue::from_str(value).is_err()
            {
                return Err(Error::Header(name.clone()));
            }
        }
        if let Some(url) = &endpoint {
            let uri: Uri = url.parse().map_err(|_| Error::Endpoint)?;
            let is_base = uri.host().is_some() && uri.query().is_none();
            if !matches!(uri.scheme_str(), Some("http" | "https")) || !is_base {
                return Err(Error::Endpoint);
            }
        }
        let endpoint =
            endpoint.map(|base| format!("{}/v1/{}", base.trim_end_matches('/'), signal.path()));
        let variables = [
            "OTEL_EXPORTER_OTLP_{}_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        ];
        let timeout = self.timeout.or_else(|| millis(signal, &variables));
        Ok(Some(Target {
            endpoint,
            // In whatever case it is written, a header is one: the last of a name holds.
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value))
                .collect(),
            timeout: timeout.map_or(Duration::from_secs(10), |timeout| timeout.min(LONGEST)),
        }))
    }

    /// The delay of a batch; `None` where this variable says it, which the SDK reads.
    pub(crate) fn batch_delay_or(&self, name: &str) -> Option<Duration> {
        self.batch_delay
            .or_else(|| variable(name).is_none().then_some(Duration::from_secs(1)))
    }

    /// The same for metrics.
    pub(crate) fn metric_interval_or(&self, name: &str) -> Option<Duration> {
        self.metric_interval
            .or_else(|| variable(name).is_none().then_some(Duration::from_secs(10)))
    }

    pub(crate) fn certificates(&self) -> Result<Option<Vec<u8>>, Error> {
        if let Some(pem) = &self.root_certificates {
            return Ok(Some(pem.clone()));
        }
        match variable("OTEL_EXPORTER_OTLP_CERTIFICATE") {
            Some(path) => std::fs::read(path)
                .map(Some)
                .map_err(|error| Error::Certificates(error.to_string())),
            None => Ok(None),
        }
    }
}

/// Where one signal goes.
pub(crate) struct Target {
    /// The whole URL; `None` leaves it to the variables and the default of the exporter.
    pub(crate) endpoint: Option<String>,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) timeout: Duration,
}

/// A signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Traces,
    Logs,
    Metrics,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Traces, Self::Logs, Self::Metrics];

    const fn path(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }

    const fn variable(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Logs => "LOGS",
            Self::Metrics => "METRICS",
        }
    }
}

/// The first of these variables that is a number of milliseconds.
fn millis(signal: Kind, variables: &[&str]) -> Option<Duration> {
    variables
        .iter()
        .filter_map(|name| variable(&name.replace("{}", signal.variable())))
        .find_map(|value| value.trim().parse().ok())
        .map(Duration::from_millis)
}

/// A variable of the environment. An empty one is as good as none.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Shown as nothing but its being there.
#[derive(Clone)]
pub(crate) struct Secret<T>(pub(crate) T);

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

const FILTER: &str = "info,resilience=debug";
/// Without a pause, a thread of the SDK would do nothing else.
const SHORTEST: Duration = Duration::from_millis(1);
/// What clocks of every system can add to their time.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_goes_to_its_dataset() {
        let axiom = Axiom::new("xaat-1")
            .edge("eu.edge")
            .traces("t")
            .metrics("m");
        let config = Config::new("s").axiom(axiom).header("x-team", "a");
        let traces = config.target(Kind::Traces).unwrap().unwrap();
        assert_eq!(
            traces.endpoint.as_deref(),
            Some("https://eu.edge/v1/traces")
        );
        assert_eq!(traces.headers["authorization"], "Bearer xaat-1");
        assert_eq!(traces.headers["x-axiom-dataset"], "t");
        assert_eq!(traces.headers["x-team"], "a");
        let other = config.clone().header("Authorization", "Basic b");
        let other = other.target(Kind::Traces).unwrap().unwrap();
        assert_eq!(other.headers["authorization"], "Bearer xaat-1");
        assert_eq!(other.headers.len(), traces.headers.len());
        let metrics = config.target(Kind::Metrics).unwrap().unwrap();
        assert_eq!(metrics.headers["x-axiom-metrics-dataset"], "m");
        assert!(!metrics.headers.contains_key("x-axiom-dataset"));
        assert!(config.target(Kind::Logs).unwrap().is_none());
        assert!(!format!("{config:?}").contains("xaat-1"));
    }

    #[test]
    fn what_cannot_work_is_told_without_the_secret() {
        let errors = [
            Config::new("s").axiom(Axiom::new(" ").traces("t")),
            Config::new("s").axiom(Axiom::new("xapt-1").edge("h").traces("t")),
            Config::new("s").axiom(Axiom::new("xaat-1")),
            Config::new("s").endpoint("localhost:4318"),
            Config::new("s").header("authorization", "s3cr3t\n"),
            Config::new("s").endpoint("https://h/?token=s3cr3t"),
        ]
        .map(|config| config.target(Kind::Traces).err().unwrap().to_string());
        assert!(
            errors[0].contains("empty") && errors[1].contains("xaat"),
            "{errors:?}"
        );
        assert!(
            errors[2].contains("dataset") && errors[3].contains("URL"),
            "{errors:?}"
        );
        assert!(errors[4].contains("authorization"), "{errors:?}");
        assert!(errors[5].contains("query"), "{errors:?}");
        assert!(!errors.concat().contains("s3cr3t"));
    }

    #[test]
    fn times_that_no_thread_can_keep_become_the_nearest_that_one_can() {
        let times = |time| {
            let config = Config::new("tests").batch_delay(time).metric_interval(time);
            let (delay, interval) = (config.batch_delay_or(""), config.metric_interval_or(""));
            assert_eq!(delay, interval);
            delay
        };
        assert_eq!(times(Duration::ZERO), Some(SHORTEST));
        assert_eq!(times(Duration::MAX), Some(LONGEST));
        assert_eq!(times(Duration::from_secs(7)), Some(Duration::from_secs(7)));
    }
}
