//! What `resource(name = amount)` takes.

/// An amount: any unsigned integer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no amount of a resource",
    label = "not an unsigned integer",
    note = "an amount is a `u8`, `u16`, `u32`, `u64`, `u128` or `usize`"
)]
pub trait Amount: sealed::Sealed {
    /// The amount, as large as it can be told.
    fn amount(self) -> u64;
}

macro_rules! amounts {
    ($($ty:ty)*) => {$(
        impl Amount for $ty {
            #[inline]
            #[allow(clippy::unnecessary_fallible_conversions, reason = "of some of the types")]
            fn amount(self) -> u64 {
                u64::try_from(self).unwrap_or(u64::MAX)
            }
        }

        impl sealed::Sealed for $ty {}
    )*};
}

amounts!(u8 u16 u32 u64 u128 usize);

/// The amount, as large as it can be told.
#[inline]
pub fn amount<A: Amount>(amount: A) -> u64 {
    amount.amount()
}

mod sealed {
    pub trait Sealed {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_than_can_be_told_is_the_most() {
        assert_eq!(amount(7_u8), 7);
        assert_eq!(amount(u128::MAX), u64::MAX);
    }
}
