//! A healthy Weaviate.

use serde_json::{Value, json};

use crate::fake::weaviate::FakeWeaviate;
use crate::place::{Place, path, records, run};

#[test]
fn files_become_objects_with_the_ids_of_other_implementations() {
    let (place, weaviate) = (Place::new(), FakeWeaviate::start());
    let url = weaviate.url();
    let args = [
        "sync",
        "--stdin",
        "--weaviate",
        &url,
        "--collection",
        "SRC_ENTERPRISE__",
    ];
    place.write("docs.md", "A file on this disk, and the longest of them.\n");
    let input = [
        json!("docs.md"),
        json!({"path": "src/main.py", "content": "print(1)\nprint(2)\n"}),
        json!({"path": "src/main.py", "repo": "ServiceA", "content": "x = 1"}),
        json!({"path": "empty", "content": ""}),
    ]
    .map(|record| record.to_string())
    .join("\n");
    let ran = place.run(&args, &input);
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    let class = weaviate.class("SRC_ENTERPRISE__").expect("made");
    assert_eq!(class["vectorizer"], "none");
    assert_eq!(
        class["description"],
        "sync-pipeline, vectors of lexical-hash-384-v1"
    );
    assert_eq!(
        types(&class),
        "file_path:text:field relative_path:text:field file_name:text:field \
         repository:text:field extension:text:field language:text:field content:text:word \
         content_hash:text:field size_bytes:int: line_count:int: last_modified:date: \
         embedding_model:text:field"
    );
    let mut objects = weaviate.objects();
    objects.sort_by_key(|object| object["properties"]["size_bytes"].as_u64());
    assert_eq!(objects.len(), 4);
    assert_eq!(objects[0].get("vector"), None, "nothing to say, no vector");
    assert_eq!(objects[1]["id"], "5c6aec15-ee47-588d-bf68-d992f572c136");
    assert_eq!(objects[1]["properties"]["repository"], "ServiceA");
    assert_eq!(objects[2]["id"], "4031d153-1261-562c-86bf-d72817cd7a74");
    assert_eq!(objects[2]["vector"].as_array().map(Vec::len), Some(384));
    let properties = &objects[2]["properties"];
    assert_eq!(properties["content"], "print(1)\nprint(2)\n");
    assert_eq!(properties["file_name"], "main.py");
    assert_eq!(properties["extension"], "py");
    assert_eq!(properties["language"], "python");
    assert_eq!(properties["line_count"], 2);
    assert_eq!(properties["size_bytes"], 18);
    assert_eq!(
        properties.get("last_modified"),
        None,
        "a record does not say when"
    );
    assert_eq!(properties["embedding_model"], "lexical-hash-384-v1");

    let on_disk = &objects[3]["properties"];
    assert_eq!(on_disk["language"], "markdown");
    let written = on_disk["last_modified"].as_str().expect("a date");
    assert!(
        written.starts_with("20") && written.ends_with('Z'),
        "{written}"
    );

    let again = place.run(&args, &input);
    again.line("  4 records: 0 indexed, 4 unchanged");
    assert_eq!(weaviate.asked("POST /v1/schema").len(), 1);
}

