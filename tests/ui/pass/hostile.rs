//! Signatures that are hard to read and to write again: raw names, parameters of every kind,
//! conditions on arguments, and values that a macro hands on as fragments.

use std::fmt::{Debug, Display};
use std::future::Future;
use std::pin::Pin;

use crate::support::{Failure, Flaky, block_on, spawn};
use resilience::{Category, fail_fast, resilient};

#[resilient(category = "network", retries = 1, fields(r#type, r#loop = r#fn.len()))]
async fn r#async(r#type: u8, r#fn: String, flaky: &Flaky) -> Result<String, Failure> {
    flaky.run()?;
    Ok(format!("{}{}", r#type, r#fn))
}

#[allow(non_camel_case_types)]
struct r#struct<'r#a, const r#N: usize>(&'r#a [u8; r#N]);

impl<'r#a, const r#N: usize> r#struct<'r#a, r#N> {
    #[resilient(retries = 1, key = r#match)]
    async fn r#move(&self, r#match: usize, flaky: &Flaky) -> Result<&'r#a u8, Failure> {
        flaky.run()?;
        self.0.get(r#match).ok_or(Failure::Planned)
    }
}

/// "Quotes", \ backslashes, `ticks`, {braces} and */ in the documentation.
#[doc = "and \"more\" of {them}"]
#[doc = concat!("a", "b")]
#[resilient(retries = 1)]
async fn all_at_once<'a, 'b: 'a, T, U, F, const N: usize>(
    #[allow(unused_mut)] mut items: [Option<Vec<Box<T>>>; N],
    #[cfg(any())] gone: Missing,
    #[cfg(all())] text: &'a str,
    #[cfg(not(any()))] mut count: u32,
    make: F,
    lent: &'b mut U,
    flaky: &Flaky,
) -> Result<(&'a str, u32, usize), Failure>
where
    T: Clone + Debug + for<'x> PartialEq<&'x str>,
    U: Extend<u8> + Debug + ?Sized + 'b,
    F: Fn(&T) -> bool + Clone,
    for<'x> &'x U: Debug,
    [u8; N]: Sized,
{
    lent.extend([1]);
    count += 1;
    let found = items.iter_mut().flatten().flatten().filter(|t| make(t));
    let found = found.count();
    flaky.run()?;
    Ok((text, count, found))
}

#[resilient(retries = 1)]
#[allow(improper_ctypes_definitions)]
async extern "C" fn foreign(flaky: &Flaky) -> Result<u32, Failure> {
    flaky.run()
}

#[resilient(retries = 1)]
async fn inside(
    n: u8,
    flaky: &Flaky,
) -> Result<impl Iterator<Item = impl Display + use<>> + use<>, Failure> {
    flaky.run()?;
    Ok((0..n).map(|n| n * 2))
}

#[resilient(retries = 1)]
async fn never(flaky: &Flaky) -> Result<std::convert::Infallible, Failure> {
    flaky.run()?;
    Err(Failure::Planned)
}

#[fail_fast]
async fn diverges() -> Result<u8, Failure> {
    loop {
        return Err(Failure::Planned);
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[resilient(retries = 1)]
async fn takes_futures(make: fn(u8) -> Boxed<'static, u8>, flaky: &Flaky) -> Result<u8, Failure> {
    flaky.run()?;
    Ok(make(1).await)
}

trait Store<const N: usize = 2> {
    #[resilient(retries = 1)]
    async fn with_a_body<'a>(&'a self, flaky: &'a Flaky) -> Result<[u8; N], Failure>
    where
        Self: 'a,
    {
        flaky.run()?;
        Ok([self.number().await?; N])
    }

    #[allow(async_fn_in_trait)]
    async fn number(&self) -> Result<u8, Failure>;
}

impl<'a, T: ?Sized> Store for &'a T
where
    T: Debug,
{
    #[resilient(retries = 0)]
    async fn number(&self) -> Result<u8, Failure> {
        Ok(format!("{self:?}").len() as u8)
    }
}

macro_rules! annotated {
    ($(#[$meta:meta])* $vis:vis $name:ident, $retries:expr, $wait:literal, $category:path,
     <$life:lifetime, $param:ident> ($($arg:ident: $ty:ty),*) -> $ok:ty, $body:expr) => {
        $(#[$meta])*
        #[resilient(
            retries = $retries,
            backoff(initial = $wait, jitter = "none"),
            category = $category,
            service = stringify!($name),
            fields($($arg = ?std::any::type_name_of_val(&$arg)),*),
            retry_if = |error: &Failure| matches!(error, Failure::Planned) && $retries > 0,
        )]
        $vis async fn $name<$life, $param: Debug + Clone>($($arg: $ty),*) -> Result<$ok, Failure> {
            $body
        }
    };
}

const SOME: Category = Category::custom("some");
const MANY: u32 = 1;

annotated!(#[must_use] pub(crate) written, MANY + 1, "1ms", SOME,
    <'a, T>(value: T, flaky: &'a Flaky, n: u8) -> (u32, T), Ok((flaky.run()?, value)));

macro_rules! whole {
    ($item:item) => {
        #[resilient(retries = 1)]
        $item
    };
    ($($token:tt)*) => { $($token)* };
}

whole!(
    async fn whole(flaky: &Flaky) -> Result<u32, Failure> {
        flaky.run()
    }
);

macro_rules! in_expression {
    ($flaky:expr) => {{
        #[resilient(retries = 1)]
        async fn local(flaky: &Flaky) -> Result<u32, Failure> {
            flaky.run()
        }
        local($flaky)
    }};
}

fn flaky() -> &'static Flaky {
    Box::leak(Box::new(Flaky::new(1)))
}

#[test]
fn runs() {
    let text = "a".to_owned();
    let one = flaky();
    assert_eq!(spawn(r#async(1, text, one)), Ok("1a".into()));
    assert_eq!(one.runs(), 2);
    block_on(async {
        let one = flaky();
        assert_eq!(r#struct(&[1, 2]).r#move(1, one).await, Ok(&2));
        assert_eq!(one.runs(), 2);
        let (one, mut lent) = (flaky(), Vec::new());
        let items = [Some(vec![Box::new("a"), Box::new("b")]), None];
        let got = all_at_once(items, "t", 1, |t| *t == "a", &mut lent, one).await;
        assert_eq!(got, Ok(("t", 2, 1)));
        assert_eq!((one.runs(), lent), (2, vec![1, 1]));
        assert_eq!(foreign(flaky()).await, Ok(2));
        let numbers: Vec<_> = inside(2, flaky())
            .await
            .unwrap()
            .map(|n| n.to_string())
            .collect();
        assert_eq!(numbers, ["0", "2"]);
        let one = flaky();
        assert!(never(one).await.is_err());
        assert_eq!(one.runs(), 2);
        assert!(diverges().await.is_err());
        assert_eq!(
            takes_futures(|n| Box::pin(async move { n }), flaky()).await,
            Ok(1)
        );
        assert_eq!(Store::<2>::with_a_body(&&7_u8, flaky()).await, Ok([1, 1]));
        let one = flaky();
        assert_eq!(written("x", one, 1).await, Ok((2, "x")));
        assert_eq!(whole(flaky()).await, Ok(2));
        let numbers = [in_expression!(flaky()).await, in_expression!(flaky()).await];
        assert_eq!(numbers, [Ok(2), Ok(2)]);
        let closure = async |flaky: &Flaky| in_expression!(flaky).await.map(|n| n + 1);
        assert_eq!(closure(flaky()).await, Ok(3));
    });
}
