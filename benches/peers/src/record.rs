//! What is written about a case: one JSON object a line.

use serde::{Deserialize, Serialize};

/// A line of the results. Each way of measuring writes its own part.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// What is called.
    pub workload: String,
    /// By whom.
    pub library: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ns_minimum: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ns_median: Option<f64>,
    /// To the fastest bare operation of the same rounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio_to_bare: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_readings: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocations: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_allocated: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub future_bytes: Option<usize>,
    /// Each of two threads on one object: its speed in percent of one alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub two_threads_percent: Option<f64>,
    /// What it does otherwise than its workload says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Record {
    /// One line.
    pub fn print(&self) {
        match serde_json::to_string(self) {
            Ok(line) => println!("{line}"),
            Err(error) => eprintln!("{error}"),
        }
    }
}
