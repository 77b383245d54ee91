//! `resilience` under another name, behind a crate that re-exports it, and out of a macro.

/// Under another name.
#[sturdy::resilient(crate = ::sturdy, retries = 1)]
pub async fn renamed(text: String) -> Result<usize, Failure> {
    Ok(text.len())
}

/// Behind another crate.
#[alone::resilience::fail_fast(crate = ::alone::resilience, timeout = "1s")]
pub async fn behind(text: String) -> Result<usize, Failure> {
    Ok(text.len())
}

/// Behind a module of this crate.
mod vendored {
    pub(crate) use ::sturdy as resilience;
}

/// An error type of each way.
#[derive(Debug, sturdy::Classify)]
#[classify(crate = crate::vendored::resilience, transparent)]
pub struct Failure(sturdy::Error);

impl From<sturdy::Error> for Failure {
    fn from(error: sturdy::Error) -> Self {
        Self(error)
    }
}

/// A macro of a crate that others depend on knows where `resilience` is.
#[macro_export]
macro_rules! annotated {
    ($name:ident) => {
        /// Written by a macro.
        #[$crate::resilience::resilient(crate = $crate::resilience, retries = 1)]
        pub async fn $name(n: u8) -> Result<u8, $crate::Failure> {
            Ok(n)
        }
    };
}

#[doc(hidden)]
pub use ::sturdy as resilience;

annotated!(by_macro);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m16_the_crate_may_be_anywhere() {
        assert_eq!(alone::block_on(renamed("ab".into())).unwrap(), 2);
        assert_eq!(alone::block_on(behind("abc".into())).unwrap(), 3);
        assert_eq!(alone::block_on(by_macro(4)).unwrap(), 4);
        assert!(
            sturdy::sites()
                .iter()
                .any(|site| site.path == "renamed::by_macro")
        );
    }
}
