//! Axiom as the place where telemetry goes.

use crate::config::{Error, Kind, Secret, variable};

/// Axiom as the place where telemetry goes.
///
/// Axiom wants a dataset of its own for every signal; a signal without one is not sent.
#[derive(Clone, Debug)]
#[must_use]
pub struct Axiom {
    token: Secret<String>,
    url: String,
    is_edge: bool,
    traces: Option<String>,
    logs: Option<String>,
    metrics: Option<String>,
}

impl Axiom {
    /// With an API token (`xaat-..`), at `https://api.axiom.co`.
    pub fn new(token: impl Into<String>) -> Self {
        Self {
            token: Secret(token.into()),
            url: "https://api.axiom.co".to_owned(),
            is_edge: false,
            traces: None,
            logs: None,
            metrics: None,
        }
    }

    /// From `AXIOM_TOKEN`, `AXIOM_EDGE` (a host) or `AXIOM_EDGE_URL` or `AXIOM_URL`, and
    /// `AXIOM_TRACES_DATASET`, `AXIOM_LOGS_DATASET`, `AXIOM_METRICS_DATASET`; `None` without a
    /// token.
    pub fn from_env() -> Option<Self> {
        let mut axiom = Self::new(variable("AXIOM_TOKEN")?);
        if let Some(host) = variable("AXIOM_EDGE") {
            axiom = axiom.edge(&host);
        } else if let Some(url) = variable("AXIOM_EDGE_URL") {
            axiom = axiom.url(url);
            axiom.is_edge = true;
        } else if let Some(url) = variable("AXIOM_URL") {
            axiom = axiom.url(url);
        }
        axiom.traces = variable("AXIOM_TRACES_DATASET");
        axiom.logs = variable("AXIOM_LOGS_DATASET");
        axiom.metrics = variable("AXIOM_METRICS_DATASET");
        Some(axiom)
    }

    /// At an edge, such as `us-east-1.aws.edge.axiom.co`.
    pub fn edge(mut self, host: &str) -> Self {
        self.url = format!("https://{host}");
        self.is_edge = true;
        self
    }

    /// At another base URL.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self.is_edge = false;
        self
    }

    /// The dataset of spans.
    pub fn traces(mut self, dataset: impl Into<String>) -> Self {
        self.traces = Some(dataset.into());
        self
    }

    /// The dataset of log records.
    pub fn logs(mut self, dataset: impl Into<String>) -> Self {
        self.logs = Some(dataset.into());
        self
    }

    /// The dataset of metrics, one of the kind Metrics.
    pub fn metrics(mut self, dataset: impl Into<String>) -> Self {
        self.metrics = Some(dataset.into());
        self
    }

    /// Adds to a request of this signal what Axiom asks for, and answers where it goes; `None` where
    /// the signal has no dataset.
    pub(crate) fn address(
        &self,
        signal: Kind,
        headers: &mut Vec<(String, String)>,
    ) -> Result<Option<String>, Error> {
        self.check()?;
        let Some(dataset) = self.dataset(signal) else {
            return Ok(None);
        };
        let name = match signal {
            Kind::Metrics => "x-axiom-metrics-dataset",
            Kind::Traces | Kind::Logs => "x-axiom-dataset",
        };
        headers.push((name.to_owned(), dataset.to_owned()));
        let token = format!("Bearer {}", self.token.0);
        headers.push(("authorization".to_owned(), token));
        Ok(Some(self.url.clone()))
    }

    fn dataset(&self, signal: Kind) -> Option<&str> {
        match signal {
            Kind::Traces => self.traces.as_deref(),
            Kind::Logs => self.logs.as_deref(),
            Kind::Metrics => self.metrics.as_deref(),
        }
    }

    fn check(&self) -> Result<(), Error> {
        if self.token.0.trim().is_empty() {
            return Err(Error::EmptyToken);
        }
        if self.is_edge && self.token.0.starts_with("xapt-") {
            return Err(Error::PersonalToken);
        }
        if Kind::ALL
            .iter()
            .all(|&signal| self.dataset(signal).is_none())
        {
            return Err(Error::NoDataset);
        }
        Ok(())
    }
}
