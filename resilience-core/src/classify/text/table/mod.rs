//! The rules, as data.
//!
//! The phrases come from the messages that the named systems document or print in their sources;
//! the statuses, SQLSTATEs and errno numbers from the public registers named at each table.
//! `docs/classification.md` says how to add one.

mod absent;
mod access;
mod conflict;
mod data;
mod hresult;
mod limits;
mod localised;
mod network;
pub(in crate::classify) mod os;
pub(super) mod pairs;
mod service;
pub(super) mod signs;
pub(super) mod smtp;
pub(in crate::classify) mod sql;
pub(in crate::classify) mod status;
mod subjects;
mod system;
mod time;
mod tls;
mod validation;
pub(super) mod vendor;

use super::rule::Rule;

/// Every phrase table. The order means nothing.
pub(super) const RULES: [&[Rule]; 14] = [
    absent::RULES,
    access::RULES,
    conflict::RULES,
    data::RULES,
    hresult::RULES,
    limits::RULES,
    localised::RULES,
    network::RULES,
    service::RULES,
    subjects::RULES,
    system::RULES,
    time::RULES,
    tls::RULES,
    validation::RULES,
];
