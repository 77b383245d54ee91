//! What reaches an endpoint: where it is sent, what is in it, and that trouble there is none here.

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use resilience::{
    Category, Classification, Classify, Context, Runtime, Summary, fail_fast, resilient,
};
use resilience_otel::{Axiom, Config, Error, Telemetry};
use support::{Answer, Endpoint, Request, attributes, logs, metrics, points, spans, text, total};
use tracing_subscriber::layer::SubscriberExt;

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("GET {url} failed: Authorization: Bearer {token}")]
    Theirs { url: String, token: &'static str },
    #[error(transparent)]
    Ours(#[from] resilience::Error),
}

impl Classify for Failure {
    fn classify(&self) -> Classification {
        match self {
            Self::Theirs { .. } => Classification::new(Category::SERVICE).with_error_type("theirs"),
            Self::Ours(error) => error.classify(),
        }
    }
}

#[resilient(
    operation = "index",
    category = "weaviate",
    retries = 2,
    backoff(initial = "1ms")
)]
async fn index(token: &'static str, fails: &AtomicU32) -> Result<(), Failure> {
    tokio::task::yield_now().await;
    let left = fails.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
        left.checked_sub(1)
    });
    match left {
        Ok(_) => Err(Failure::Theirs {
            url: format!("https://me:{token}@h.io/x?token={token}"),
            token,
        }),
        Err(_) => Ok(()),
    }
}

#[fail_fast(service = "checked", require(size > 0, field = "size", "must be positive"))]
async fn checked(size: u32) -> Result<(), Failure> {
    Ok(())
}

fn axiom(endpoint: &Endpoint) -> Config {
    let axiom = Axiom::new(TOKEN)
        .url(&endpoint.url)
        .traces("t")
        .logs("l")
        .metrics("m");
    Config::new("tests")
        .service_version("1.2.3")
        .environment("ci")
        .axiom(axiom)
}

/// Runs a future with the telemetry listening.
fn listening<F: Future>(telemetry: &Telemetry, runtime: &Runtime, future: F) -> F::Output {
    telemetry.watch(runtime);
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    let _guard = tracing::subscriber::set_default(subscriber);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(runtime.scope(future))
}

/// A call that recovers, one that fails for good, one that is refused; in a context.
async fn three_calls() {
    let context = Context::new().session_id("s-1").user_id("u-1").agent("a-1");
    let calls = context.scope(async {
        index(TOKEN, &AtomicU32::new(1)).await.unwrap();
        index(TOKEN, &AtomicU32::new(9)).await.unwrap_err();
        checked(0).await.unwrap_err();
    });
    calls.await;
}

#[test]
fn every_signal_arrives_with_its_headers_and_says_what_happened() {
    let endpoint = Endpoint::new(Answer::Yes);
    let telemetry = Telemetry::new(&axiom(&endpoint)).unwrap();
    let runtime = Runtime::builder().no_waits().build();
    listening(&telemetry, &runtime, three_calls());
    let delivery = telemetry.shutdown();
    assert!(delivery.is_complete(), "{delivery}");
    let requests = endpoint.requests();
    requests.iter().for_each(check_request);
    let found = spans(&requests);
    assert_eq!(delivery.spans.delivered, found.len() as u64);
    let failed_call = check_spans(&found);
    check_logs(&logs(&requests), &found, &failed_call);
    check_metrics(&metrics(&requests), &runtime.summary());
}

fn check_request(request: &Request) {
    let (header, dataset) = match &*request.path {
        "/v1/traces" => ("x-axiom-dataset", "t"),
        "/v1/logs" => ("x-axiom-dataset", "l"),
        "/v1/metrics" => ("x-axiom-metrics-dataset", "m"),
        other => panic!("{other}"),
    };
    assert_eq!(request.headers[header], dataset);
    assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(request.headers["content-type"], "application/x-protobuf");
    assert!(request.body.len() < 1024 * 1024, "{}", request.body.len());
    let body = String::from_utf8_lossy(&request.body);
    assert!(!body.contains(TOKEN), "a secret in {}", request.path);
    assert!(body.contains("service.version") && body.contains("1.2.3"));
    assert!(body.contains("deployment.environment.name"));
}

