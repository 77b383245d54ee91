//! Classifies error texts: one JSON string a line in, one JSON object a line out.
//!
//! ```sh
//! echo '"connect ECONNREFUSED 127.0.0.1:443"' | cargo run --example classify
//! ```

use std::io::{self, BufRead, Write};

use anyhow::Context;
use resilience::{Retry, classify};
use serde_json::json;

fn main() -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for (number, line) in (1..).zip(io::stdin().lock().lines()) {
        let line = line.with_context(|| format!("line {number} cannot be read"))?;
        if line.trim().is_empty() {
            continue;
        }
        let text: String = serde_json::from_str(&line)
            .with_context(|| format!("line {number} is not a JSON string"))?;
        let found = classify::text(&text);
        let answer = json!({
            "category": found.category().as_str(),
            // As the failure of a first attempt.
            "severity": found.severity(1).as_str(),
            "retryable": found.retry() == Retry::Yes,
            "retry": found.retry().as_str(),
            "fault": found.fault().as_str(),
            "effect": found.effect().as_str(),
            "retry_after": found.retry_after().map(|wait| wait.as_secs_f64()),
            "reason": found.reason(),
        });
        writeln!(out, "{answer}").context("the answer cannot be written")?;
    }
    out.flush().context("the answers cannot be written")
}
