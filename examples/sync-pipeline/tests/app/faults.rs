//! Everything that goes wrong with Weaviate and on the way to it. However a run ends, every record
//! is in the index once or listed as failed, and the server was not asked too often.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::fake::proxy::{Proxy, Trouble};
use crate::fake::weaviate::{FakeWeaviate, error};
use crate::fake::{Kind, Lasts};
use crate::place::{Place, Ran, Working, dead_port, path, records, run};

const RECORDS: usize = 20;
const INVALID: (&str, &str) = ("doc-0013", "invalid text property 'content'");
const UPSTREAM: &str = "update vector: connection to OpenAI failed with status: 503 error";

/// A folder, a server, and a run of twenty records.
struct Case {
    place: Place,
    weaviate: FakeWeaviate,
}

impl Case {
    fn new() -> Self {
        Self {
            place: Place::new(),
            weaviate: FakeWeaviate::start(),
        }
    }

    fn fails(on: &'static str, kind: Kind, lasts: Lasts) -> Self {
        let case = Self::new();
        case.weaviate.faults.add(on, kind, lasts);
        case
    }

    fn command(&self, more: &[&str]) -> Command {
        let url = self.weaviate.url();
        let mut command = self.place.command(&["sync", "--stdin", "--weaviate", &url]);
        command.args(more);
        command
    }

    fn run(&self, more: &[&str]) -> Ran {
        self.within_budget(self.command(more))
    }

    /// Runs it, and sees that the server was not asked too often: each service may add a fifth to
    /// its calls, or ten retries a second.
    fn within_budget(&self, command: Command) -> Ran {
        let started = Instant::now();
        let ran = run(command, records(0..RECORDS).as_bytes());
        let seconds = usize::try_from(started.elapsed().as_secs()).expect("a number") + 1;
        // A look-up and a write of each record; the collection is looked up and made.
        let first = 2 * RECORDS + 2;
        let services = 3;
        let most = first + first / 5 + services * 10 * seconds;
        let requests = self.requests("");
        assert!(requests <= most, "{requests} requests, at most {most}");
        ran
    }

    /// Runs through a proxy with short time limits.
    fn run_through(&self, proxy: &Proxy) -> Ran {
        let mut command = self
            .place
            .command(&["sync", "--stdin", "--weaviate", &proxy.url()]);
        command
            .env("SYNC_PIPELINE_SHORT_TIMEOUT", "0.3")
            .env("SYNC_PIPELINE_MEDIUM_TIMEOUT", "0.3");
        self.within_budget(command)
    }

    fn proxy(&self, trouble: Trouble, connections: usize) -> Proxy {
        let proxy = Proxy::start(self.weaviate.server().address());
        proxy.trouble(trouble, connections);
        proxy
    }

    /// Every record is in the index or listed as failed, and none is both. Gives the number of
    /// failed ones by category and severity.
    fn accounts(&self) -> BTreeMap<String, usize> {
        let indexed = self.weaviate.paths();
        let failed = self.place.json(&["failed", "--limit", "1000"]);
        let mut all: Vec<String> = indexed;
        let mut kinds = BTreeMap::new();
        for line in &failed {
            all.push(line["path"].as_str().expect("a path").to_owned());
            let kind = |name: &str| line[name].as_str().expect("text").to_owned();
            let kind = format!("{}:{}", kind("category"), kind("severity"));
            *kinds.entry(kind).or_default() += 1;
        }
        all.sort();
        assert_eq!(all, (0..RECORDS).map(path).collect::<Vec<_>>());
        kinds
    }

    fn all_indexed(&self, ran: &Ran) {
        assert_eq!(ran.status, Some(0), "{ran:#?}");
        assert_eq!(self.accounts(), BTreeMap::new());
    }

    fn all_failed(&self, ran: &Ran, kind: &str) {
        assert_eq!(ran.status, Some(1), "{ran:#?}");
        assert_eq!(
            self.accounts(),
            BTreeMap::from([(kind.to_owned(), RECORDS)])
        );
    }

    fn requests(&self, on: &str) -> usize {
        self.weaviate.asked(on).len()
    }
}

#[test]
fn a_connection_that_is_reset_half_way_is_made_again() {
    let case = Case::new();
    let proxy = case.proxy(Trouble::ResetHalfWay, 3);
    let ran = case.run_through(&proxy);
    case.all_indexed(&ran);
    assert!(proxy.seen() > 3);
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    let case = Case::new();
    let proxy = case.proxy(Trouble::Truncate(20), 3);
    case.all_indexed(&case.run_through(&proxy));
}

#[test]
fn a_slow_network_is_waited_for() {
    let case = Case::new();
    let proxy = case.proxy(Trouble::Delay(Duration::from_millis(60)), usize::MAX);
    let ran = case.run_through(&proxy);
    case.all_indexed(&ran);
    assert!(ran.says(", 0 of them retries"), "{ran:#?}");
}

