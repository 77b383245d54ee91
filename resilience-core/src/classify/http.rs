//! HTTP statuses and the headers that say when to come back.

use std::time::Duration;

use ::http::header::{DATE, HeaderMap, RETRY_AFTER};
use ::http::{HeaderValue, Response, StatusCode};

use super::Classify;
use super::text::status;
use crate::{Category, Classification, Effect, Retry};

impl Classify for StatusCode {
    fn classify(&self) -> Classification {
        status::of(self.as_u16()).map_or_else(Classification::unknown, |status| {
            status.verdict.because(status.reason)
        })
    }
}

/// Status and headers of the response.
impl<T> Classify for Response<T> {
    fn classify(&self) -> Classification {
        response(self.status(), self.headers())
    }
}

/// Classifies a response by its status and by what its headers say about waiting: `Retry-After`
/// in seconds or as a date, the milliseconds that some services send, `RateLimit-Reset`.
///
/// ```
/// use std::time::Duration;
/// use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
/// use resilience_core::{Category, Effect, classify};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(RETRY_AFTER, "7".parse()?);
/// let found = classify::http::response(StatusCode::SERVICE_UNAVAILABLE, &headers);
/// assert_eq!(found.category(), Category::SERVICE);
/// assert_eq!(found.retry_after(), Some(Duration::from_secs(7)));
/// assert_eq!(found.effect(), Effect::None);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn response(status: StatusCode, headers: &HeaderMap) -> Classification {
    let found = status.classify();
    let Some(wait) = wait(found.category(), headers) else {
        return found;
    };
    if found.retry() == Retry::No {
        return found;
    }
    // A server that says when to come back has not begun.
    let found = match status {
        StatusCode::SERVICE_UNAVAILABLE => found.with_effect(Effect::None),
        _ => found,
    };
    found.with_retry_after(wait)
}

/// How long the headers ask to wait. `Retry-After` is RFC 9110, 10.2.3.
fn wait(category: Category, headers: &HeaderMap) -> Option<Duration> {
    // Azure and OpenAI send milliseconds beside the seconds, which are rounded.
    for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
        if let Some(wait) = headers.get(name).and_then(seconds) {
            return Some(wait / 1_000);
        }
    }
    if let Some(after) = headers.get(RETRY_AFTER) {
        return seconds(after).or_else(|| until(after, headers.get(DATE)));
    }
    if category != Category::RATE_LIMIT {
        return None;
    }
    // The draft of the IETF's HTTP API group: seconds until the quota is full again. Others send
    // a point in time under the same name, which is far longer than any window.
    ["ratelimit-reset", "x-ratelimit-reset-after"]
        .into_iter()
        .find_map(|name| headers.get(name).and_then(seconds))
        .filter(|wait| *wait <= LONGEST_WINDOW)
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    let seconds: f64 = value.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The time from the response's own date to the one in `Retry-After`: the server's clock on both
/// sides, so that ours may be wrong.
fn until(after: &HeaderValue, date: Option<&HeaderValue>) -> Option<Duration> {
    let after = date_seconds(after.to_str().ok()?)?;
    let date = date_seconds(date?.to_str().ok()?)?;
    Some(Duration::from_secs(after.saturating_sub(date)))
}

/// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that may be sent
/// (RFC 9110, 5.6.7).
fn date_seconds(date: &str) -> Option<u64> {
    let (_, rest) = date.trim().split_once(", ")?;
    let mut parts = rest.split_ascii_whitespace();
    let day: u64 = parts.next()?.parse().ok()?;
    let month = parts.next()?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let year: u64 = parts.next()?.parse().ok()?;
    let mut time = parts
        .next()?
        .splitn(3, ':')
        .map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    if parts.next() != Some("GMT") || !(1970..=9999).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let leap_days = (1970..year).filter(|year| leap(*year)).count() as u64;
    let this_leap_day = u64::from(leap(year) && month > 1);
    let days = (year - 1970) * 365 + leap_days + DAYS_BEFORE[month] + this_leap_day + day - 1;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

const DAYS_BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

const LONGEST_WINDOW: Duration = Duration::from_secs(7 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    fn found(status: u16, headers: &[(&'static str, &str)]) -> Classification {
        let status = StatusCode::from_u16(status).expect("a status");
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (
                    (*name).parse().expect("a name"),
                    value.parse().expect("a value"),
                )
            })
            .collect();
        response(status, &headers)
    }

    #[test]
    fn a_date_is_the_seconds_since_1970() {
        assert_eq!(
            date_seconds("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777)
        );
        assert_eq!(
            date_seconds("Thu, 29 Feb 2024 00:00:00 GMT"),
            Some(1_709_164_800)
        );
        assert_eq!(
            date_seconds("Fri, 01 Mar 2024 00:00:00 GMT"),
            Some(1_709_251_200)
        );
        for wrong in [
            "",
            "Sun, 06 Nov 1994",
            "Sun, 06 Non 1994 08:49:37 GMT",
            "x, 99 Nov 1994 1:1:1 GMT",
        ] {
            assert_eq!(date_seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn headers_say_how_long_to_wait() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (headers, milliseconds) in [
            (&[("retry-after", "30")][..], Some(30_000)),
            (
                &[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"), date],
                Some(30_000),
            ),
            // Already over.
            (
                &[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), date],
                Some(0),
            ),
            // Without the server's date nobody knows.
            (&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], None),
            (
                &[("retry-after", "2"), ("retry-after-ms", "1500")],
                Some(1_500),
            ),
            (&[("ratelimit-reset", "12")], Some(12_000)),
            (&[("ratelimit-reset", "1700000000")], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "soon")], None),
        ] {
            let wait = found(429, headers)
                .retry_after()
                .map(|wait| wait.as_millis());
            assert_eq!(wait, milliseconds, "{headers:?}");
        }
    }

    #[test]
    fn statuses_mean_what_they_mean_in_texts() {
        for (status, category, retry) in [
            (200, Category::UNKNOWN, Retry::Unsure),
            (400, Category::VALIDATION, Retry::No),
            (401, Category::AUTH, Retry::No),
            (404, Category::NOT_FOUND, Retry::No),
            (408, Category::TIMEOUT, Retry::Yes),
            (409, Category::CONFLICT, Retry::No),
            (418, Category::VALIDATION, Retry::No),
            (425, Category::SERVICE, Retry::Yes),
            (429, Category::RATE_LIMIT, Retry::Yes),
            (500, Category::SERVICE, Retry::Yes),
            (501, Category::SERVICE, Retry::No),
            (503, Category::SERVICE, Retry::Yes),
            (599, Category::SERVICE, Retry::Unsure),
        ] {
            let found = found(status, &[]);
            assert_eq!(
                (found.category(), found.retry()),
                (category, retry),
                "{status}"
            );
        }
    }

    #[test]
    fn a_busy_server_that_names_a_time_has_not_begun() {
        assert_eq!(found(503, &[]).effect(), Effect::Possible);
        assert_eq!(found(503, &[("retry-after", "3")]).effect(), Effect::None);
        assert_eq!(
            found(500, &[("retry-after", "3")]).effect(),
            Effect::Possible
        );
    }
}
