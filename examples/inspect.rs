//! What applies to each annotated function, and where it comes from. Another file:
//! `cargo run --example inspect -- my.toml`.

use resilience::{Error, Settings, fail_fast, resilient};

#[resilient(category = "weaviate", operation = "index_document", retries = 4)]
async fn index_document(text: &str) -> anyhow::Result<usize> {
    Ok(text.len())
}

#[resilient(category = "weaviate", operation = "search", timeout = "2s")]
async fn search(query: &str) -> anyhow::Result<usize> {
    Ok(query.len())
}

#[fail_fast(
    service = "llm_provider",
    operation = "generate",
    require(!prompt.is_empty(), field = "prompt", "must not be empty")
)]
async fn generate(prompt: &str) -> Result<usize, Error> {
    Ok(prompt.len())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let file = std::env::args().nth(1);
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/settings.toml");
    let settings = Settings::loader()
        .file(file.as_deref().unwrap_or(example))
        .env()
        .load()?;
    resilience::apply(&settings);

    // Functions are listed whether they have been called or not.
    search("circuit").await?;
    println!("{}", resilience::inspect());

    index_document("text").await?;
    generate("prompt").await?;
    Ok(())
}