/// Name, type and tokenization of every property of a class.
fn types(class: &Value) -> String {
    let properties = class["properties"].as_array().expect("properties");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |it: &Value| {
        let parts = [&it["name"], &it["dataType"][0], &it["tokenization"]];
        parts.map(text).join(":")
    };
    properties.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn documents_leave_in_batches() {
    let (place, weaviate) = (Place::new(), FakeWeaviate::start());
    let url = weaviate.url();
    let args = ["sync", "--stdin", "--weaviate", &url, "--batch-size", "25"];
    let ran = place.run(&args, records(0..200));
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    assert_eq!(weaviate.paths(), (0..200).map(path).collect::<Vec<_>>());
    let batches = weaviate.asked("POST /v1/batch");
    assert!(
        (8..100).contains(&batches.len()),
        "{} batches",
        batches.len()
    );
    let sizes = batches
        .iter()
        .map(|batch| batch.body["objects"].as_array().map_or(0, Vec::len));
    assert!(sizes.max() <= Some(25));
}

#[test]
fn deleting_what_is_gone_is_a_success() {
    let (place, weaviate) = (Place::new(), FakeWeaviate::start());
    let url = weaviate.url();
    let args = ["sync", "--stdin", "--weaviate", &url];
    place.run(&args, records(0..2));
    let delete = |n: usize| json!({"path": path(n), "op": "delete"}).to_string();
    let ran = place.run(&args, [delete(0), delete(9)].join("\n"));
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    ran.line("  2 records: 0 indexed, 0 unchanged, 1 deleted, 0 skipped, 0 failed, 1 not in");
    assert_eq!(weaviate.paths(), [path(1)]);
}

#[test]
fn records_about_one_document_keep_their_order() {
    let (place, weaviate) = (Place::new(), FakeWeaviate::start());
    let url = weaviate.url();
    let records = (0..20).flat_map(|n| {
        let versions = (0..5).map(move |version| {
            json!({"path": path(n), "content": format!("version {version}")}).to_string()
        });
        let delete = json!({"path": path(n), "op": "delete"}).to_string();
        versions.chain((n % 2 == 0).then_some(delete))
    });
    let input = records.collect::<Vec<_>>().join("\n");
    let ran = place.run(&["sync", "--stdin", "--weaviate", &url], input);
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    assert_eq!(
        weaviate.paths(),
        (0..20).filter(|n| n % 2 == 1).map(path).collect::<Vec<_>>()
    );
    for object in weaviate.objects() {
        assert_eq!(object["properties"]["content"], "version 4");
    }
}

#[test]
fn a_collection_that_appears_in_the_meantime_is_as_good_as_ones_own() {
    let (place, weaviate) = (Place::new(), FakeWeaviate::start());
    // It is there, but the first look does not see it.
    weaviate.make_class("Files", "sync-pipeline, vectors of lexical-hash-384-v1");
    let once = crate::fake::Lasts::Times(1);
    let missing = crate::fake::Kind::Status(404, None, String::new());
    weaviate.faults.add("GET /v1/schema", missing, once);
    let ran = place.run(
        &["sync", "--stdin", "--weaviate", &weaviate.url()],
        records(0..3),
    );
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    assert_eq!(weaviate.asked("POST /v1/schema").len(), 1);
    assert_eq!(weaviate.paths().len(), 3);
}

#[test]
fn vectors_of_two_models_never_meet_in_one_collection() {
    for description in ["sync-pipeline, vectors of another-model", "made by hand"] {
        let (place, weaviate) = (Place::new(), FakeWeaviate::start());
        let url = weaviate.url();
        let args = ["sync", "--stdin", "--weaviate", &url];
        if description == "made by hand" {
            // Then an object of it tells, and it says nothing.
            weaviate.make_class("Other", description);
            place.run(&args, records(0..1));
        }
        weaviate.make_class("Files", description);
        let before = weaviate.paths().len();
        if description == "made by hand" {
            // An empty or agreeing collection of somebody else's may be used.
            let ran = place.run(&args, records(1..3));
            assert_eq!(ran.status, Some(0), "{ran:#?}");
            continue;
        }
        let ran = place.run(&args, records(0..3));
        assert_eq!(ran.status, Some(1), "{ran:#?}");
        assert_eq!(weaviate.paths().len(), before);
        assert!(ran.says("       3  conflict:low"), "{ran:#?}");
        assert!(ran.says("holds vectors of `another-model`"), "{ran:#?}");
        assert!(weaviate.asked("POST /v1/batch").is_empty());
    }
}

#[test]
fn the_key_goes_to_the_server_it_was_set_for_and_is_never_shown() {
    let (place, weaviate) = (Place::new(), FakeWeaviate::start());
    let url = weaviate.url();
    let key = |name: &str, command: &mut std::process::Command| {
        command
            .env(name, "secret-1")
            .env("SYNC_PIPELINE_LOG", "trace");
    };
    let mut own = place.command(&["sync", "--stdin", "--weaviate", &url]);
    key("SYNC_PIPELINE_WEAVIATE_API_KEY", &mut own);
    let mut foreign = place.command(&["sync", "--stdin"]);
    foreign.env("WCD_URL", &url);
    key("WCD_API_KEY", &mut foreign);
    let mut wrong = place.command(&["sync", "--stdin", "--weaviate", &url]);
    key("WCD_API_KEY", &mut wrong);
    let expected = [Some("Bearer secret-1"), Some("Bearer secret-1"), None];
    for (number, (command, authorization)) in
        [own, foreign, wrong].into_iter().zip(expected).enumerate()
    {
        let before = weaviate.asked("").len();
        let ran = run(command, records(number..number + 1).as_bytes());
        assert_eq!(ran.status, Some(0), "{ran:#?}");
        let asked = weaviate.asked("").split_off(before);
        assert!(!asked.is_empty());
        assert!(
            asked
                .iter()
                .all(|asked| asked.authorization.as_deref() == authorization)
        );
        assert!(!format!("{ran:?}").contains("secret-1"));
    }
}

#[test]
fn a_search_on_a_server_needs_no_database() {
    let (place, weaviate) = (Place::new(), FakeWeaviate::start());
    let url = weaviate.url();
    let ran = place.run(&["search", "--weaviate", &url, "document"], "");
    assert_eq!(
        (ran.status, &*ran.out),
        (Some(0), "Nothing found\n"),
        "{ran:#?}"
    );
    let ran = place.run(&["status", "--ready", "--weaviate", &url], "");
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    assert_eq!(std::fs::read_dir(place.path()).expect("listed").count(), 0);
}

#[test]
fn a_search_reads_what_graphql_answers() {
    let (place, weaviate) = (Place::new(), FakeWeaviate::start());
    let url = weaviate.url();
    place.run(&["sync", "--stdin", "--weaviate", &url], records(0..3));
    let ran = place.run(&["search", "--weaviate", &url, "document 2"], "");
    assert_eq!(ran.status, Some(0), "{ran:#?}");
    assert!(ran.says("   The text of document"), "{ran:#?}");
    let none = place.run(
        &["search", "--weaviate", &url, "--collection", "No", "text"],
        "",
    );
    assert_eq!(none.out, "Nothing found\n", "{none:#?}");
}

#[test]
fn readiness_is_asked_for() {
    let (place, weaviate) = (Place::new(), FakeWeaviate::start());
    let url = weaviate.url();
    let args = ["status", "--ready", "--weaviate", &url];
    assert_eq!(place.run(&args, "").out, format!("weaviate {url}: ready\n"));
    let busy = crate::fake::Kind::Status(503, None, String::new());
    weaviate
        .faults
        .add("GET /v1/.well-known", busy, crate::fake::Lasts::Forever);
    let ran = place.run(&args, "");
    assert_eq!(ran.status, Some(2));
    ran.line(&format!("weaviate {url}: not ready: Weaviate answered 503"));
    assert!(place.run(&["status", "--ready"], "").says("sqlite: ready"));
}