/// Returns the span of the call that failed.
fn check_spans(found: &[Span]) -> Span {
    let calls: Vec<_> = found
        .iter()
        .filter(|span| span.parent_span_id.is_empty())
        .collect();
    assert_eq!(calls.len(), 3);
    for (call, operation, outcome, runs, status) in [
        (calls[0], "index", "recovered", 2, 0),
        (calls[1], "index", "failed", 3, 2),
        (calls[2], "endpoint::checked", "rejected", 0, 2),
    ] {
        let about = attributes(&call.attributes);
        assert_eq!(about["resilience.outcome"], outcome);
        assert_eq!(about["resilience.attempts"], format!("{runs}i"));
        assert_eq!(about["session.id"], "s-1");
        assert_eq!(about["user.id"], "u-1");
        assert_eq!(call.name, operation);
        assert_eq!(call.status.as_ref().unwrap().code, status);
        let attempts: Vec<_> = found
            .iter()
            .filter(|span| span.parent_span_id == call.span_id)
            .map(|span| attributes(&span.attributes)["resilience.attempt"].clone())
            .collect();
        let numbers: Vec<_> = (1..=runs).map(|n| format!("{n}i")).collect();
        assert_eq!(attempts, numbers);
    }
    assert_eq!(attributes(&calls[1].attributes)["error.type"], "theirs");
    calls[1].clone()
}

fn check_logs(records: &[LogRecord], spans: &[Span], call: &Span) {
    let failed: Vec<_> = records
        .iter()
        .filter(|record| record.event_name == "resilience.call.failed")
        .collect();
    let [failed] = &failed[..] else {
        panic!("{records:#?}")
    };
    assert_eq!(failed.severity_text, "WARN");
    assert_eq!(failed.trace_id, call.trace_id);
    assert!((call.start_time_unix_nano..=call.end_time_unix_nano).contains(&failed.time_unix_nano));
    let inside = spans.iter().find(|span| span.span_id == failed.span_id);
    assert_eq!(inside.unwrap().parent_span_id, call.span_id);
    let about = attributes(&failed.attributes);
    for (name, value) in [
        ("resilience.operation", "index"),
        ("resilience.service", "weaviate"),
        ("resilience.agent", "a-1"),
        ("session.id", "s-1"),
        ("resilience.attempt", "3i"),
        ("resilience.severity", "medium"),
        ("error.type", "theirs"),
        (
            "exception.message",
            "GET https://***@h.io/x?*** failed: Authorization: Bearer ***",
        ),
    ] {
        assert_eq!(about[name], value, "{name}");
    }
    assert_eq!(text(failed.body.as_ref()), "call failed");
}

fn check_metrics(found: &[Metric], summary: &Summary) {
    let failed = ("resilience.outcome", "failed");
    let theirs = ("error.type", "theirs");
    let status = "resilience.circuit_breaker.status";
    for (name, with, count) in [
        (
            "resilience.call.duration",
            &[("resilience.outcome", "recovered")][..],
            1,
        ),
        ("resilience.call.duration", &[failed, theirs], 1),
        (
            "resilience.call.duration",
            &[("resilience.outcome", "rejected")],
            1,
        ),
        ("resilience.call.duration", &[], summary.calls),
        (
            "resilience.call.retries",
            &[("resilience.operation", "index")],
            2,
        ),
        ("resilience.call.retry_delay", &[], summary.retries),
        ("resilience.attempt.duration", &[theirs], 4),
        ("resilience.attempt.duration", &[], summary.attempts),
        (
            "resilience.errors",
            &[("resilience.category", "weaviate")],
            4,
        ),
        ("resilience.errors", &[("error.type", "requirements")], 1),
        ("resilience.errors", &[], summary.total_errors()),
        (status, &[("resilience.circuit_breaker.state", "closed")], 2),
        (status, &[], 2),
    ] {
        assert_eq!(total(found, name, with), count, "{name} {with:?}");
    }
    let all = format!("{found:?}");
    assert!(
        !all.contains("s-1") && !all.contains("u-1"),
        "a session or user in metrics"
    );
}

/// What somebody else writes decides how long these texts are.
#[resilient(operation = "verbose", retries = 1, backoff(initial = "1ms"), breaker = off, fields(text))]
async fn verbose(text: &str) -> anyhow::Result<()> {
    anyhow::bail!("{text}")
}

