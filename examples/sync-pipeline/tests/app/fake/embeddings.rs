//! An embedding server in the OpenAI form.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::fake::{Asked, Faults, Kind, Server, lock, status};

/// A server whose vectors tell the length of a text and nothing else.
#[derive(Debug)]
pub(crate) struct FakeEmbeddings {
    server: Server,
    asked: Arc<Mutex<Vec<Asked>>>,
    pub(crate) faults: Faults,
}

impl FakeEmbeddings {
    pub(crate) fn start() -> Self {
        Self::start_at(0, 3)
    }

    pub(crate) fn start_at(port: u16, dimensions: usize) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let faults = Faults::default();
        let (seen, wrong) = (Arc::clone(&asked), faults.clone());
        let server = Server::start(port, move |asked| {
            let (seen, faults) = (Arc::clone(&seen), wrong.clone());
            async move {
                lock(&seen).push(asked.clone());
                let texts = asked.body["input"]
                    .as_array()
                    .map_or(&[][..], Vec::as_slice);
                match faults.take(&asked) {
                    Some(Kind::Status(code, after, body)) => return status(code, after, body),
                    Some(Kind::TooLargeAbove(limit)) if texts.len() > limit => {
                        return status(413, None, String::new());
                    }
                    Some(Kind::Late(by)) => tokio::time::sleep(by).await,
                    _ => {}
                }
                let vector = |text: &Value| {
                    let mut vector = vec![1; dimensions];
                    vector[0] = text.as_str().map_or(0, str::len);
                    vector
                };
                let data: Vec<_> = texts
                    .iter()
                    .enumerate()
                    .map(|(index, text)| {
                        json!({"object": "embedding", "index": index, "embedding": vector(text)})
                    })
                    .collect();
                let answer = json!({
                    "object": "list",
                    "data": data,
                    "model": asked.body["model"],
                    "usage": {"prompt_tokens": 1, "total_tokens": 1},
                });
                status(200, None, answer.to_string())
            }
        });
        Self {
            server,
            asked,
            faults,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        lock(&self.asked).clone()
    }
}

/// The body of an error.
pub(crate) fn error(message: &str, code: &str) -> String {
    json!({"error": {"message": message, "type": "error", "param": null, "code": code}}).to_string()
}
