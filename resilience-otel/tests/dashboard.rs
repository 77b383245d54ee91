//! Every metric and label that the Grafana file names is one that a program exports.

mod support;

use std::collections::BTreeSet;

use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data};
use resilience::testing::Fault;
use resilience::{Category, Error, Runtime, resilient};
use resilience_otel::{Config, Telemetry};
use support::{Answer, Endpoint, metrics, points};

#[resilient(
    operation = "fetch",
    service = "shelf",
    retries = 2,
    backoff(initial = "1ms")
)]
async fn fetch() -> Result<(), Error> {
    Ok(())
}

#[test]
fn every_metric_and_label_of_the_dashboard_is_exported() {
    let exported = exported();
    let mut names = BTreeSet::new();
    let mut labels = BTreeSet::from([
        // Of every histogram; of the resource, whose `service.name` it is.
        "le".to_owned(),
        "job".to_owned(),
    ]);
    for metric in &exported {
        names.extend(prometheus_names(metric));
        for (attributes, _) in points(&exported, &metric.name) {
            labels.extend(attributes.keys().map(|name| name.replace('.', "_")));
        }
    }
    let file = include_str!("../../dashboards/grafana.json");
    let file: serde_json::Value = serde_json::from_str(file).unwrap();
    let mut queries = Vec::new();
    collect(&file, &mut queries);
    assert!(queries.len() > 10, "{queries:?}");
    let mut used = BTreeSet::new();
    for word in queries.iter().flat_map(|query| words(query)) {
        let known = names.contains(&word) || labels.contains(&word);
        let ours = word.starts_with("resilience_") || word.starts_with("error_");
        assert!(
            known || !ours,
            "{word} is not exported: {names:?} {labels:?}"
        );
        if names.contains(&word) {
            used.insert(word);
        }
    }
    assert!(used.len() >= 8, "{used:?}");
}

/// What a program exports that retries, fails and opens a breaker.
fn exported() -> Vec<Metric> {
    let endpoint = Endpoint::new(Answer::Yes);
    let telemetry = Telemetry::new(&Config::new("dashboard").endpoint(&endpoint.url)).unwrap();
    let runtime = Runtime::builder().no_waits().build();
    telemetry.watch(&runtime);
    runtime.inject("fetch", Fault::error(Category::SERVICE).times(10));
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(runtime.scope(async {
            for _ in 0..4 {
                drop(fetch().await);
            }
        }));
    assert!(telemetry.shutdown().is_complete());
    metrics(&endpoint.requests())
}

/// The names that Prometheus gives to an OTLP metric.
fn prometheus_names(metric: &Metric) -> Vec<String> {
    let mut name = metric.name.replace('.', "_");
    match &*metric.unit {
        "s" => name += "_seconds",
        unit => assert!(unit.starts_with('{'), "{unit} of {name}"),
    }
    match metric.data.as_ref().unwrap() {
        Data::Histogram(_) => ["_bucket", "_sum", "_count"]
            .iter()
            .map(|part| format!("{name}{part}"))
            .collect(),
        Data::Sum(sum) if sum.is_monotonic => vec![name + "_total"],
        _ => vec![name],
    }
}

/// All that stands under `expr` or `query`.
fn collect<'a>(value: &'a serde_json::Value, queries: &mut Vec<&'a str>) {
    match value {
        serde_json::Value::Object(object) => {
            for (name, value) in object {
                match value.as_str() {
                    Some(text) if matches!(&**name, "expr" | "query") => queries.push(text),
                    _ => collect(value, queries),
                }
            }
        }
        serde_json::Value::Array(values) => {
            for value in values {
                collect(value, queries);
            }
        }
        _ => {}
    }
}

/// Names in a query, without what stands in quotes.
fn words(query: &str) -> Vec<String> {
    query
        .split('"')
        .step_by(2)
        .flat_map(|part| part.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')))
        .map(str::to_owned)
        .collect()
}
