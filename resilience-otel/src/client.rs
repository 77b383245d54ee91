//! The HTTP client of the exporters: blocking, since it runs in threads of the SDK that have no
//! async runtime.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::config::Error;
use crate::delivery::Counts;

/// Sends the requests of one signal and notes what the answers say.
pub(crate) struct Client {
    agent: Agent,
    counts: Arc<Counts>,
}

impl Client {
    pub(crate) fn new(
        timeout: Duration,
        certificates: Option<&[u8]>,
        counts: Arc<Counts>,
    ) -> Result<Self, Error> {
        let mut tls = TlsConfig::builder();
        if let Some(pem) = certificates {
            tls = tls.root_certs(roots(pem)?);
        }
        let agent = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // A redirect would take the token along to somebody else.
            .max_redirects(0)
            .user_agent(concat!("resilience-otel/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls.build())
            .build()
            .new_agent();
        Ok(Self { agent, counts })
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts, body.to_vec());
        let mut response = self.agent.run(request)?;
        let limit = response.body_mut().with_config().limit(LONGEST_ANSWER);
        let body = limit.read_to_vec()?;
        let (parts, _) = response.into_parts();
        Ok(Response::from_parts(parts, Bytes::from(body)))
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        match self.send(request) {
            Ok(response) => {
                let status = response.status();
                if status.is_success() {
                    self.counts.rejected(rejected(response.body()));
                } else {
                    self.counts.error(format!("status {}", status.as_u16()));
                }
                Ok(response)
            }
            Err(error) => {
                self.counts.error(error.to_string());
                Err(error.into())
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// How many items an answer says it has not taken, and why. The answers of all signals have the
/// same form.
fn rejected(body: &[u8]) -> Option<(u64, String)> {
    let answer = ExportTraceServiceResponse::decode(body).ok()?;
    let partial = answer.partial_success?;
    let items = u64::try_from(partial.rejected_spans).unwrap_or(0);
    (items > 0).then(|| (items, "part of a request was refused".to_owned()))
}

fn roots(pem: &[u8]) -> Result<RootCerts, Error> {
    let certificates: Vec<_> = parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
            Ok(_) => None,
            Err(error) => Some(Err(Error::Certificates(error.to_string()))),
        })
        .collect::<Result<_, _>>()?;
    if certificates.is_empty() {
        return Err(Error::Certificates("there is none".to_owned()));
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

const LONGEST_ANSWER: u64 = 1024 * 1024;
