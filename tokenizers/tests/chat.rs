//! Counts of whole requests: cases with published counts, malformed bodies, and calibration under bad reports.

#[cfg(test)]
mod chat {
    pub mod bedrock;
    pub mod calibration;
    pub mod formats;
    pub mod images;
    pub mod malformed;
    pub mod published;
    pub mod recorded;
    pub mod rules;
    pub mod settings;
    pub mod templates;
    pub mod tool_sets;
}
