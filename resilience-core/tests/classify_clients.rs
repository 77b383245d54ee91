//! Real errors of client crates, each behind the feature of its name. What is typed is right
//! whatever its message says, so the messages are nonsense where they can be.

#![cfg(any(
    feature = "hyper",
    feature = "object_store",
    feature = "redis",
    feature = "reqwest",
    feature = "rusqlite",
    feature = "serde_json",
    feature = "sqlx",
    feature = "tokio-postgres",
    feature = "toml",
    feature = "tonic",
))]

use std::error::Error;

use resilience_core::{Category, Classification, Classify, Retry, classify};

/// Names a wrong cause in every language that the rules for texts know.
const NONSENSE: &str = "404 Not Found: disk full, timed out, HTTP 429, connection refused";

/// What an error is, by itself and under anyhow's context, which must not matter.
fn found<E: Classify + Error + Send + Sync + 'static>(error: E) -> Classification {
    let plain = error.classify();
    assert_eq!(classify::error(&error), plain, "{error}");
    let context = anyhow::Error::from(error).context("indexing record 5");
    assert_eq!(classify::error(context.as_ref()), plain);
    plain
}

fn answers<E: Classify + Error + Send + Sync + 'static>(error: E) -> (Category, Retry) {
    let found = found(error);
    (found.category(), found.retry())
}

#[cfg(feature = "reqwest")]
mod with_reqwest {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::thread;
    use std::time::Duration;

    use resilience_core::{Category, Classification, Effect, Retry};

