//! What holds for every text.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use resilience_core::classify::{self, Rules};
use resilience_core::{Category, Classification, Effect, Fault, Retry};

#[test]
fn the_reason_names_the_rule_that_decided() {
    for (text, reason) in [
        ("SQLSTATE 40001", "SQLSTATE 40001 (serialization failure)"),
        ("open x (os error 24)", "errno emfile"),
        ("HTTP/1.1 503", "HTTP 503 (service unavailable)"),
        (
            "connect: Connection refused",
            "connection refused: `connection refused`",
        ),
        ("PoolTimedOut", "timed out: `timed out`"),
        ("gibberish", ""),
    ] {
        assert_eq!(classify::text(text).reason(), reason, "{text}");
    }
}

#[test]
fn a_number_is_a_status_only_where_statuses_stand() {
    for text in [
        "HTTP 503",
        "HTTP/1.1 503",
        "HTTP/2 503",
        "status: 503",
        "status=503",
        "status code 503",
        "StatusCode: 503",
        "503 Service Unavailable",
        "503",
        "Error 503",
        "got 503",
        "(503) error",
        "the API failed (503)",
        "503 - try elsewhere",
        "503 {\"a\": 1}",
        "code=503, msg=x",
        "server responded with 503",
        "unexpected status code 503 from upstream",
        "status was 503",
    ] {
        assert_eq!(classify::text(text).category(), Category::SERVICE, "{text}");
    }
    for text in [
        "503 lines",
        "line 503",
        "job 503 ended",
        "page 503 of 900",
        "got 503 rows",
        "exit code 503",
        "at main.rs:503:12",
        "took 503 ms",
        "10.0.50.503",
        "v5.503",
        "503rd",
        "port 503",
        "id=503",
        "offset 503 in block 404",
    ] {
        assert_eq!(classify::text(text).category(), Category::UNKNOWN, "{text}");
    }
}

#[test]
fn a_number_is_a_vendors_code_only_beside_its_name() {
    for (text, category, retry) in [
        ("cURL error 28: x", Category::TIMEOUT, Retry::Yes),
        (
            "curl failed: exited with code 6",
            Category::NETWORK,
            Retry::Yes,
        ),
        ("NSURLErrorDomain Code=-1004", Category::NETWORK, Retry::Yes),
        ("NSPOSIXErrorDomain Code=54", Category::NETWORK, Retry::Yes),
        (
            "451 Aborted, SMTP server is full",
            Category::SERVICE,
            Retry::Yes,
        ),
        ("HTTP 451", Category::AUTH, Retry::No),
        ("mysql error code: 2002", Category::NETWORK, Retry::Yes),
        (
            "TransportError(400, u'x', u'failed to parse')",
            Category::VALIDATION,
            Retry::No,
        ),
    ] {
        let found = classify::text(text);
        assert_eq!(
            (found.category(), found.retry()),
            (category, retry),
            "{text}"
        );
    }
    for text in ["exited with code 6", "{\"code\":2002}", "code: -1004"] {
        assert_eq!(classify::text(text).category(), Category::UNKNOWN, "{text}");
    }
}

#[test]
fn an_operating_system_is_understood_in_other_languages() {
    for (text, category) in [
        ("connect: Connexion refusée", Category::NETWORK),
        ("open x: Keine Berechtigung", Category::FILESYSTEM),
        ("系统找不到指定的文件。", Category::FILESYSTEM),
        ("bind: В соединении отказано", Category::NETWORK),
    ] {
        assert_eq!(classify::text(text).category(), category, "{text}");
    }
}

#[test]
fn a_mail_servers_reply_says_by_its_digits_whether_to_come_back() {
    for (text, category, retry) in [
        ("450 4.2.0 x", Category::SERVICE, Retry::Yes),
        ("450 4.7.1 Greylisted", Category::RATE_LIMIT, Retry::Yes),
        ("(421, b'4.3.2 x')", Category::SERVICE, Retry::Yes),
        ("dsn=4.4.1, status=deferred", Category::SERVICE, Retry::Yes),
        ("550 5.1.1 x", Category::NOT_FOUND, Retry::No),
        ("552-5.2.2 x", Category::RATE_LIMIT, Retry::No),
        ("554 5.7.1 Service unavailable", Category::AUTH, Retry::No),
        ("SMTP error 421", Category::SERVICE, Retry::Yes),
        (
            "550 Requested action not taken",
            Category::NOT_FOUND,
            Retry::No,
        ),
    ] {
        let found = classify::text(text);
        assert_eq!(
            (found.category(), found.retry()),
            (category, retry),
            "{text}"
        );
    }
    for text in ["version 4.2.1", "450 guests", "550 2.1.1", "4.2.1 is out"] {
        assert_eq!(classify::text(text).category(), Category::UNKNOWN, "{text}");
    }
}

