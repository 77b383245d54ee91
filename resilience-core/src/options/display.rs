//! Options in the form in which they are written.

use std::fmt;
use std::time::Duration;

use crate::Category;
use crate::options::{BackoffOptions, Jitter, Nested, Options, Switch, Window};

/// The options in the form in which they are written.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = List::new(f);
        list.name("category", self.category.map(Category::as_str))?;
        list.name("service", self.service)?;
        list.name("operation", self.operation)?;
        list.plain("enabled", self.enabled)?;
        list.plain("retries", self.retries)?;
        let backoff = self.backoff;
        list.group("backoff", backoff != BackoffOptions::new(), |inner| {
            inner.duration("initial", backoff.initial)?;
            inner.duration("max", backoff.max)?;
            inner.plain("factor", backoff.factor)?;
            inner.name("jitter", backoff.jitter.map(Jitter::as_str))
        })?;
        list.switch("timeout", self.timeout)?;
        list.switch("deadline", self.deadline)?;
        list.part("breaker", self.breaker, |breaker, inner| {
            inner.plain("failure_threshold", breaker.failure_threshold)?;
            inner.plain("distinct_calls", breaker.distinct_calls)?;
            inner.plain("failure_rate_threshold", breaker.failure_rate_threshold)?;
            inner.duration("slow_call_duration", breaker.slow_call_duration)?;
            inner.plain("slow_call_rate_threshold", breaker.slow_call_rate_threshold)?;
            match breaker.window {
                Some(Window::Time(span)) => inner.duration("window", Some(span))?,
                Some(Window::Count(calls)) => inner.plain("window", Some(calls))?,
                None => {}
            }
            inner.plain("minimum_calls", breaker.minimum_calls)?;
            inner.plain("success_threshold", breaker.success_threshold)?;
            inner.wait(breaker.wait_duration, breaker.wait_duration_max)?;
            inner.categories("ignore", breaker.ignore)?;
            inner.categories("record", breaker.record)
        })?;
        list.part("rate_limit", self.rate_limit, |limit, inner| {
            inner.name("limit", limit.written_limit().as_deref())?;
            inner.plain("burst", limit.burst)?;
            inner.duration("max_wait", limit.max_wait)?;
            inner.plain("exact", limit.exact)
        })?;
        list.part("bulkhead", self.bulkhead, |bulkhead, inner| {
            inner.plain("concurrency", bulkhead.concurrency)?;
            inner.plain("queue", bulkhead.queue)
        })?;
        list.part("budget", self.budget, |budget, inner| {
            inner.plain("ratio", budget.ratio)?;
            inner.plain("min_per_second", budget.min_per_second)
        })?;
        list.name("nested", self.nested.map(Nested::as_str))?;
        list.plain("idempotent", self.idempotent)?;
        list.group("resource", !self.resources.is_empty(), |inner| {
            self.resources
                .iter()
                .try_for_each(|name| inner.plain(name, Some("..")))
        })
    }
}

/// Writes `name = value` pairs with commas between them.
struct List<'a, 'b> {
    out: &'a mut fmt::Formatter<'b>,
    empty: bool,
}

impl<'a, 'b> List<'a, 'b> {
    fn new(out: &'a mut fmt::Formatter<'b>) -> Self {
        Self { out, empty: true }
    }

    fn start(&mut self, name: &str) -> fmt::Result {
        if !self.empty {
            self.out.write_str(", ")?;
        }
        self.empty = false;
        self.out.write_str(name)
    }

    fn pair(&mut self, name: &str, value: fmt::Arguments<'_>) -> fmt::Result {
        self.start(name)?;
        write!(self.out, " = {value}")
    }

    fn plain(&mut self, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        self.pair(name, format_args!("{value}"))
    }

