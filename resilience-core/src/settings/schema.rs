//! The JSON schema of a settings file.

use crate::settings::load::Settings;

#[cfg(test)]
mod generated;

impl Settings {
    /// The JSON schema of a settings file, for editors: they check it and complete its names. The
    /// repository has it as `resilience-core/settings.schema.json`.
    pub const fn schema() -> &'static str {
        include_str!("../../settings.schema.json")
    }
}
