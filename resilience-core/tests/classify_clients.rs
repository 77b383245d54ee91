//! Real errors of client crates, each behind the feature of its name.

#![cfg(any(feature = "reqwest", feature = "rusqlite", feature = "serde_json"))]

#[cfg(feature = "reqwest")]
mod with_reqwest {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::thread;
    use std::time::Duration;

    use resilience_core::{Category, Classification, Effect, Retry, classify};

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

    async fn get(url: &str) -> reqwest::Error {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_millis(300))
            .no_proxy()
            .build()
            .expect("a client");
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

    /// As it is and under anyhow's context, which must not matter.
    async fn classified(url: &str) -> Classification {
        let error = get(url).await;
        let plain = resilience_core::Classify::classify(&error);
        assert_eq!(classify::error(&error), plain);
        let context = anyhow::Error::from(error).context("indexing record 5");
        assert_eq!(classify::error(context.as_ref()), plain);
        plain
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
        }
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
    use resilience_core::{Category, Retry, classify};
    use rusqlite::Connection;

    fn found(error: rusqlite::Error) -> (Category, Retry) {
        let context = anyhow::Error::from(error).context("checkpoint");
        let found = classify::error(context.as_ref());
        (found.category(), found.retry())
    }

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
        assert_eq!(found(locked), (Category::CONFLICT, Retry::Yes));

        holder
            .execute_batch("INSERT INTO t VALUES (1, 'a'); COMMIT;")
            .expect("a row");
        let twice = other
            .execute("INSERT INTO t VALUES (1, 'a')", [])
            .expect_err("it is there");
        assert_eq!(found(twice), (Category::CONFLICT, Retry::No));
        let null = other
            .execute("INSERT INTO t VALUES (2, NULL)", [])
            .expect_err("not null");
        assert_eq!(found(null), (Category::VALIDATION, Retry::No));
        let syntax = other.execute("INSRT", []).expect_err("no SQL");
        assert_eq!(found(syntax), (Category::VALIDATION, Retry::No));
        let none = other.query_row("SELECT id FROM t WHERE id = 7", [], |_| Ok(()));
        assert_eq!(
            found(none.expect_err("no such row")),
            (Category::NOT_FOUND, Retry::No)
        );
        let missing = Connection::open_with_flags(
            "/no/such/dir/x.db",
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        );
        assert_eq!(
            found(missing.expect_err("no such directory")),
            (Category::FILESYSTEM, Retry::No)
        );
        std::fs::remove_file(&path).expect("its own file");
    }
}

#[cfg(feature = "serde_json")]
mod with_serde_json {
    use resilience_core::{Category, Classify, Retry, classify};

    struct Broken;

    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }

    #[test]
    fn a_wrong_document_is_final_and_a_broken_reader_is_not() {
        let wrong = serde_json::from_str::<u8>("\"x\"").expect_err("a string is no u8");
        let found = Classify::classify(&wrong);
        assert_eq!(
            (found.category(), found.retry()),
            (Category::VALIDATION, Retry::No)
        );
        let context = anyhow::Error::from(wrong).context("record 5");
        assert_eq!(classify::error(context.as_ref()), found);

        let broken = serde_json::from_reader::<_, u8>(Broken).expect_err("it cannot be read");
        assert_eq!(classify::error(&broken).category(), Category::NETWORK);
    }
}
