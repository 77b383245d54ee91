//! Whatever stands in an attribute, or under it: an expansion or errors, and no panic.

use proc_macro2::TokenStream;

use crate::args::Attribute;
use crate::{attribute, derive, names};

/// What attributes are made of, and what they are not.
const PIECES: &[&str] = &[
    "=",
    "=",
    "=",
    ",",
    ",",
    ",",
    "(",
    ")",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "::",
    ":",
    ";",
    ".",
    "..",
    "|",
    "%",
    "?",
    "!",
    "-",
    "+",
    "&",
    "#",
    "'a",
    "$",
    "_",
    "off",
    "on",
    "true",
    "self",
    "Self",
    "0",
    "1",
    "3u64",
    "1.5",
    "1e400",
    "30s",
    "99999999999999999999999",
    "r#type",
    "r#fn",
    "crate",
    "\"\"",
    "\"30s\"",
    "\"30s..5m\"",
    "\"..\"",
    "\"5m..1s\"",
    "\"100/60s\"",
    "\"0/\"",
    "\"/\"",
    "\"network\"",
    "\"{0} {\"",
    "\"{_9}\"",
    "\"é..é\"",
    "'c'",
    "b\"x\"",
    "b'x'",
    "c\"x\"",
    "|error| true",
    "async",
    "fn",
    "mod",
    "skip",
    "field",
    "source",
    "Duration",
];

/// Items and types that are more or less right.
const ITEMS: &[&str] = &[
    "async fn f(a: String, (b, mut c): (u8, &mut X)) -> Result<u8, E> { a }",
    "async fn f<'a, T: A>(mut self: Arc<Self>, r#type: impl Fn(T)) -> R<&'a T> where T: B { ; }",
    "fn f(&mut self) -> Pin<Box<dyn Future<Output = R>>> { Box::pin(async move { let __self = self; }) }",
    "async fn f(&mut self, _: u8) -> Result<&u8, E>;",
    "impl S { const A: u8 = { 1 }; async fn f(self) -> Result<u8> { 1 } #[resilient(skip)] fn g() {} }",
    "trait T { async fn f(&self) -> Result<u8, E> { } #[fail_fast(timeout = \"1s\")] async fn g(); }",
    "struct S;",
    "",
];

/// A generator of numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap_or(0) % end
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    /// Arguments: half of them in the right form, with any value, and half in any order.
    fn arguments(&mut self, options: &[&str]) -> String {
        let many = self.below(5);
        let argument = |_| {
            let (outer, inner) = (self.of(options), self.of(options));
            let (value, other) = (self.of(PIECES), self.of(PIECES));
            match self.below(6) {
                0 => format!("{outer} = {value}, "),
                1 => format!("{outer}({inner} = {value}), "),
                2 => format!("{outer}({value}, {inner}({other})), "),
                3 => format!("{outer} {value} {other}"),
                4 => format!("{value} {other} {inner}, "),
                _ => format!("{outer}, "),
            }
        };
        (0..=many).map(argument).collect()
    }
}

#[test]
fn m6_no_arguments_make_a_macro_panic() {
    let lists = names::OPTIONS.iter().map(|(list, _)| names::options(list));
    let options: Vec<_> = lists.flatten().collect();
    let mut random = Random(1);
    let mut read = 0;
    for _ in 0..CASES {
        let text = random.arguments(&options);
        let Ok(args) = text.parse::<TokenStream>() else {
            continue;
        };
        read += 1;
        let item: TokenStream = random.of(ITEMS).parse().expect("an item");
        for attribute in [Attribute::Resilient, Attribute::FailFast] {
            attribute::expand(attribute, args.clone(), item.clone());
        }
        let failure = format!(
            "#[classify({text})] enum E {{ A, #[classify({text})] B {{ r#type: u8 }}, C(u8, u8) }}"
        );
        derive::derive(failure.parse().expect("a type"));
    }
    assert!(read > CASES / 3, "{read}");
}

const CASES: usize = 500;
