//! OpenTelemetry for the [`resilience`](https://docs.rs/resilience) crate: traces, logs and metrics
//! over OTLP/HTTP, to any collector and to Axiom.
//!
//! One line sets everything up, and the guard sends what is left when `main` returns:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use resilience_otel::{Axiom, Config};
//!
//! let config = Config::new("sync-pipeline")
//!     .service_version(env!("CARGO_PKG_VERSION"))
//!     .environment("production")
//!     .axiom(
//!         Axiom::new(std::env::var("AXIOM_TOKEN")?)
//!             .edge("us-east-1.aws.edge.axiom.co")
//!             .traces("traces")
//!             .logs("logs")
//!             .metrics("metrics"),
//!     );
//! let _telemetry = resilience_otel::init(&config)?;
//! # Ok(()) }
//! ```
//!
//! A program that has a subscriber of its own takes the parts: [`Telemetry::new`] builds them,
//! [`Telemetry::layer`] goes into its `tracing` registry, [`Telemetry::watch`] makes metrics of what
//! happens in a [`Runtime`](resilience_core::Runtime).
//!
//! Nothing here ever blocks a call: spans and log records go into bounded queues, threads of the SDK
//! send them, and what does not fit or arrive is counted ([`Telemetry::delivery`]) and told on
//! standard error.

#![forbid(unsafe_code)]

mod axiom;
mod client;
mod config;
mod delivery;
mod metrics;
mod telemetry;

pub use opentelemetry;

pub use crate::axiom::Axiom;
pub use crate::config::{Config, Error, Output};
pub use crate::delivery::{Delivery, Signal};
pub use crate::telemetry::{Telemetry, init};
