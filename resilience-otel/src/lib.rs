//! OpenTelemetry for the `resilience` crate: traces, logs and metrics over OTLP/HTTP.
