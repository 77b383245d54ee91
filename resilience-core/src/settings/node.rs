//! A tree of what is written, with the place of every name and value.

use crate::settings::origin::Source;
use crate::settings::value::Raw;

/// Something written, and where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) raw: Raw,
    pub(crate) at: Source,
}

/// Names with what is written for them, in no order.
pub(crate) type Table = Vec<Member>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Of the name.
    pub(crate) at: Source,
    pub(crate) node: Node,
}

impl Node {
    /// `value` at the end of this path.
    pub(crate) fn at_path(path: &[String], value: Raw, at: &Source) -> Self {
        let raw = match path {
            [] => value,
            [name, rest @ ..] => Raw::Table(vec![Member {
                name: name.clone(),
                at: at.clone(),
                node: Self::at_path(rest, value, at),
            }]),
        };
        Self {
            raw,
            at: at.clone(),
        }
    }
}
