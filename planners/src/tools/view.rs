//! The ladder of detail: the ways in which one tool can be shown.

/// One rendering of a tool at one level of detail. Leaving a tool out is the absence of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ToolView {
    /// Its name, in the index inside `search_tools`' description.
    Name,
    /// A line of that index: name and first sentence.
    Summary,
    /// An entry whose description is the call signature and the first sentence; its schema accepts any object.
    Signature,
    /// As [`Signature`](Self::Signature), with the whole description.
    Described,
    /// The whole description and a schema of types, names, `required` and short enums.
    Pruned,
    /// The whole description and the whole schema, losslessly reduced.
    Full,
}

/// Every view in ascending detail. A view's place here is its index in the solver's terms.
pub const LADDER: [ToolView; 6] =
    [ToolView::Name, ToolView::Summary, ToolView::Signature, ToolView::Described, ToolView::Pruned, ToolView::Full];

impl ToolView {
    /// The word for it in configuration, metrics and explanations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Summary => "summary",
            Self::Signature => "signature",
            Self::Described => "described",
            Self::Pruned => "pruned",
            Self::Full => "full",
        }
    }

    /// How much of the tool the view conveys, from 0 to 1.
    ///
    /// These are judgements, not measurements: a name lets a model know that the tool exists (0.15), a first sentence
    /// when to use it (0.4), a signature how to call it (0.65), the description how to call it well (0.8), types and
    /// required fields how to call it without a mistake (0.9). Only their ratios to the tokens matter.
    #[must_use]
    pub fn fidelity(self) -> f64 {
        match self {
            Self::Name => 0.15,
            Self::Summary => 0.4,
            Self::Signature => 0.65,
            Self::Described => 0.8,
            Self::Pruned => 0.9,
            Self::Full => 1.0,
        }
    }

    /// True for the views that are an entry of tools/list, false for those that are a line of the index.
    #[must_use]
    pub fn is_entry(self) -> bool {
        self >= Self::Signature
    }

    /// Its index in [`LADDER`].
    #[must_use]
    pub fn rung(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_ascends() {
        assert!(LADDER.iter().enumerate().all(|(rung, view)| view.rung() == rung));
        assert!(LADDER.is_sorted_by(|a, b| a.fidelity() < b.fidelity()));
    }
}
