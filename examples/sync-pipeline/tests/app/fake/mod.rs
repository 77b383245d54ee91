//! Servers of our own on the loopback interface, in threads of their own.

pub(crate) mod embeddings;
pub(crate) mod proxy;
pub(crate) mod weaviate;

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tokio::sync::oneshot;

/// A server that stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

/// What a server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    /// Null where it is not JSON.
    pub(crate) body: Value,
    pub(crate) bytes: Bytes,
}

/// What happens instead of an answer, to requests of this kind.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// Method and beginning of the path, such as `POST /v1/batch`.
    pub(crate) on: &'static str,
    pub(crate) kind: Kind,
    pub(crate) lasts: Lasts,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A status, a value for `Retry-After`, a body.
    Status(u16, Option<&'static str>, String),
    /// 413 for more than so many objects or texts.
    TooLargeAbove(usize),
    /// 200, and each object whose path has the first in it is `FAILED` with the second.
    FailedObjects(&'static [(&'static str, &'static str)]),
    /// An answer that comes so much later.
    Late(Duration),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Lasts {
    /// For so many requests.
    Times(usize),
    /// Until then.
    Until(Instant),
    Forever,
}

/// What is to go wrong, the first fault that fits first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Server {
    /// Serves what `answer` answers. A port of 0 is any that is free.
    pub(crate) fn start<F, A>(port: u16, answer: F) -> Self
    where
        F: Fn(Asked) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Response> + Send,
    {
        let handle = move |request: Request| {
            let answer = answer.clone();
            async move {
                let (parts, body) = request.into_parts();
                let Ok(bytes) = axum::body::to_bytes(body, MAX_BODY).await else {
                    return StatusCode::BAD_REQUEST.into_response();
                };
                let authorization = parts.headers.get("authorization");
                answer(Asked {
                    method: parts.method,
                    path: parts.uri.to_string(),
                    authorization: authorization
                        .and_then(|value| value.to_str().ok())
                        .map(str::to_owned),
                    body: serde_json::from_slice(&bytes).unwrap_or_default(),
                    bytes,
                })
                .await
            }
        };
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        run(async move {
            listener.set_nonblocking(true).expect("set");
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            let server = axum::serve(listener, Router::new().fallback(handle));
            tokio::select! {
                _ = server => {}
                _ = stopped => {}
            }
        });
        Self {
            address,
            _stop: stop,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Faults {
    pub(crate) fn add(&self, on: &'static str, kind: Kind, lasts: Lasts) {
        lock(&self.0).push(Fault { on, kind, lasts });
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// The fault for this request, used up once.
    pub(crate) fn take(&self, asked: &Asked) -> Option<Kind> {
        let request = format!("{} {}", asked.method, asked.path);
        let mut faults = lock(&self.0);
        let now = Instant::now();
        let fault = faults.iter_mut().find(|fault| {
            let lasts = match fault.lasts {
                Lasts::Times(times) => times > 0,
                Lasts::Until(until) => now < until,
                Lasts::Forever => true,
            };
            lasts && request.starts_with(fault.on)
        })?;
        if let Lasts::Times(times) = &mut fault.lasts {
            *times -= 1;
        }
        Some(fault.kind.clone())
    }
}

/// A status with a body, and with `Retry-After`.
pub(crate) fn status(code: u16, retry_after: Option<&str>, body: String) -> Response {
    let mut response = Response::builder()
        .status(code)
        .header("content-type", "application/json");
    if let Some(after) = retry_after {
        response = response.header("retry-after", after);
    }
    response.body(Body::from(Bytes::from(body))).expect("valid")
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a future in a thread of its own.
pub(crate) fn run(future: impl Future<Output = ()> + Send + 'static) {
    std::thread::spawn(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(future);
    });
}

const MAX_BODY: usize = 64 << 20;
