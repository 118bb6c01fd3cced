//! How much of a symbol is shown.

use serde::Serialize;

/// One rendering of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SymbolView {
    /// Its lines and its name.
    Name,
    /// What says how it is used.
    Signature,
    /// The first paragraph of its documentation, and its signature.
    Documented,
    /// That and its body; of what holds other symbols, their signatures.
    Body,
    /// With all of its documentation.
    Whole,
}

/// Every view, the least first.
pub const SYMBOL_LADDER: [SymbolView; 5] =
    [SymbolView::Name, SymbolView::Signature, SymbolView::Documented, SymbolView::Body, SymbolView::Whole];

impl SymbolView {
    /// Its name, as plans print it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Signature => "signature",
            Self::Documented => "documented",
            Self::Body => "body",
            Self::Whole => "whole",
        }
    }

    /// How much of the symbol it conveys, from 0 to 1.
    #[must_use]
    pub fn fidelity(self) -> f64 {
        match self {
            Self::Name => 0.1,
            Self::Signature => 0.55,
            Self::Documented => 0.6,
            Self::Body => 0.97,
            Self::Whole => 1.0,
        }
    }
}
