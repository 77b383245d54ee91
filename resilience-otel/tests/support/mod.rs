//! An OTLP endpoint in the process, which answers as it is told and keeps what it got.
#![allow(dead_code, unreachable_pub, reason = "no test file uses all of it")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the endpoint answers to a request.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    Yes,
    /// A status, with `Retry-After` in seconds.
    Status(u16, Option<u32>),
    /// Yes, but so many items were not taken.
    Partly(i64),
    /// Never, until the test is over.
    Hang,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub at: Instant,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    pub accepted: bool,
}

#[derive(Clone)]
pub struct Endpoint {
    pub url: String,
    state: Arc<(Mutex<State>, Condvar)>,
}

struct State {
    requests: Vec<Request>,
    /// The first answers, one a request; then `then`.
    first: Vec<Answer>,
    then: Answer,
}

impl Endpoint {
    pub fn new(answer: Answer) -> Self {
        Self::scripted(Vec::new(), answer)
    }

    pub fn scripted(first: Vec<Answer>, then: Answer) -> Self {
        Self::start(first, then, None)
    }

    /// One behind TLS, and the certificate to trust.
    pub fn behind_tls() -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = made.signing_key.serialize_der().try_into().unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let endpoint = Self::start(Vec::new(), Answer::Yes, Some(Arc::new(config)));
        (endpoint, made.cert.pem())
    }

    fn start(mut first: Vec<Answer>, then: Answer, tls: Option<Arc<ServerConfig>>) -> Self {
        first.reverse();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = match tls {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        let state = Arc::new((
            Mutex::new(State {
                requests: Vec::new(),
                first,
                then,
            }),
            Condvar::new(),
        ));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                let tls = tls.clone();
                thread::spawn(move || match tls {
                    Some(config) => {
                        let connection = ServerConnection::new(config).unwrap();
                        serve(StreamOwned::new(connection, stream), &shared)
                    }
                    None => serve(stream, &shared),
                });
            }
        });
        Self { url, state }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state.0.lock().unwrap().requests.clone()
    }

    /// Waits until what has come satisfies, for ten seconds at most.
    pub fn wait_until(&self, satisfied: impl Fn(&[Request]) -> bool) -> Vec<Request> {
        let (state, changed) = &*self.state;
        let state = state.lock().unwrap();
        let (state, timeout) = changed
            .wait_timeout_while(state, Duration::from_secs(10), |state| {
                !satisfied(&state.requests)
            })
            .unwrap();
        assert!(!timeout.timed_out(), "only {:#?}", paths(&state.requests));
        state.requests.clone()
    }

    pub fn spans(&self) -> Vec<Span> {
        spans(&self.requests())
    }

    pub fn logs(&self) -> Vec<LogRecord> {
        logs(&self.requests())
    }
}

fn paths(requests: &[Request]) -> Vec<&str> {
    requests.iter().map(|request| &*request.path).collect()
}

fn serve(stream: impl Read + Write, shared: &(Mutex<State>, Condvar)) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let path = line.split(' ').nth(1)?.to_owned();
        assert!(line.starts_with("POST "), "{line}");
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        reader.read_exact(&mut body).ok()?;
        let (state, changed) = shared;
        let mut state = state.lock().unwrap();
        let then = state.then;
        let answer = state.first.pop().unwrap_or(then);
        state.requests.push(Request {
            at: Instant::now(),
            path,
            headers,
            body,
            accepted: matches!(answer, Answer::Yes | Answer::Partly(_)),
        });
        drop(state);
        changed.notify_all();
        match answer {
            Answer::Yes => respond(reader.get_mut(), 200, "", &[])?,
            Answer::Partly(rejected_spans) => {
                let answer = ExportTraceServiceResponse {
                    partial_success: Some(ExportTracePartialSuccess {
                        rejected_spans,
                        error_message: "too many fields".to_owned(),
                    }),
                };
                respond(reader.get_mut(), 200, "", &answer.encode_to_vec())?;
            }
            Answer::Status(status, None) => {
                respond(reader.get_mut(), status, "", b"{\"message\":\"no\"}")?;
            }
            Answer::Status(status, Some(seconds)) => {
                respond(
                    reader.get_mut(),
                    status,
                    &format!("Retry-After: {seconds}\r\n"),
                    b"",
                )?;
            }
            Answer::Hang => {
                // Until the client closes.
                let mut byte = [0];
                let closed = reader.read(&mut byte);
                drop(closed);
                return None;
            }
        }
    }
}

