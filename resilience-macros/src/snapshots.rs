//! What the attributes expand to, as files in `snapshots/` that people can read. After a change
//! that is meant, `UPDATE_SNAPSHOTS=1 cargo test -p resilience-macros` writes them anew.

use std::path::Path;
use std::{env, fs};

use proc_macro2::TokenStream;
use quote::quote;

use crate::args::Attribute;
use crate::attribute;
use crate::expand::module;

#[test]
fn resilient() {
    check(
        "resilient",
        Attribute::Resilient,
        quote!(category = "network", retries = 3, timeout = "5s"),
        quote! {
            /// Fetches a page.
            pub async fn fetch(url: &str, headers: Vec<String>, depth: u8) -> Result<String, FetchError> {
                get(url, headers, depth).await
            }
        },
    );
}

#[test]
fn unique_self() {
    check(
        "unique_self",
        Attribute::Resilient,
        quote!(),
        quote! {
            async fn push(&mut self, mut rows: Vec<Row>, log: &mut Log) -> Result<(), PushError> {
                self.send(rows.pop(), log).await
            }
        },
    );
}

#[test]
fn fail_fast() {
    check(
        "fail_fast",
        Attribute::FailFast,
        quote! {
            service = "llm_provider",
            require(!prompt.is_empty(), field = "prompt", "must not be empty"),
            resource(llm_tokens = tokens),
            fields(tokens, prompt = %shortened(&prompt)),
        },
        quote! {
            async fn generate(prompt: String, tokens: u64) -> anyhow::Result<String> {
                complete(prompt, tokens).await
            }
        },
    );
}

#[test]
fn fallback() {
    check(
        "fallback",
        Attribute::Resilient,
        quote!(fallback([replica, cached], on("circuit_open", "network"))),
        quote! {
            async fn price(item: Item) -> Result<Price, PriceError> {
                ask(item).await
            }
        },
    );
}

/// Compares an expansion with its file, which gets written where that is asked for. The private
/// module goes without its version, which would change every file with every release, and `pin!`
/// without its `!`, since what stands inside a macro is not formatted.
fn check(name: &str, attribute: Attribute, args: TokenStream, item: TokenStream) {
    let text = attribute::expand(attribute, args, item)
        .to_string()
        .replace(&module(), "__private")
        .replace("pin ! (", "pin (");
    let file = syn::parse_file(&text).expect("the expansion is items");
    let found = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("snapshots/{name}.rs"));
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &found).expect("the snapshot is written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{}", path.display());
}
