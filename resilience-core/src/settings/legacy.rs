//! A file with other names, of which each is one of ours: `service_specific` is `services`, a number of
//! seconds is a duration, and two numbers make a rate limit.

use std::time::Duration;

use crate::problem::Problem;
use crate::settings::key::{Key, Kind, Value};
use crate::settings::nearest::nearest;
use crate::settings::node::{Member, Node};
use crate::settings::origin::Level;
use crate::settings::read::{Path, Reader};
use crate::settings::target::Target;

/// What stands beside the tables of settings.
pub(super) const SECTIONS: &[&str] = &[
    "service_specific",
    "default_timeout_secs",
    "default_max_retries",
    "max_retries",
    "circuit_breaker_threshold",
];

/// The keys of `[service_specific.NAME]`.
const KEYS: &[&str] = &[
    "timeout_secs",
    "max_retries",
    "failure_threshold",
    "wait_duration_secs",
    "rate_limit_requests",
    "rate_limit_window_secs",
];

impl Reader<'_> {
    /// One of [`SECTIONS`]; whether it is.
    pub(super) fn legacy_section(&mut self, path: Path<'_>, member: &Member) -> bool {
        let all = Target::DEFAULTS;
        match &*member.name {
            "service_specific" => self.legacy_services(path, &member.node),
            "default_timeout_secs" => self.seconds(all, Key::Deadline, member, path),
            "max_retries" | "default_max_retries" => self.legacy(all, Key::Retries, member, path),
            "circuit_breaker_threshold" => self.legacy(all, Key::FailureThreshold, member, path),
            _ => return false,
        }
        true
    }

    /// `[service_specific.NAME]`, with the names of its own.
    fn legacy_services(&mut self, path: Path<'_>, node: &Node) {
        let Some(members) = self.table(path, node) else {
            return;
        };
        for service in members {
            let path = path.then(&service.name);
            let Some(name) = self.name(Level::Services, path, service) else {
                continue;
            };
            let target = Target {
                level: Level::Services,
                name: Some(&name),
            };
            self.layer(target);
            let Some(members) = self.table(path, &service.node) else {
                continue;
            };
            let mut rate = (None, None);
            for member in members {
                let path = path.then(&member.name);
                match &*member.name {
                    "timeout_secs" => self.seconds(target, Key::Deadline, member, path),
                    "max_retries" => self.legacy(target, Key::Retries, member, path),
                    "failure_threshold" => self.legacy(target, Key::FailureThreshold, member, path),
                    "wait_duration_secs" => self.seconds(target, Key::WaitDuration, member, path),
                    "rate_limit_requests" => rate.0 = Some(member),
                    "rate_limit_window_secs" => rate.1 = Some(member),
                    name => self.other(target, name, path, member),
                }
            }
            self.legacy_rate(target, rate, path);
        }
    }

    fn legacy(&mut self, target: Target<'_>, key: Key, member: &Member, path: Path<'_>) {
        if let Some(value) = self.value(key.kind(), member, path) {
            self.set(target, key, value, member, path);
        }
    }

    fn seconds(&mut self, target: Target<'_>, key: Key, member: &Member, path: Path<'_>) {
        let seconds = member.node.raw.number().filter(|seconds| *seconds > 0.0);
        let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        match duration.filter(|duration| !duration.is_zero()) {
            Some(duration) => {
                let value = match key.kind() {
                    Kind::Wait => Value::Wait(duration, duration),
                    _ => Value::Duration(duration),
                };
                self.set(target, key, value, member, path);
            }
            None => self.wrong(path, &member.node, "a number of seconds above zero"),
        }
    }

    /// Two keys that make one; each has a default beside the other.
    fn legacy_rate(
        &mut self,
        target: Target<'_>,
        (requests, window): (Option<&Member>, Option<&Member>),
        path: Path<'_>,
    ) {
        let Some(first) = requests.or(window) else {
            return;
        };
        let mut read = |member: Option<&Member>, otherwise: u32| match member {
            None => Some(otherwise),
            Some(member) => {
                let path = path.then(&member.name);
                match self.value(Kind::Count(1, u32::MAX), member, path)? {
                    Value::Count(count) => Some(count),
                    _ => None,
                }
            }
        };
        let (requests, window) = (read(requests, 100), read(window, 60));
        if let (Some(requests), Some(window)) = (requests, window) {
            let window = Duration::from_secs(window.into());
            let path = path.then(&first.name);
            self.set(target, Key::RateLimit, Value::On, first, path);
            self.set(
                target,
                Key::Limit,
                Value::Rate(requests, window),
                first,
                path,
            );
        }
    }

    /// A name that is none of [`KEYS`]: one of ours is as good.
    fn other(&mut self, target: Target<'_>, name: &str, path: Path<'_>, member: &Member) {
        match nearest(name, KEYS) {
            Some(nearest) if Key::of_path(name).is_none() => {
                let problem = Problem::with("unknown key".into()).nearest(Some(nearest));
                self.tell(path, &member.at, problem);
            }
            _ => self.setting(target, "", path, member),
        }
    }
}
