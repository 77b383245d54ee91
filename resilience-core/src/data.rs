//! Summaries, recent errors and contexts as data. Durations are seconds, times RFC 3339 in UTC.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::breaker::BreakerState;
use crate::context::{Context, ContextData};
use crate::fields::{FieldValue, Fields};
use crate::latency::{Latency, PERCENTILES};
use crate::recent::RecentError;
use crate::stats::{BreakerSummary, Count, ErrorCount, ServiceSummary, Summary};
use crate::{Category, Severity};

/// A map of these entries, in this order.
macro_rules! map {
    ($serializer:expr, $($name:literal: $value:expr,)*) => {{
        let mut map = $serializer.serialize_map(None)?;
        $(map.serialize_entry($name, &$value)?;)*
        map.end()
    }};
}

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        map!(serializer,
            "calls": self.calls,
            "succeeded": self.succeeded,
            "recovered": self.recovered,
            "failed": self.failed,
            "rejected": self.rejected,
            "cancelled": self.cancelled,
            "panicked": self.panicked,
            "attempts": self.attempts,
            "retries": self.retries,
            "recovery_attempts": self.recovery_attempts,
            "recovery_rate": self.recovery_rate(),
            "total_errors": self.total_errors(),
            "errors_per_attempt": self.errors_per_attempt(),
            "errors_per_call": self.errors_per_call(),
            "breaker_opens": self.breaker_opens,
            "errors": self.errors,
            "errors_by_service": self.errors_by_service,
            "errors_by_agent": self.errors_by_agent,
            "errors_by_type": self.errors_by_type,
            "rejections": self.rejections,
            "latency": self.latency,
            "services": self.services,
            "breakers": self.breakers,
        )
    }
}

impl Serialize for ServiceSummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        map!(serializer,
            "service": self.service,
            "calls": self.calls,
            "succeeded": self.succeeded,
            "recovered": self.recovered,
            "failed": self.failed,
            "rejected": self.rejected,
            "cancelled": self.cancelled,
            "panicked": self.panicked,
            "attempts": self.attempts,
            "retries": self.retries,
            "recovery_attempts": self.recovery_attempts,
            "latency": self.latency,
        )
    }
}

impl Serialize for Latency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("count", &self.count())?;
        for (name, share) in PERCENTILES {
            let value = self
                .percentile(share)
                .map(|duration| duration.as_secs_f64());
            map.serialize_entry(name, &value)?;
        }
        let longest = self.longest().map(|duration| duration.as_secs_f64());
        map.serialize_entry("max", &longest)?;
        map.end()
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        map!(serializer, "name": self.name, "count": self.count,)
    }
}

impl Serialize for ErrorCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        map!(serializer,
            "category": self.category,
            "severity": self.severity,
            "count": self.count,
        )
    }
}

impl Serialize for BreakerSummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        map!(serializer,
            "service": self.service,
            "state": self.state,
            "failures": self.failures,
            "retry_in": self.retry_in.map(|duration| duration.as_secs_f64()),
        )
    }
}

impl Serialize for RecentError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        map!(serializer,
            "timestamp": self.timestamp(),
            "operation": self.operation,
            "service": self.service,
            "place": self.place.to_string(),
            "file": self.context.file,
            "line": self.context.line,
            "attempt": self.attempt,
            "of": self.of,
            "last": self.last,
            "category": self.category,
            "severity": self.severity,
            "error_type": self.error_type,
            "message": self.message,
            "session_id": self.context.session_id,
            "agent": self.context.agent,
            "user_id": self.context.user_id,
            "fields": self.fields,
            "metadata": self.context.metadata,
        )
    }
}

impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl Serialize for ContextData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        map!(serializer,
            "session_id": self.session_id,
            "agent": self.agent,
            "user_id": self.user_id,
            "file": self.file,
            "line": self.line,
            "metadata": self.metadata,
        )
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Serialize for FieldValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => value.serialize(serializer),
            Self::I64(value) => value.serialize(serializer),
            Self::F64(value) => value.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
            Self::Absent => serializer.serialize_none(),
        }
    }
}

macro_rules! by_name {
    ($($type:ty)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )*};
}

by_name! { Category Severity BreakerState }
