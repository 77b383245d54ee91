//! The runtime of the `resilience` crate. Applications depend on `resilience`, which re-exports
//! what is here.

mod category;
mod classification;
pub mod classify;
mod severity;

/// What the macros of this crate expand to.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
}

pub use crate::category::Category;
pub use crate::classification::{Classification, Effect, Fault, Retry};
pub use crate::classify::Classify;
pub use crate::severity::Severity;