#[test]
fn a_server_that_hangs_is_given_up_after_the_limit_and_asked_again() {
    let case = Case::new();
    let proxy = case.proxy(Trouble::Hang, 3);
    case.all_indexed(&case.run_through(&proxy));
}

#[test]
fn a_server_that_hangs_for_good_fails_records_by_timeout() {
    let case = Case::new();
    let proxy = case.proxy(Trouble::Hang, usize::MAX);
    let ran = case.run_through(&proxy);
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    let kinds = case.accounts();
    assert!(
        kinds
            .keys()
            .all(|kind| kind.starts_with("timeout:") || kind == "service:high"),
        "{kinds:?}"
    );
    assert!(proxy.seen() <= RECORDS * 3);
}

#[test]
fn retry_after_is_waited_for() {
    let wait = Kind::Status(429, Some("1"), String::new());
    let case = Case::fails("POST /v1/batch", wait, Lasts::Times(1));
    let started = Instant::now();
    case.all_indexed(&case.run(&[]));
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert!(case.requests("POST /v1/batch") <= 6);
}

#[test]
fn a_wait_that_is_too_long_is_not_begun() {
    let wait = Kind::Status(429, Some("3600"), String::new());
    let case = Case::fails("POST /v1/batch", wait, Lasts::Forever);
    let started = Instant::now();
    let ran = case.run(&[]);
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    assert!(case.accounts().contains_key("rate_limit:medium"));
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(case.requests("POST /v1/batch") <= RECORDS);
}

#[test]
fn a_short_outage_is_sat_out() {
    for code in [500, 502, 503, 504] {
        let down = Kind::Status(code, None, "<html>Bad Gateway</html>".to_owned());
        let case = Case::fails("POST /v1/batch", down, Lasts::Times(2));
        case.all_indexed(&case.run(&[]));
        assert!(case.requests("POST /v1/batch") <= 8);
    }
}

#[test]
fn three_seconds_without_a_leader_are_sat_out() {
    // In as many batches as there can be, too: they all see the same failures.
    let cases = [
        (422, "POST /v1/schema", "100"),
        (500, "POST /v1/batch", "100"),
        (500, "POST /v1/batch", "1"),
    ];
    std::thread::scope(|threads| {
        for (code, on, batch_size) in cases {
            threads.spawn(move || {
                let until = Lasts::Until(Instant::now() + Duration::from_secs(3));
                let elects = Kind::Status(code, None, error("leader not found"));
                let case = Case::fails(on, elects, until);
                case.all_indexed(&case.run(&["--batch-size", batch_size]));
                // Five attempts of eight batches, and one of each other.
                let requests = case.requests(on);
                assert!((2..=52).contains(&requests), "{requests} requests");
            });
        }
    });
}

#[test]
fn a_read_only_shard_opens_the_breaker_without_one_retry() {
    let failed = &[(
        "doc",
        "store is read-only due to: disk usage too high. Set to read-only at 90.0%",
    )];
    let case = Case::fails(
        "POST /v1/batch",
        Kind::FailedObjects(failed),
        Lasts::Forever,
    );
    let one_by_one = ["--batch-size", "1", "--workers", "1"];
    let ran = run(case.command(&one_by_one), records(0..60).as_bytes());
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    ran.line("      40  weaviate:high");
    ran.line("      20  service:high");
    assert_eq!(case.requests("POST /v1/batch"), 40);
    assert!(case.weaviate.paths().is_empty());
    assert_eq!(case.place.json(&["failed", "--limit", "99"]).len(), 60);
    assert!(ran.says(", 0 of them retries"), "{ran:#?}");
    ran.line("  weaviate: open (40 failures)");
    ran.line("  60 kept until the index answers again: then `sync-pipeline retry`");
}

#[test]
fn failed_objects_of_a_batch_are_retried_or_recorded_one_by_one() {
    let case = Case::new();
    let add = |failed, lasts| {
        let kind = Kind::FailedObjects(failed);
        case.weaviate.faults.add("POST /v1/batch", kind, lasts);
    };
    add(&[INVALID, ("doc-000", UPSTREAM)], Lasts::Times(1));
    add(&[INVALID], Lasts::Forever);
    let ran = case.run(&[]);
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    assert_eq!(
        case.accounts(),
        BTreeMap::from([("validation:low".to_owned(), 1)])
    );
    assert!(
        ran.line("line 14: ")
            .contains("did not take the object: invalid text")
    );
    // Whatever was taken was sent once: only the others came again.
    let sent = |path: &str| {
        let batches = case.weaviate.asked("POST /v1/batch");
        let objects = batches
            .iter()
            .filter_map(|batch| batch.body["objects"].as_array());
        objects
            .flatten()
            .filter(|object| object["properties"]["file_path"] == path)
            .count()
    };
    assert_eq!((sent("doc-0013.txt"), sent("doc-0015.txt")), (1, 1));
}

