//! stand-in
use crate::outcome::Outcome;
use crate::*;
pub struct How<R: Outcome> {
    pub classify: fn(&R::Error) -> Classification,
    pub reject: fn(Error) -> R::Error,
    pub describe: fn(&R::Error) -> String,
}
impl<R: Outcome> How<R> {
    pub fn classify(&self, e: &R::Error) -> Classification {
        (self.classify)(e)
    }
    pub fn describe(&self, e: &R::Error) -> String {
        (self.describe)(e)
    }
    pub fn reject(&self, e: Error) -> R {
        R::from_error((self.reject)(e))
    }
}
