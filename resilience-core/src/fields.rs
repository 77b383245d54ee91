//! What `fields(..)` records of a call: nothing else of its arguments ever reaches a log.

use std::fmt;

use crate::redact::redacted;

/// The fields of one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(&'static str, FieldValue)>);

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldValue {
    /// A truth value.
    Bool(bool),
    /// An integer. What does not fit becomes text.
    I64(i64),
    /// A number.
    F64(f64),
    /// A text, cut after 1 KiB, without the secrets that can be told by where they stand.
    Text(String),
    /// An option without a value.
    Absent,
}

impl Fields {
    /// No fields.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a value as it is, a text as [`FieldValue::Text`] says.
    #[must_use]
    pub fn add(mut self, name: &'static str, value: impl Into<FieldValue>) -> Self {
        match value.into() {
            FieldValue::Text(text) => return self.text(name, format_args!("{text}")),
            plain => self.0.push((name, plain)),
        }
        self
    }

    /// Adds the `Display` text of a value.
    #[must_use]
    pub fn display(self, name: &'static str, value: &dyn fmt::Display) -> Self {
        self.text(name, format_args!("{value}"))
    }

    /// Adds the `Debug` text of a value.
    #[must_use]
    pub fn debug(self, name: &'static str, value: &dyn fmt::Debug) -> Self {
        self.text(name, format_args!("{value:?}"))
    }

    fn text(mut self, name: &'static str, text: fmt::Arguments<'_>) -> Self {
        self.0.push((name, FieldValue::Text(clean(text))));
        self
    }

    /// The fields in the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &FieldValue)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// Puts a value in the place of the one of this name, if there is one. The oldest go first where
    /// there would be more than `most`.
    pub(crate) fn set(&mut self, name: &'static str, value: FieldValue, most: usize) {
        self.0.retain(|(found, _)| *found != name);
        if self.0.len() >= most {
            self.0.remove(0);
        }
        self.0.push((name, value));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of the field of this name.
    pub fn get(&self, name: &str) -> Option<&FieldValue> {
        self.iter()
            .find_map(|(found, value)| (found == name).then_some(value))
    }
}

/// What a field records as it is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as it is",
    label = "not a number, a text or a truth value",
    note = "write `name = %value` to record it by `Display`, or `name = ?value` by `Debug`"
)]
pub trait Recorded {
    /// The value of the field.
    fn recorded(self) -> FieldValue;
}

#[diagnostic::do_not_recommend]
impl<T: Into<FieldValue>> Recorded for T {
    fn recorded(self) -> FieldValue {
        self.into()
    }
}

/// The value of a field that is recorded as it is.
pub fn recorded(value: impl Recorded) -> FieldValue {
    value.recorded()
}

/// `name=value` pairs with spaces between them; texts are quoted.
impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.iter().enumerate() {
            let space = if i == 0 { "" } else { " " };
            match value {
                FieldValue::Text(text) => write!(f, "{space}{name}={text:?}")?,
                plain => write!(f, "{space}{name}={plain}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::I64(value) => value.fmt(f),
            Self::F64(value) => value.fmt(f),
            Self::Text(text) => f.pad(text),
            Self::Absent => f.pad("none"),
        }
    }
}

/// Formats a text of at most [`LONGEST_TEXT`] bytes, without secrets.
pub(crate) fn clean(text: fmt::Arguments<'_>) -> String {
    redacted(bounded(text))
}

/// A text of at most [`SHORT_TEXT`] bytes, without secrets.
pub(crate) fn short(mut text: String) -> String {
    if text.len() > SHORT_TEXT {
        let end = (0..=SHORT_TEXT)
            .rev()
            .find(|&end| text.is_char_boundary(end));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    redacted(text)
}

/// Formats a text of at most [`LONGEST_TEXT`] bytes.
pub(crate) fn bounded(text: fmt::Arguments<'_>) -> String {
    let mut out = String::new();
    write_bounded(&mut out, text);
    out
}

/// The same, in the place of what `out` holds.
pub(crate) fn write_bounded(out: &mut String, text: fmt::Arguments<'_>) {
    out.clear();
    // The writer ends the formatting with an error when it is full.
    let complete = fmt::write(&mut Bounded(out), text).is_ok();
    if !complete {
        out.push('…');
    }
}

const LONGEST_TEXT: usize = 1024;
const SHORT_TEXT: usize = 256;

struct Bounded<'a>(&'a mut String);

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() > LONGEST_TEXT - self.0.len() {
            return self.cut(text);
        }
        self.0.push_str(text);
        Ok(())
    }
}

impl Bounded<'_> {
    /// Writes what there is room for.
    #[cold]
    fn cut(&mut self, text: &str) -> fmt::Result {
        let room = LONGEST_TEXT - self.0.len();
        let fits = (0..=room)
            .rev()
            .find(|&end| text.is_char_boundary(end))
            .unwrap_or(0);
        self.0.push_str(&text[..fits]);
        Err(fmt::Error)
    }
}

macro_rules! from {
    ($($type:ty: $value:ident => $field:expr;)*) => {$(
        impl From<$type> for FieldValue {
            fn from($value: $type) -> Self {
                $field
            }
        }
    )*};
}

from! {
    bool: value => Self::Bool(value);
    i8: value => Self::I64(value.into());
    i16: value => Self::I64(value.into());
    i32: value => Self::I64(value.into());
    i64: value => Self::I64(value);
    u8: value => Self::I64(value.into());
    u16: value => Self::I64(value.into());
    u32: value => Self::I64(value.into());
    u64: value => integer(value);
    usize: value => integer(value);
    isize: value => integer(value);
    f32: value => Self::F64(value.into());
    f64: value => Self::F64(value);
    &str: value => Self::Text(clean(format_args!("{value}")));
    &String: value => Self::Text(clean(format_args!("{value}")));
    String: value => Self::Text(clean(format_args!("{value}")));
    std::borrow::Cow<'_, str>: value => Self::Text(clean(format_args!("{value}")));
}

impl<T: Into<Self>> From<Option<T>> for FieldValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}

fn integer<T: TryInto<i64> + fmt::Display + Copy>(value: T) -> FieldValue {
    match value.try_into() {
        Ok(value) => FieldValue::I64(value),
        Err(_) => FieldValue::Text(value.to_string()),
    }
}

macro_rules! from_reference {
    ($($type:ty)*) => {$(
        impl From<&$type> for FieldValue {
            fn from(value: &$type) -> Self {
                (*value).into()
            }
        }
    )*};
}

from_reference! { bool i8 i16 i32 i64 u8 u16 u32 u64 usize isize f32 f64 &str &String }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_type_and_texts_are_cut() {
        let line = 7_usize;
        let fields = Fields::new()
            .add("line", line)
            .add("dry_run", false)
            .add("size", u64::MAX)
            .add("url", FieldValue::Text("db://me:secret@host".to_owned()))
            .display("path", &"a b")
            .debug("long", &"é".repeat(2000));
        assert_eq!(fields.get("line"), Some(&FieldValue::I64(7)));
        assert_eq!(
            fields.get("size"),
            Some(&FieldValue::Text(u64::MAX.to_string()))
        );
        let url = FieldValue::Text("db://***@host".to_owned());
        assert_eq!(fields.get("url"), Some(&url));
        let FieldValue::Text(long) = fields.get("long").unwrap() else {
            panic!("no text")
        };
        assert!(long.len() <= LONGEST_TEXT + '…'.len_utf8() && long.ends_with("é…"));
        assert!(
            fields
                .to_string()
                .starts_with("line=7 dry_run=false size=\"1844")
        );
    }
}