#[test]
fn the_answers_of_one_decision_belong_together() {
    let quota = classify::text("429 Too Many Requests: insufficient_quota, retry after 30 s");
    assert_eq!(
        (quota.category(), quota.retry()),
        (Category::RATE_LIMIT, Retry::No)
    );
    assert_eq!(quota.retry_after(), None, "there is nothing to wait for");

    let throttled = classify::text("429 Too Many Requests");
    assert_eq!(
        (throttled.retry(), throttled.effect()),
        (Retry::Yes, Effect::None)
    );

    let auth = classify::text("401 Unauthorized");
    assert_eq!((auth.retry(), auth.fault()), (Retry::No, Fault::Caller));

    let told = classify::text("503 Service Unavailable (not retryable)");
    assert_eq!(
        (told.category(), told.retry()),
        (Category::SERVICE, Retry::No)
    );
}

#[test]
fn own_rules_come_first_and_in_order() {
    let rules = Rules::builtin()
        .with("Ledger closed", Classification::new(Category::CONFLICT))
        .with(
            "closed",
            Classification::new(Category::CANCELLED).with_reason("mine"),
        )
        .with("  !", Classification::new(Category::MEMORY));
    assert_eq!(
        rules.text("ledger_closed: connection refused").category(),
        Category::CONFLICT
    );
    assert_eq!(rules.text("connection closed!").reason(), "mine");
    assert_eq!(rules.text("disclosed").category(), Category::UNKNOWN);
    assert_eq!(
        rules.display(&"LedgerClosed").reason(),
        "own rule: `Ledger closed`"
    );

    let error = anyhow::anyhow!("ledger closed").context("booking");
    assert_eq!(rules.error(error.as_ref()).category(), Category::CONFLICT);
    let error = std::io::Error::from(std::io::ErrorKind::TimedOut);
    assert_eq!(rules.error(&error).category(), Category::TIMEOUT);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn a_huge_text_costs_its_two_ends() {
    let mut huge = "x y ".repeat(2_500_000);
    huge.push_str("connection refused");
    let start = Instant::now();
    for _ in 0..10 {
        assert_eq!(classify::text(&huge).category(), Category::NETWORK);
    }
    // Ten times ten megabytes: only a bounded part can have been read.
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(classify::display(&huge), classify::text(&huge));
}

proptest! {
    #[test]
    fn any_text_has_an_answer(text in "\\PC*") {
        let found = classify::text(&text);
        prop_assert_eq!(classify::display(&text), found);
    }

    #[test]
    fn any_mix_of_signs_has_an_answer(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "os error ", "(", ")", "429", "-3", ":", "//", "\\n", "\\", "'", "\u{2019}", "\u{1b}[", "c:\\",
                "SQLSTATE", "[", "40P01", "/", "a", "Z", "é", "\u{20ac}", " ", "\n", "retry after", "1m", "5.", ".", "-",
                "HTTP", "timeout", "NotFound", "=", "99999999999999999999", "\u{0}",
            ]),
            0..60,
        )
    ) {
        let text = parts.concat();
        prop_assert_eq!(classify::display(&text), classify::text(&text));
    }

    #[test]
    fn a_cause_is_found_after_a_beginning_of_any_length(length in 0_usize..20_000) {
        let text = format!("{} (os error 111)", "é ".repeat(length));
        prop_assert_eq!(classify::text(&text).category(), Category::NETWORK);
    }
}

#[test]
fn the_text_for_people_is_one_of_few_and_leaks_nothing() {
    let mut texts = std::collections::HashSet::new();
    for row in include_str!("data/errors-dev.jsonl").lines() {
        let row: serde_json::Value = serde_json::from_str(row).expect("every line is JSON");
        let message = row["text"].as_str().expect("a text");
        let error: Box<dyn std::error::Error + Send + Sync> = message.into();
        texts.insert(classify::user_message(error.as_ref()));
    }
    assert!((10..=15).contains(&texts.len()), "{texts:?}");
    for text in texts {
        // Names, addresses, numbers, quotes: whatever is in the messages is not in the texts.
        let plain = |c: char| c.is_ascii_alphabetic() || " .,'-".contains(c);
        assert!(text.chars().all(plain) && text.ends_with('.'), "{text}");
    }
}
