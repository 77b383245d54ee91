//! A TOML text as a tree with places.

use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::problem::{Problem, Problems};
use crate::settings::node::{Member, Node, Table};
use crate::settings::origin::Source;
use crate::settings::value::Raw;

/// The tree of a text, as far as it can be read; `problems` hears of every place where it cannot.
pub(crate) fn parse(text: &str, path: &Arc<str>, problems: &mut Problems) -> Node {
    let starts = text.match_indices('\n').map(|(end, _)| end + 1);
    let starts = std::iter::once(0).chain(starts).collect();
    let places = Places { text, path, starts };
    let (table, errors) = DeTable::parse_recoverable(text);
    problems.extend(errors.into_iter().map(|error| {
        let at = places.at(error.span().unwrap_or(0..0));
        Problem::with(error.message().to_owned()).at(at)
    }));
    let at = places.at(table.span());
    Node {
        raw: Raw::Table(places.table(table.into_inner())),
        at,
    }
}

struct Places<'a> {
    text: &'a str,
    path: &'a Arc<str>,
    /// Of the lines.
    starts: Vec<usize>,
}

impl Places<'_> {
    fn table(&self, table: DeTable<'_>) -> Table {
        table
            .into_iter()
            .map(|(name, value)| Member {
                at: self.at(name.span()),
                name: name.into_inner().into_owned(),
                node: Node {
                    at: self.at(value.span()),
                    raw: self.raw(value.into_inner()),
                },
            })
            .collect()
    }

    fn raw(&self, value: DeValue<'_>) -> Raw {
        match value {
            DeValue::Boolean(flag) => Raw::Flag(flag),
            DeValue::String(text) => Raw::Text(text.into_owned()),
            DeValue::Integer(integer) => i128::from_str_radix(integer.as_str(), integer.radix())
                .map_or(Raw::Other("number out of range"), Raw::Whole),
            DeValue::Float(float) => float
                .as_str()
                .parse()
                .map_or(Raw::Other("number out of range"), Raw::Number),
            DeValue::Datetime(_) => Raw::Other("date"),
            DeValue::Array(array) => Raw::Array(
                array
                    .into_iter()
                    .map(|value| Node {
                        at: self.at(value.span()),
                        raw: self.raw(value.into_inner()),
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Raw::Table(self.table(table)),
        }
    }

    /// Line and column, both from 1, the column in characters.
    fn at(&self, span: Range<usize>) -> Source {
        let line = self.starts.partition_point(|start| *start <= span.start);
        let start = self.starts[line.saturating_sub(1)];
        let before = self.text.get(start..span.start).unwrap_or_default();
        let column = before.chars().count() + 1;
        Source::File {
            path: Arc::clone(self.path),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }
}