#[test]
fn a_used_up_limit_and_refused_credentials_are_final() {
    let used_up =
        r#"{"errorCode":"USAGE_LIMIT_EXCEEDED","limit":10,"value":11,"message":"objects"}"#;
    let cases = [
        (429, used_up, "rate_limit:high"),
        (401, "", "auth:medium"),
        (403, "", "auth:medium"),
        (
            400,
            r#"{"code":400,"message":"parsing body body from failed"}"#,
            "validation:low",
        ),
    ];
    for (code, body, kind) in cases {
        let refused = Kind::Status(code, None, body.to_owned());
        let case = Case::fails("POST /v1/batch", refused, Lasts::Forever);
        let ran = case.run(&[]);
        case.all_failed(&ran, kind);
        assert!(ran.says(", 0 of them retries"), "{ran:#?}");
        assert!(case.requests("POST /v1/batch") <= RECORDS, "{code}");
        assert!(!ran.says("Breakers that are not closed"), "{ran:#?}");
    }
}

#[test]
fn what_is_too_large_together_goes_in_parts() {
    let case = Case::fails("POST /v1/batch", Kind::TooLargeAbove(3), Lasts::Forever);
    case.all_indexed(&case.run(&[]));
    let alone = Case::fails("POST /v1/batch", Kind::TooLargeAbove(0), Lasts::Forever);
    alone.all_failed(&alone.run(&[]), "validation:low");
    assert!(alone.requests("POST /v1/batch") <= 2 * RECORDS);
}

#[test]
fn an_absent_server_fails_records_and_a_later_retry_indexes_them() {
    let place = Place::new();
    let port = dead_port();
    let url = format!("http://127.0.0.1:{port}");
    let args = ["sync", "--stdin", "--weaviate", &url];
    let ran = place.run(&args, records(0..RECORDS));
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    ran.line("  vector_index: open (5 failures)");
    ran.line("  20 kept until the index answers again: then `sync-pipeline retry`");
    assert!(ran.says("Connection refused"), "{ran:#?}");

    let case = Case {
        place,
        weaviate: FakeWeaviate::start_at(port),
    };
    let kinds = case.accounts();
    let expected = ["network:low", "network:medium", "service:high"];
    assert!(
        kinds.keys().all(|kind| expected.contains(&kind.as_str())),
        "{kinds:?}"
    );
    let ran = case.place.run(&["retry", "--weaviate", &url], "");
    ran.line("  20 records: 20 indexed");
    case.all_indexed(&ran);
}

#[test]
fn a_settings_file_changes_the_numbers() {
    let down = Kind::Status(503, None, String::new());
    let case = Case::fails("", down, Lasts::Forever);
    case.place.write(
        "settings.toml",
        "[services.vector_index]\nretries = 0\n
         [services.vector_index.breaker]\nfailure_threshold = 3\ndistinct_calls = 1\n
         [sites.sync_document]\nbackoff = { initial = \"10ms\" }\n",
    );
    let ran = case.run(&["--settings", "settings.toml", "--workers", "1"]);
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    ran.line("  vector_index: open (3 failures)");
    // The look-up retries no more, so the step around it does: three attempts of one record.
    let kinds = case.accounts();
    assert_eq!(
        (kinds["weaviate:medium"], kinds["service:high"]),
        (1, RECORDS - 1)
    );
    assert_eq!(case.requests(""), 3);
}

#[test]
fn the_breaker_opens_and_the_same_run_recovers() {
    let down = Kind::Status(503, None, String::new());
    let case = Case::fails("", down, Lasts::Forever);
    case.place.write(
        "settings.toml",
        "[services.vector_index]\nbackoff = { initial = \"10ms\" }\n
         [services.vector_index.breaker]\nwait_duration = \"300ms\"\n",
    );
    let command = case.command(&["--settings", "settings.toml", "--workers", "2", "--verbose"]);
    let mut working = Working::start(command);
    working.feed(records(0..10));
    working.hear(": failed ", 10);
    let asked = case.requests("");
    assert!((5..=20).contains(&asked), "{asked} requests");
    case.weaviate.faults.clear();
    std::thread::sleep(Duration::from_millis(310));
    // The probe is one record alone: others that came beside it would be refused.
    working.feed(records(10..11));
    working.hear(": indexed ", 1);
    working.feed(records(11..RECORDS));
    let ran = working.end();
    assert_eq!(ran.status, Some(1), "{ran:#?}");
    ran.line("  20 records: 10 indexed");
    assert!(!ran.says("Breakers that are not closed"), "{ran:#?}");
    let ran = case
        .place
        .run(&["retry", "--weaviate", &case.weaviate.url()], "");
    case.all_indexed(&ran);
}
