//! Weaviate's REST interface, as far as the pipeline uses it, in the shapes of the real one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use crate::fake::{Asked, Faults, Kind, Server, lock, status};

/// A server with its data.
#[derive(Debug)]
pub(crate) struct FakeWeaviate {
    server: Server,
    data: Arc<Mutex<Data>>,
    pub(crate) faults: Faults,
}

#[derive(Debug, Default)]
struct Data {
    /// By name.
    classes: BTreeMap<String, Value>,
    /// By id.
    objects: BTreeMap<String, Value>,
    asked: Vec<Asked>,
}

impl FakeWeaviate {
    pub(crate) fn start() -> Self {
        Self::start_at(0)
    }

    pub(crate) fn start_at(port: u16) -> Self {
        let data = Arc::new(Mutex::new(Data::default()));
        let faults = Faults::default();
        let (state, wrong) = (Arc::clone(&data), faults.clone());
        let server = Server::start(port, move |asked| {
            let (data, faults) = (Arc::clone(&state), wrong.clone());
            async move {
                lock(&data).asked.push(asked.clone());
                let fault = faults.take(&asked);
                match fault {
                    Some(Kind::Status(code, after, body)) => return status(code, after, body),
                    Some(Kind::TooLargeAbove(limit)) if objects(&asked).len() > limit => {
                        return status(413, None, "<html>Too Large</html>".to_owned());
                    }
                    Some(Kind::Late(by)) => tokio::time::sleep(by).await,
                    _ => {}
                }
                let failed = match fault {
                    Some(Kind::FailedObjects(failed)) => failed,
                    _ => &[],
                };
                lock(&data).answer(&asked, failed)
            }
        });
        Self {
            server,
            data,
            faults,
        }
    }

    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// The paths of all objects, sorted.
    pub(crate) fn paths(&self) -> Vec<String> {
        let path = |object: &Value| {
            object["properties"]["file_path"]
                .as_str()
                .map(str::to_owned)
        };
        let mut paths: Vec<_> = lock(&self.data).objects.values().filter_map(path).collect();
        paths.sort();
        paths
    }

    pub(crate) fn objects(&self) -> Vec<Value> {
        lock(&self.data).objects.values().cloned().collect()
    }

    pub(crate) fn class(&self, name: &str) -> Option<Value> {
        lock(&self.data).classes.get(name).cloned()
    }

    /// Makes a collection as if somebody else had.
    pub(crate) fn make_class(&self, name: &str, description: &str) {
        let class = json!({"class": name, "description": description});
        lock(&self.data).classes.insert(name.to_owned(), class);
    }

    /// What was asked of it so far, by the beginning of method and path.
    pub(crate) fn asked(&self, on: &str) -> Vec<Asked> {
        let fits = |asked: &&Asked| format!("{} {}", asked.method, asked.path).starts_with(on);
        lock(&self.data)
            .asked
            .iter()
            .filter(fits)
            .cloned()
            .collect()
    }
}

impl Data {
    fn answer(&mut self, asked: &Asked, failed: &[(&str, &str)]) -> Response {
        let path = asked.path.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (&asked.method, parts.as_slice()) {
            (&Method::GET, ["v1", ".well-known", "ready"]) => status(200, None, String::new()),
            (&Method::GET, ["v1", "schema", class]) => match self.classes.get(*class) {
                Some(class) => ok(class),
                None => status(404, None, String::new()),
            },
            (&Method::POST, ["v1", "schema"]) => self.make(&asked.body),
            (&Method::POST, ["v1", "batch", "objects"]) => self.batch(asked, failed),
            (&Method::GET, ["v1", "objects"]) => {
                let first: Vec<_> = self.objects.values().take(1).collect();
                ok(&json!({"objects": first, "totalResults": first.len()}))
            }
            (&Method::GET, ["v1", "objects", _, id]) => match self.objects.get(*id) {
                Some(object) => ok(object),
                None => status(404, None, String::new()),
            },
            (&Method::DELETE, ["v1", "objects", _, id]) => match self.objects.remove(*id) {
                Some(_) => status(204, None, String::new()),
                None => status(404, None, String::new()),
            },
            (&Method::POST, ["v1", "graphql"]) => self.search(&asked.body),
            _ => status(
                405,
                None,
                json!({"code": 405, "message": "not allowed"}).to_string(),
            ),
        }
    }

    fn make(&mut self, class: &Value) -> Response {
        let name = class["class"].as_str().unwrap_or_default();
        if self.classes.contains_key(name) {
            return refused(422, &format!("class name {name} already exists"));
        }
        self.classes.insert(name.to_owned(), class.clone());
        ok(class)
    }

    fn batch(&mut self, asked: &Asked, failed: &[(&str, &str)]) -> Response {
        let results = objects(asked).iter().map(|object| {
            let class = object["class"].as_str().unwrap_or_default();
            let path = object["properties"]["file_path"]
                .as_str()
                .unwrap_or_default();
            let id = object["id"].as_str().unwrap_or_default();
            let missing = format!("class '{class}' not present in schema");
            let message = match failed.iter().find(|(part, _)| path.contains(part)) {
                Some((_, message)) => Some(*message),
                _ if !self.classes.contains_key(class) => Some(missing.as_str()),
                _ => None,
            };
            let mut answer = object.clone();
            answer["result"] = if let Some(message) = message {
                json!({
                    "status": "FAILED",
                    "errors": {"error": [{"message": message}]},
                })
            } else {
                self.objects.insert(id.to_owned(), object.clone());
                json!({"status": "SUCCESS", "errors": null})
            };
            answer
        });
        ok(&Value::Array(results.collect()))
    }

    /// All objects in any order, with made-up distances: enough to read an answer.
    fn search(&self, body: &Value) -> Response {
        let query = body["query"].as_str().unwrap_or_default();
        let class = self.classes.keys().find(|name| query.contains(*name));
        let Some(class) = class else {
            return ok(&json!({"data": {}, "errors": [{"message": "Cannot query field"}]}));
        };
        let hits: Vec<_> = self
            .objects
            .values()
            .map(|object| {
                let properties = &object["properties"];
                json!({
                    "file_path": properties["file_path"],
                    "repository": properties["repository"],
                    "content": properties["content"],
                    "_additional": {"distance": 0.25},
                })
            })
            .collect();
        ok(&json!({"data": {"Get": {class: hits}}}))
    }
}

fn objects(asked: &Asked) -> &[Value] {
    asked.body["objects"].as_array().map_or(&[], Vec::as_slice)
}

fn ok(body: &Value) -> Response {
    status(200, None, body.to_string())
}

fn refused(code: u16, message: &str) -> Response {
    status(code, None, error(message))
}

/// The body of an error as most handlers write it.
pub(crate) fn error(message: &str) -> String {
    json!({"error": [{"message": message}]}).to_string()
}