fn respond(writer: &mut impl Write, status: u16, headers: &str, body: &[u8]) -> Option<()> {
    let length = body.len();
    write!(
        writer,
        "HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n"
    )
    .ok()?;
    writer.write_all(body).ok()
}

/// The spans of all accepted requests.
pub fn spans(requests: &[Request]) -> Vec<Span> {
    of(requests, "/v1/traces")
        .flat_map(|request| {
            ExportTraceServiceRequest::decode(&*request.body)
                .unwrap()
                .resource_spans
        })
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect()
}

/// The log records of all accepted requests.
pub fn logs(requests: &[Request]) -> Vec<LogRecord> {
    of(requests, "/v1/logs")
        .flat_map(|request| {
            ExportLogsServiceRequest::decode(&*request.body)
                .unwrap()
                .resource_logs
        })
        .flat_map(|resource| resource.scope_logs)
        .flat_map(|scope| scope.log_records)
        .collect()
}

/// The metrics of the last accepted request.
pub fn metrics(requests: &[Request]) -> Vec<Metric> {
    let Some(last) = of(requests, "/v1/metrics").last() else {
        return Vec::new();
    };
    ExportMetricsServiceRequest::decode(&*last.body)
        .unwrap()
        .resource_metrics
        .into_iter()
        .flat_map(|resource| resource.scope_metrics)
        .flat_map(|scope| scope.metrics)
        .collect()
}

fn of<'a>(requests: &'a [Request], path: &'a str) -> impl Iterator<Item = &'a Request> {
    requests
        .iter()
        .filter(move |request| request.accepted && request.path == path)
}

/// The attributes, with their values as text.
pub fn attributes(attributes: &[KeyValue]) -> BTreeMap<&str, String> {
    attributes
        .iter()
        .map(|attribute| (&*attribute.key, text(attribute.value.as_ref())))
        .collect()
}

pub fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => format!("{number}i"),
        Some(Value::DoubleValue(number)) => format!("{number}f"),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        other => format!("{other:?}"),
    }
}

/// The points of a metric: their attributes, and the count or sum.
pub fn points(metrics: &[Metric], name: &str) -> Vec<(BTreeMap<String, String>, u64)> {
    let owned = |found: &[KeyValue]| {
        attributes(found)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    };
    metrics
        .iter()
        .filter(|metric| metric.name == name)
        .flat_map(|metric| match metric.data.as_ref().unwrap() {
            Data::Histogram(histogram) => histogram
                .data_points
                .iter()
                .map(|point| (owned(&point.attributes), point.count))
                .collect::<Vec<_>>(),
            Data::Sum(sum) => sum
                .data_points
                .iter()
                .map(|point| {
                    use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
                    let Some(Value::AsInt(value)) = point.value else {
                        panic!("no integer: {point:?}")
                    };
                    (owned(&point.attributes), u64::try_from(value).unwrap())
                })
                .collect(),
            other => panic!("unexpected {other:?}"),
        })
        .collect()
}

/// The sum over all points of a metric that have this attribute with this value.
pub fn total(metrics: &[Metric], name: &str, with: &[(&str, &str)]) -> u64 {
    points(metrics, name)
        .iter()
        .filter(|(attributes, _)| {
            with.iter()
                .all(|(name, value)| attributes.get(*name).is_some_and(|found| found == value))
        })
        .map(|(_, count)| count)
        .sum()
}