#[test]
fn what_is_sent_keeps_to_the_limits_of_axiom() {
    let endpoint = Endpoint::new(Answer::Yes);
    let telemetry = Telemetry::new(&axiom(&endpoint)).unwrap();
    let runtime = Runtime::builder().no_waits().build();
    let text = "long ".repeat(30_000);
    listening(&telemetry, &runtime, async {
        let about = Context::new()
            .session_id(&text)
            .agent(&text)
            .file(&text)
            .with("anything", text.clone());
        let calls = about.scope(async {
            for _ in 0..400 {
                verbose(&text).await.unwrap_err();
            }
        });
        calls.await;
    });
    let delivery = telemetry.shutdown();
    assert!(delivery.is_complete(), "{delivery}");
    let requests = endpoint.requests();
    let (mut fields, mut longest) = (BTreeSet::new(), 0);
    for request in &requests {
        assert!(request.body.len() <= 4 << 20, "{}", request.body.len());
        let one = std::slice::from_ref(request);
        let spans = spans(one).into_iter().map(|span| span.attributes);
        let logs = logs(one).into_iter().map(|log| log.attributes);
        let events: Vec<_> = spans.chain(logs).collect();
        assert!(events.len() <= 10_000, "{}", events.len());
        for (name, value) in events.iter().flat_map(|it| attributes(it)) {
            assert!(name.len() <= 200, "{name}");
            longest = longest.max(value.len());
            fields.insert(name.to_owned());
        }
    }
    assert!(
        (1024..1100).contains(&longest),
        "a field of {longest} bytes"
    );
    assert!((10..100).contains(&fields.len()), "{fields:?}");
    for metric in metrics(&requests) {
        assert!(metric.name.len() <= 256);
        for (name, value) in points(std::slice::from_ref(&metric), &metric.name)
            .iter()
            .flat_map(|(attributes, _)| attributes)
        {
            assert!(name.len() <= 256 && value.len() <= 1024, "{name} {value}");
        }
    }
}

