//! stand-in
pub trait Outcome {
    type Error;
    fn error(&self) -> Option<&Self::Error>;
    fn from_error(e: Self::Error) -> Self;
}
impl<T, E> Outcome for Result<T, E> {
    type Error = E;
    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
    fn from_error(e: E) -> Self {
        Err(e)
    }
}
