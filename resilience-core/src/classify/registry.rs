//! Error types of other crates that the walk recognises.

use std::error::Error;
use std::fmt;

use crate::{Classification, Classify};

/// Recognises one error type behind a `dyn Error`. Made by
/// [`register_classify!`](crate::register_classify).
#[derive(Clone, Copy)]
pub struct Registration {
    recognise: Recognise,
}

/// Gives the error as its own type if it is of that type.
type Recognise = for<'a> fn(&'a (dyn Error + 'static)) -> Option<&'a dyn Classify>;

impl Registration {
    /// A registration of `T`.
    pub const fn of<T: Classify + Error + 'static>() -> Self {
        Self {
            recognise: |error| {
                error
                    .downcast_ref::<T>()
                    .map(|error| error as &dyn Classify)
            },
        }
    }
}

impl Registration {
    /// For the derive, which does not know whether its type is a standard error.
    #[doc(hidden)]
    pub const fn by(
        recognise: for<'a> fn(&'a (dyn Error + 'static)) -> Option<&'a dyn Classify>,
    ) -> Self {
        Self { recognise }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").finish_non_exhaustive()
    }
}

inventory::collect!(Registration);

/// The error as a registered type.
pub(super) fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a dyn Classify> {
    inventory::iter::<Registration>().find_map(|registration| (registration.recognise)(error))
}

/// What a registered type says of the error.
pub(super) fn classify(error: &(dyn Error + 'static)) -> Option<Classification> {
    find(error).map(Classify::classify)
}

/// Makes an error type that implements [`Classify`](crate::Classify) known, so that it is found
/// inside `anyhow`, `Box<dyn Error>` and chains of sources.
///
/// The derive does this by itself for types without generics. Takes one or more concrete types;
/// stands at module level.
///
/// ```
/// use resilience_core::{Category, Classification, Classify, classify, register_classify};
///
/// #[derive(Debug)]
/// struct LedgerClosed;
/// # impl std::fmt::Display for LedgerClosed {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
/// #         f.write_str("no more entries")
/// #     }
/// # }
/// # impl std::error::Error for LedgerClosed {}
///
/// impl Classify for LedgerClosed {
///     fn classify(&self) -> Classification {
///         Classification::new(Category::CONFLICT)
///     }
/// }
///
/// register_classify!(LedgerClosed);
///
/// let error: Box<dyn std::error::Error> = Box::new(LedgerClosed);
/// assert_eq!(classify::error(error.as_ref()).category(), Category::CONFLICT);
/// ```
#[macro_export]
macro_rules! register_classify {
    ($($error:ty),+ $(,)?) => {
        $($crate::__private_0_1_0::inventory::submit! {
            $crate::classify::Registration::of::<$error>()
        })+
    };
}