    fn name(&mut self, name: &str, value: Option<&str>) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        self.pair(name, format_args!("{value:?}"))
    }

    fn duration(&mut self, name: &str, value: Option<Duration>) -> fmt::Result {
        let Some(value) = value else { return Ok(()) };
        self.pair(name, format_args!("\"{value:?}\""))
    }

    fn wait(&mut self, wait: Option<Duration>, max: Option<Duration>) -> fmt::Result {
        let Some(max) = max else {
            return self.duration("wait_duration", wait);
        };
        let wait = wait.unwrap_or(max);
        self.pair("wait_duration", format_args!("\"{wait:?}..{max:?}\""))
    }

    fn categories(&mut self, name: &str, categories: Option<&[Category]>) -> fmt::Result {
        self.group(name, categories.is_some(), |inner| {
            let mut categories = categories.into_iter().flatten();
            categories.try_for_each(|category| inner.start(&format!("{:?}", category.as_str())))
        })
    }

    fn switch(&mut self, name: &str, value: Option<Switch<Duration>>) -> fmt::Result {
        match value {
            None => Ok(()),
            Some(Switch::Off) => self.plain(name, Some("off")),
            Some(Switch::On(value)) => self.duration(name, Some(value)),
        }
    }

    fn part<T>(
        &mut self,
        name: &str,
        value: Option<Switch<T>>,
        content: impl FnOnce(T, &mut List<'_, 'b>) -> fmt::Result,
    ) -> fmt::Result {
        match value {
            None => Ok(()),
            Some(Switch::Off) => self.plain(name, Some("off")),
            Some(Switch::On(value)) => self.group(name, true, |inner| content(value, inner)),
        }
    }

    fn group(
        &mut self,
        name: &str,
        present: bool,
        content: impl FnOnce(&mut List<'_, 'b>) -> fmt::Result,
    ) -> fmt::Result {
        if !present {
            return Ok(());
        }
        self.start(name)?;
        self.out.write_str("(")?;
        content(&mut List::new(self.out))?;
        self.out.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{BreakerOptions, BudgetOptions, BulkheadOptions, RateLimitOptions};

    #[test]
    fn options_read_as_they_are_written() {
        let options = Options::resilient()
            .category(Category::WEAVIATE)
            .retries(5)
            .backoff(
                BackoffOptions::new()
                    .initial(Duration::from_millis(50))
                    .factor(3.0),
            )
            .timeout(Duration::from_secs(10))
            .breaker(BreakerOptions::new().failure_threshold(3));
        assert_eq!(
            options.to_string(),
            "category = \"weaviate\", retries = 5, backoff(initial = \"50ms\", factor = 3), \
             timeout = \"10s\", breaker(failure_threshold = 3)"
        );
        assert_eq!(
            Options::fail_fast()
                .enabled(false)
                .breaker_off()
                .to_string(),
            "enabled = false, breaker = off"
        );
    }

    #[test]
    fn the_names_of_resources_are_told() {
        let options = Options::fail_fast().resources(&["llm_tokens", "rows"]);
        assert_eq!(options.to_string(), "resource(llm_tokens = .., rows = ..)");
    }

    #[test]
    fn a_breaker_reads_as_it_is_written() {
        let rates = BreakerOptions::new()
            .failure_rate_threshold(0.5)
            .slow_call_duration(Duration::from_secs(2))
            .slow_call_rate_threshold(1.0)
            .window(Window::Time(Duration::from_secs(60)))
            .minimum_calls(10)
            .wait_duration(Duration::from_secs(30))
            .wait_duration_max(Duration::from_secs(300));
        assert_eq!(
            Options::resilient().breaker(rates).to_string(),
            "breaker(failure_rate_threshold = 0.5, slow_call_duration = \"2s\", \
             slow_call_rate_threshold = 1, window = \"60s\", minimum_calls = 10, \
             wait_duration = \"30s..300s\")"
        );
        const BILLING: Category = Category::custom("billing");
        let lists = BreakerOptions::new()
            .ignore(&[Category::TIMEOUT, BILLING])
            .record(&[Category::AUTH]);
        assert_eq!(
            Options::resilient().breaker(lists).to_string(),
            "breaker(ignore(\"timeout\", \"billing\"), record(\"auth\"))"
        );
        let counted = rates.window(Window::Count(50));
        assert!(
            Options::resilient()
                .breaker(counted)
                .to_string()
                .contains("window = 50, ")
        );
    }

    #[test]
    fn limits_read_as_they_are_written() {
        let options = Options::resilient()
            .rate_limit(
                RateLimitOptions::new()
                    .limit(100, Duration::from_secs(60))
                    .burst(10)
                    .max_wait(Duration::from_millis(1500))
                    .exact(true),
            )
            .bulkhead(BulkheadOptions::new().concurrency(8).queue(0))
            .budget(BudgetOptions::new().ratio(0.1).min_per_second(5))
            .nested(Nested::Retry)
            .idempotent(false);
        assert_eq!(
            options.to_string(),
            "rate_limit(limit = \"100/60s\", burst = 10, max_wait = \"1.5s\", exact = true), \
             bulkhead(concurrency = 8, queue = 0), budget(ratio = 0.1, min_per_second = 5), \
             nested = \"retry\", idempotent = false"
        );
        let off = Options::resilient()
            .rate_limit_off()
            .bulkhead_off()
            .budget_off();
        assert_eq!(
            off.to_string(),
            "rate_limit = off, bulkhead = off, budget = off"
        );
    }
}