    /// A server that reads one request, answers with these bytes and closes after a while.
    fn server(answer: &'static [u8], open: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer);
            thread::sleep(open);
        });
        address
    }

    /// Of a client without certificates to trust.
    fn client() -> reqwest::Client {
        let builder = reqwest::Client::builder()
            .timeout(Duration::from_millis(300))
            .no_proxy();
        #[cfg(feature = "__tls")]
        let builder = {
            // Fails for all but the first test.
            let _ = rustls::crypto::ring::default_provider().install_default();
            builder.tls_certs_only([])
        };
        builder.build().expect("a client")
    }

    async fn get(url: &str) -> reqwest::Error {
        let client = client();
        let answer = client
            .get(url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        match answer {
            Ok(response) => response.text().await.expect_err("the body cannot be read"),
            Err(error) => error,
        }
    }

    async fn classified(url: &str) -> Classification {
        super::found(get(url).await)
    }

    #[tokio::test]
    async fn a_closed_port_is_found_inside() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let found = classified(&format!("http://{address}/")).await;
        assert_eq!(
            (found.category(), found.retry()),
            (Category::NETWORK, Retry::Yes),
            "{found:?}"
        );
        assert_eq!(found.effect(), Effect::None);
        assert_eq!(found.reason(), "io: connection refused");
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_is_network_without_effect() {
        let found = classified("http://no-such-host.invalid/").await;
        assert_eq!(
            (found.category(), found.retry()),
            (Category::NETWORK, Retry::Yes),
            "{found:?}"
        );
        assert_eq!(found.effect(), Effect::None);
    }

    #[tokio::test]
    async fn statuses_decide() {
        for (answer, category, retry) in [
            (
                &b"HTTP/1.1 429 Nonsense\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"[..],
                Category::RATE_LIMIT,
                Retry::Yes,
            ),
            (
                b"HTTP/1.1 404 Nonsense\r\ncontent-length: 0\r\n\r\n",
                Category::NOT_FOUND,
                Retry::No,
            ),
            (
                b"HTTP/1.1 503 Nonsense\r\ncontent-length: 0\r\n\r\n",
                Category::SERVICE,
                Retry::Yes,
            ),
        ] {
            let address = server(answer, Duration::ZERO);
            let found = classified(&format!("http://{address}/")).await;
            assert_eq!(
                (found.category(), found.retry()),
                (category, retry),
                "{found:?}"
            );
        }
    }

    /// An error of the client does not hold the headers, so a response is asked before it becomes one.
    #[cfg(feature = "http")]
    #[tokio::test]
    async fn a_429_says_when_to_come_back() {
        for (answer, wait) in [
            (
                &b"HTTP/1.1 429 Nonsense\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n"[..],
                Some(Duration::from_secs(7)),
            ),
            (
                b"HTTP/1.1 429 Nonsense\r\ndate: Wed, 21 Oct 2026 07:28:00 GMT\r\n\
                  retry-after: Wed, 21 Oct 2026 07:28:30 GMT\r\ncontent-length: 0\r\n\r\n",
                Some(Duration::from_secs(30)),
            ),
            (b"HTTP/1.1 429 Nonsense\r\ncontent-length: 0\r\n\r\n", None),
        ] {
            let address = server(answer, Duration::ZERO);
            let response = client().get(format!("http://{address}/")).send().await;
            let response = response.expect("an answer");
            let found =
                resilience_core::classify::http::response(response.status(), response.headers());
            assert_eq!(
                (found.category(), found.retry()),
                (Category::RATE_LIMIT, Retry::Yes),
                "{found:?}"
            );
            assert_eq!(found.retry_after(), wait);
        }
    }

    #[tokio::test]
    async fn a_server_that_closes_early_is_network() {
        let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
        for answer in [&b""[..], half] {
            let address = server(answer, Duration::ZERO);
            let found = classified(&format!("http://{address}/")).await;
            assert_eq!(
                (found.category(), found.retry()),
                (Category::NETWORK, Retry::Yes),
                "{found:?}"
            );
            assert_eq!(found.effect(), Effect::Possible);
            #[cfg(feature = "hyper")]
            assert!(
                ["hyper: the exchange broke off", "io: unexpected end"].contains(&found.reason()),
                "{found:?}"
            );
        }
    }

    #[cfg(feature = "__tls")]
    #[tokio::test]
    async fn a_handshake_against_plain_text_is_final() {
        let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        let address = server(answer, Duration::ZERO);
        let found = classified(&format!("https://{address}/")).await;
        assert_eq!(
            (found.category(), found.retry()),
            (Category::NETWORK, Retry::No),
            "{found:?}"
        );
        assert_eq!(found.effect(), Effect::None);
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_timeout() {
        for answer in [
            &b""[..],
            b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
        ] {
            let address = server(answer, Duration::from_secs(3));
            let found = classified(&format!("http://{address}/")).await;
            assert_eq!(
                (found.category(), found.retry()),
                (Category::TIMEOUT, Retry::Yes),
                "{found:?}"
            );
        }
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_validation() {
        let found = classified("no address").await;
        assert_eq!(
            (found.category(), found.retry()),
            (Category::VALIDATION, Retry::No),
            "{found:?}"
        );
    }
}

#[cfg(feature = "rusqlite")]
mod with_rusqlite {
    use resilience_core::{Category, Retry};
    use rusqlite::Connection;

    use super::{NONSENSE, answers};

    #[test]
    fn a_lock_passes_and_a_constraint_stays() {
        let path = std::env::temp_dir().join(format!("resilience-lock-{}.db", std::process::id()));
        let holder = Connection::open(&path).expect("a database");
        holder
            .execute_batch(
                "CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT NOT NULL); BEGIN EXCLUSIVE;",
            )
            .expect("a table");
        let other = Connection::open(&path).expect("the same database");
        other
            .busy_timeout(std::time::Duration::ZERO)
            .expect("no waiting");
        let locked = other
            .execute("INSERT INTO t VALUES (1, 'a')", [])
            .expect_err("it is locked");
        assert_eq!(answers(locked), (Category::CONFLICT, Retry::Yes));

        holder
            .execute_batch("INSERT INTO t VALUES (1, 'a'); COMMIT;")
            .expect("a row");
        let twice = other
            .execute("INSERT INTO t VALUES (1, 'a')", [])
            .expect_err("it is there");
        assert_eq!(answers(twice), (Category::CONFLICT, Retry::No));
        let null = other
            .execute("INSERT INTO t VALUES (2, NULL)", [])
            .expect_err("not null");
        assert_eq!(answers(null), (Category::VALIDATION, Retry::No));
        let syntax = other.execute("INSRT", []).expect_err("no SQL");
        assert_eq!(answers(syntax), (Category::VALIDATION, Retry::No));
        let none = other.query_row("SELECT id FROM t WHERE id = 7", [], |_| Ok(()));
        assert_eq!(
            answers(none.expect_err("no such row")),
            (Category::NOT_FOUND, Retry::No)
        );
        let missing = Connection::open_with_flags(
            "/no/such/dir/x.db",
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        );
        assert_eq!(
            answers(missing.expect_err("no such directory")),
            (Category::FILESYSTEM, Retry::No)
        );
        std::fs::remove_file(&path).expect("its own file");
    }

    #[test]
    fn the_code_counts_and_not_the_message() {
        for (code, expected) in [
            (5, (Category::CONFLICT, Retry::Yes)),
            (13, (Category::FILESYSTEM, Retry::No)),
            (7, (Category::MEMORY, Retry::No)),
            (9, (Category::CANCELLED, Retry::No)),
            (2067, (Category::CONFLICT, Retry::No)),
            (1299, (Category::VALIDATION, Retry::No)),
        ] {
            let failure = rusqlite::ffi::Error::new(code);
            let error = rusqlite::Error::SqliteFailure(failure, Some(NONSENSE.into()));
            assert_eq!(answers(error), expected, "{code}");
        }
    }
}

#[cfg(feature = "serde_json")]
mod with_serde_json {
    use resilience_core::{Category, Retry};

    use super::answers;

    struct Broken;

    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }

    #[test]
    fn a_wrong_document_is_final_and_a_broken_reader_is_not() {
        let wrong = serde_json::from_str::<u8>("\"x\"").expect_err("a string is no u8");
        assert_eq!(answers(wrong), (Category::VALIDATION, Retry::No));

        let broken = serde_json::from_reader::<_, u8>(Broken).expect_err("it cannot be read");
        assert_eq!(answers(broken), (Category::NETWORK, Retry::Yes));
    }
}

#[cfg(feature = "tokio-postgres")]
mod with_tokio_postgres {
    use resilience_core::{Category, Retry};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_postgres::{Config, Error, NoTls};

    use super::{NONSENSE, answers};

    /// What the client makes of a server that answers the greeting with these bytes and closes.
    async fn greeted_with(answer: &[u8]) -> Error {
        let (client, mut server) = tokio::io::duplex(4096);
        let connecting = async {
            Config::new()
                .user("u")
                .connect_raw(client, NoTls)
                .await
                .map(drop)
        };
        let answering = async {
            let _ = server.read(&mut [0; 1024]).await;
            server.write_all(answer).await.expect("the client reads");
            drop(server);
        };
        let (connected, ()) = tokio::join!(connecting, answering);
        connected.expect_err("it was refused")
    }

    /// An `ErrorResponse` of the protocol: severity, SQLSTATE, message.
    fn refusal(state: &str, message: &str) -> Vec<u8> {
        let body = format!("SERROR\0C{state}\0M{message}\0\0");
        let length = u32::try_from(body.len() + 4).expect("a short message");
        [b"E", &length.to_be_bytes()[..], body.as_bytes()].concat()
    }

    #[tokio::test]
    async fn the_sqlstate_decides() {
        for (state, expected) in [
            ("53300", (Category::SERVICE, Retry::Yes)),
            ("28P01", (Category::AUTH, Retry::No)),
            ("40001", (Category::CONFLICT, Retry::Yes)),
            ("23505", (Category::CONFLICT, Retry::No)),
            ("22021", (Category::ENCODING, Retry::No)),
            ("53100", (Category::FILESYSTEM, Retry::No)),
            ("42P01", (Category::NOT_FOUND, Retry::No)),
            ("57P03", (Category::SERVICE, Retry::Yes)),
        ] {
            let error = greeted_with(&refusal(state, NONSENSE)).await;
            assert_eq!(answers(error), expected, "{state}");
        }
        // One code for two causes.
        let cancelled =
            greeted_with(&refusal("57014", "canceling statement due to user request")).await;
        assert_eq!(answers(cancelled), (Category::CANCELLED, Retry::No));
        let timed_out = greeted_with(&refusal(
            "57014",
            "canceling statement due to statement timeout",
        ))
        .await;
        assert_eq!(answers(timed_out), (Category::TIMEOUT, Retry::Yes));
    }

    #[tokio::test]
    async fn a_server_that_closes_is_network() {
        let error = greeted_with(b"").await;
        assert_eq!(answers(error), (Category::NETWORK, Retry::Yes));
    }
}

#[cfg(feature = "sqlx")]
mod with_sqlx {
    use std::borrow::Cow;
    use std::error::Error as StdError;
    use std::{fmt, io};

    use resilience_core::{Category, Effect, Retry};
    use sqlx_core::error::{DatabaseError, Error, ErrorKind};

    use super::{NONSENSE, answers, found};

    /// A database's answer with this code.
    #[derive(Debug)]
    struct Answer(&'static str);

    impl fmt::Display for Answer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(NONSENSE)
        }
    }

    impl StdError for Answer {}

    impl DatabaseError for Answer {
        fn message(&self) -> &str {
            NONSENSE
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    #[test]
    fn the_databases_code_decides() {
        for (code, expected) in [
            ("40P01", (Category::CONFLICT, Retry::Yes)),
            ("23502", (Category::VALIDATION, Retry::No)),
            ("53300", (Category::SERVICE, Retry::Yes)),
            ("28000", (Category::AUTH, Retry::No)),
            // SQLite: SQLITE_BUSY_SNAPSHOT, SQLITE_CONSTRAINT_UNIQUE, SQLITE_FULL
            ("517", (Category::CONFLICT, Retry::Yes)),
            ("2067", (Category::CONFLICT, Retry::No)),
            ("13", (Category::FILESYSTEM, Retry::No)),
        ] {
            assert_eq!(
                answers(Error::Database(Box::new(Answer(code)))),
                expected,
                "{code}"
            );
        }
    }

    #[test]
    fn what_the_pool_and_the_connection_say() {
        let waited = found(Error::PoolTimedOut);
        assert_eq!(waited.category(), Category::TIMEOUT);
        assert_eq!(waited.effect(), Effect::None);
        assert_eq!(
            answers(Error::RowNotFound),
            (Category::NOT_FOUND, Retry::No)
        );
        let reset = io::Error::new(io::ErrorKind::ConnectionReset, NONSENSE);
        assert_eq!(answers(Error::Io(reset)), (Category::NETWORK, Retry::Yes));
        let wrong = Error::ColumnNotFound("timeout".into());
        assert_eq!(answers(wrong), (Category::VALIDATION, Retry::No));
    }
}

#[cfg(feature = "redis")]
mod with_redis {
    use std::io;

    use redis::{ErrorKind, RedisError, ServerErrorKind as Server};
    use resilience_core::{Category, Effect, Retry};

    use super::{NONSENSE, answers, found};

    #[test]
    fn the_kind_decides() {
        for (kind, expected) in [
            (ErrorKind::AuthenticationFailed, (Category::AUTH, Retry::No)),
            (
                ErrorKind::Server(Server::BusyLoading),
                (Category::SERVICE, Retry::Yes),
            ),
            (
                ErrorKind::Server(Server::ClusterDown),
                (Category::SERVICE, Retry::Yes),
            ),
            (
                ErrorKind::Server(Server::CrossSlot),
                (Category::VALIDATION, Retry::No),
            ),
            (
                ErrorKind::UnexpectedReturnType,
                (Category::VALIDATION, Retry::No),
            ),
        ] {
            assert_eq!(answers(RedisError::from((kind, NONSENSE))), expected);
        }
        for (code, expected) in [
            ("OOM", (Category::MEMORY, Retry::No)),
            ("WRONGTYPE", (Category::VALIDATION, Retry::No)),
            ("WRONGPASS", (Category::AUTH, Retry::No)),
            ("MISCONF", (Category::SERVICE, Retry::No)),
        ] {
            let error = redis::make_extension_error(code.into(), Some(NONSENSE.into()));
            assert_eq!(answers(error), expected, "{code}");
        }
    }

    #[test]
    fn the_connections_failure_is_found_inside() {
        let refused = io::Error::new(io::ErrorKind::ConnectionRefused, NONSENSE);
        let refused = found(RedisError::from(refused));
        assert_eq!(refused.category(), Category::NETWORK, "{refused:?}");
        assert_eq!(refused.effect(), Effect::None);
        let late = io::Error::new(io::ErrorKind::TimedOut, "nonsense");
        assert_eq!(
            answers(RedisError::from(late)),
            (Category::TIMEOUT, Retry::Yes)
        );
    }
}

#[cfg(feature = "tonic")]
mod with_tonic {
    use std::time::Duration;

    use resilience_core::{Category, Retry};
    use tonic::{Code, Status};

    use super::{NONSENSE, answers, found};

    #[test]
    fn the_code_decides() {
        for (code, expected) in [
            (Code::Unavailable, (Category::SERVICE, Retry::Yes)),
            (Code::DeadlineExceeded, (Category::TIMEOUT, Retry::Yes)),
            (Code::Aborted, (Category::CONFLICT, Retry::Yes)),
            (Code::AlreadyExists, (Category::CONFLICT, Retry::No)),
            (Code::InvalidArgument, (Category::VALIDATION, Retry::No)),
            (Code::Unauthenticated, (Category::AUTH, Retry::No)),
            (Code::PermissionDenied, (Category::AUTH, Retry::No)),
            (Code::NotFound, (Category::NOT_FOUND, Retry::No)),
            (Code::Unimplemented, (Category::SERVICE, Retry::No)),
            (Code::Cancelled, (Category::CANCELLED, Retry::No)),
        ] {
            assert_eq!(answers(Status::new(code, NONSENSE)), expected, "{code:?}");
        }
    }

    #[test]
    fn the_message_decides_what_the_code_leaves_open() {
        for (code, message, expected) in [
            (
                Code::ResourceExhausted,
                "too fast",
                (Category::RATE_LIMIT, Retry::Yes),
            ),
            (
                Code::ResourceExhausted,
                "monthly quota is used up",
                (Category::RATE_LIMIT, Retry::No),
            ),
            (
                Code::ResourceExhausted,
                "grpc: received message larger than max (5 vs. 4)",
                (Category::VALIDATION, Retry::No),
            ),
            (
                Code::Internal,
                "string field contains invalid UTF-8",
                (Category::ENCODING, Retry::No),
            ),
            (Code::Internal, "oops", (Category::SERVICE, Retry::Unsure)),
        ] {
            assert_eq!(answers(Status::new(code, message)), expected, "{message}");
        }
    }

    #[test]
    fn the_server_says_whether_and_when_to_come_back() {
        let pushed_back = |told: &str| {
            let mut status = Status::unavailable(NONSENSE);
            let told = told.parse().expect("a value");
            status.metadata_mut().insert("grpc-retry-pushback-ms", told);
            found(status)
        };
        let wait = pushed_back("1500").retry_after();
        assert_eq!(wait, Some(Duration::from_millis(1_500)));
        assert_eq!(pushed_back("-1").retry(), Retry::No);
        assert_eq!(pushed_back("later").retry(), Retry::No);
    }

    #[test]
    fn retry_info_is_read_from_the_details() {
        let field = |number: u8, bytes: &[u8]| {
            let length = u8::try_from(bytes.len()).expect("a short field");
            [&[(number << 3) | 2, length], bytes].concat()
        };
        // google.protobuf.Duration { seconds: 2, nanos: 500_000_000 }
        let delay = [8, 2, 16, 0x80, 0xca, 0xb5, 0xee, 0x01];
        let name = field(1, b"type.googleapis.com/google.rpc.RetryInfo");
        let any = [name, field(2, &field(1, &delay))].concat();
        let details = [vec![8, 14], field(2, b"message"), field(3, &any)].concat();
        let status = Status::with_details(Code::Unavailable, NONSENSE, details.clone().into());
        let wait = found(status).retry_after();
        assert_eq!(wait, Some(Duration::from_millis(2_500)));

        // Whatever arrives, nothing breaks.
        for end in 0..details.len() {
            let cut = details[..end].to_vec();
            let status = Status::with_details(Code::Unavailable, NONSENSE, cut.into());
            assert_eq!(found(status).category(), Category::SERVICE);
        }
        let garbage = vec![0xff; 40];
        let status = Status::with_details(Code::Unavailable, NONSENSE, garbage.into());
        assert_eq!(found(status).retry_after(), None);
    }
}

#[cfg(feature = "toml")]
mod with_toml {
    use resilience_core::{Category, Retry};

    use super::answers;

    #[test]
    fn a_wrong_document_is_final() {
        let error = toml::de::DeTable::parse("timeout = = 404").expect_err("no TOML");
        assert_eq!(answers(error), (Category::VALIDATION, Retry::No));
    }
}

#[cfg(feature = "object_store")]
mod with_object_store {
    use std::io;

    use object_store::Error;
    use resilience_core::{Category, Retry};

    use super::{NONSENSE, answers};

    #[test]
    fn the_variant_decides_and_a_generic_one_leaves_it_to_its_cause() {
        let path = || "a/b".to_owned();
        let missing = Error::NotFound {
            path: path(),
            source: io::Error::from(io::ErrorKind::NotFound).into(),
        };
        assert_eq!(answers(missing), (Category::NOT_FOUND, Retry::No));
        let there = Error::AlreadyExists {
            path: path(),
            source: NONSENSE.into(),
        };
        assert_eq!(answers(there), (Category::CONFLICT, Retry::No));
        let denied = Error::PermissionDenied {
            path: path(),
            source: NONSENSE.into(),
        };
        assert_eq!(answers(denied), (Category::AUTH, Retry::No));
        let reset = Error::Generic {
            store: "S3",
            source: io::Error::new(io::ErrorKind::ConnectionReset, NONSENSE).into(),
        };
        assert_eq!(answers(reset), (Category::NETWORK, Retry::Yes));
        let told = Error::Generic {
            store: "S3",
            source: "503 SlowDown: please reduce your request rate".into(),
        };
        assert_eq!(answers(told), (Category::RATE_LIMIT, Retry::Yes));
    }
}