#[test]
fn a_failure_is_at_the_collector_within_two_seconds_of_its_happening() {
    let endpoint = Endpoint::new(Answer::Yes);
    let telemetry = Telemetry::new(&axiom(&endpoint)).unwrap();
    let runtime = Runtime::builder().no_waits().build();
    listening(&telemetry, &runtime, three_calls());
    let happened = Instant::now();
    // No flush is called, and the process goes on.
    let requests = endpoint.wait_until(|requests| {
        logs(requests)
            .iter()
            .any(|record| record.event_name == "resilience.call.failed")
            && spans(requests)
                .iter()
                .filter(|span| span.parent_span_id.is_empty())
                .count()
                == 3
    });
    let took = requests
        .last()
        .unwrap()
        .at
        .saturating_duration_since(happened);
    println!("at the collector after {took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    drop(telemetry);
}

#[test]
fn a_throttled_request_is_sent_again_and_a_partly_refused_one_is_loss() {
    let endpoint = Endpoint::scripted(vec![Answer::Status(429, Some(1)); 2], Answer::Yes);
    let telemetry =
        Telemetry::new(&axiom(&endpoint).batch_delay(Duration::from_millis(10))).unwrap();
    let runtime = Runtime::builder().no_waits().build();
    listening(&telemetry, &runtime, three_calls());
    let delivery = telemetry.shutdown();
    assert!(delivery.is_complete(), "{delivery}");
    assert_eq!(endpoint.spans().len() as u64, delivery.spans.taken);

    let endpoint = Endpoint::new(Answer::Partly(1));
    let telemetry = Telemetry::new(&axiom(&endpoint)).unwrap();
    listening(&telemetry, &runtime, three_calls());
    let delivery = telemetry.shutdown();
    assert_eq!((delivery.spans.lost, delivery.spans.missing()), (1, 1));
    assert!(
        delivery
            .to_string()
            .contains("part of a request was refused"),
        "{delivery}"
    );
}

#[test]
fn an_endpoint_behind_tls_is_spoken_to_only_with_a_certificate_that_is_trusted() {
    let (endpoint, pem) = Endpoint::behind_tls();
    let runtime = Runtime::new();
    let trusting = Telemetry::new(&axiom(&endpoint).root_certificates(pem)).unwrap();
    listening(&trusting, &runtime, three_calls());
    let delivery = trusting.shutdown();
    assert!(delivery.is_complete(), "{delivery}");
    let received = endpoint.requests().len();
    assert!(received >= 3);

    let config = axiom(&endpoint).timeout(Duration::from_millis(200));
    let others = Telemetry::new(&config).unwrap();
    listening(&others, &runtime, three_calls());
    let delivery = others.shutdown();
    assert_eq!(
        (delivery.spans.delivered, endpoint.requests().len()),
        (0, received)
    );
    assert!(delivery.to_string().contains("certificate"), "{delivery}");

    let config = axiom(&endpoint).root_certificates("no certificate");
    assert!(matches!(
        Telemetry::new(&config),
        Err(Error::Certificates(_))
    ));
}

/// How long a thousand calls take, of which every tenth fails.
fn thousand_calls(telemetry: &Telemetry) -> Duration {
    let runtime = Runtime::builder().no_waits().build();
    listening(telemetry, &runtime, async {
        let began = Instant::now();
        for i in 0..1000 {
            let result = index(TOKEN, &AtomicU32::new(u32::from(i % 10 == 0))).await;
            result.unwrap();
        }
        began.elapsed()
    })
}

#[test]
fn trouble_at_the_endpoint_never_slows_a_call_and_its_loss_is_told() {
    let well = Endpoint::new(Answer::Yes);
    let telemetry = Telemetry::new(&axiom(&well)).unwrap();
    let usual = thousand_calls(&telemetry);
    assert!(telemetry.shutdown().spans.delivered > 0);
    for (answer, error) in [
        (Answer::Status(503, None), "status 503"),
        (Answer::Status(429, Some(3600)), "status 429"),
        (Answer::Hang, "timeout"),
    ] {
        let endpoint = Endpoint::new(answer);
        let config = axiom(&endpoint)
            .timeout(Duration::from_millis(300))
            .shutdown_timeout(Duration::from_millis(700));
        let telemetry = Telemetry::new(&config).unwrap();
        let took = thousand_calls(&telemetry);
        assert!(
            took < usual * 5 + Duration::from_millis(500),
            "{answer:?}: {took:?}, not {usual:?}"
        );
        let began = Instant::now();
        let delivery = telemetry.shutdown();
        let ended = began.elapsed();
        println!("{answer:?}: calls {took:?} (usual {usual:?}), shutdown {ended:?}: {delivery}");
        assert!(ended < Duration::from_secs(2), "{answer:?}: {ended:?}");
        assert_eq!(delivery.spans.delivered, 0);
        assert!(delivery.spans.taken >= 2000, "{delivery:?}");
        assert!(!delivery.is_complete());
        let said = delivery.to_string();
        assert!(said.contains(error) && !said.contains(TOKEN), "{said}");
    }
}

#[test]
fn nobody_there_is_told_as_well() {
    let config = Config::new("tests")
        .endpoint("http://127.0.0.1:9")
        .shutdown_timeout(Duration::from_secs(1));
    let telemetry = Telemetry::new(&config).unwrap();
    let runtime = Runtime::new();
    listening(&telemetry, &runtime, async { checked(1).await.unwrap() });
    let delivery = telemetry.shutdown();
    assert_eq!((delivery.spans.taken, delivery.spans.delivered), (2, 0));
    assert!(!delivery.is_complete(), "{delivery}");
}

#[test]
fn times_without_end_are_no_trouble() {
    let endpoint = Endpoint::new(Answer::Yes);
    for time in [Duration::MAX, Duration::ZERO] {
        let config = axiom(&endpoint)
            .timeout(Duration::MAX)
            .batch_delay(time)
            .metric_interval(time)
            .shutdown_timeout(Duration::MAX);
        let telemetry = Telemetry::new(&config).unwrap();
        let runtime = Runtime::new();
        listening(&telemetry, &runtime, async { checked(1).await.unwrap() });
        let spans = telemetry.flush(Duration::MAX).spans;
        assert!(spans.delivered > 0 && spans.delivered == spans.taken);
        // Until then an export of metrics may be on its way.
        let delivery = telemetry.shutdown();
        assert!(delivery.is_complete(), "{time:?}: {delivery}");
    }
}

const TOKEN: &str = "xaat-5ecr3t";
