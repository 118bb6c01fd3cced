//! What a query's words leave unsaid: words that tools use for the same thing, formats behind file extensions, and words
//! that say how somebody asks rather than what for.
//!
//! General English and file formats only; no name of a product, server or tool belongs here.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

use super::words::each_term;

/// Words of one meaning, or near enough that a tool for one is worth showing to who asks for another.
const GROUPS: &[&str] = &[
    "save write store",
    "create make generate",
    "search find lookup query",
    "fetch get retrieve",
    "delete remove erase",
    "update edit modify change",
    "send post",
    "list enumerate",
    "extract parse",
    "download fetch",
    "convert conversion transform",
    "compare comparison",
    "analyze analysis",
    "calculate compute math",
    "translate translation",
    "summarize summary",
    "picture image photo",
    "video clip",
    "song music track",
    "movie film",
    "presentation slide powerpoint pptx ppt",
    "document word docx doc",
    "spreadsheet excel xlsx xls",
    "chart graph plot",
    "folder directory",
    "file path",
    "url link website webpage site",
    "email mail",
    "message chat",
    "calendar event schedule",
    "repository repo",
    "issue bug ticket",
    "user account",
    "people person",
    "company business",
    "trip travel",
    "flight airline",
    "train railway rail ticket",
    "hotel accommodation lodging",
    "route direction navigation",
    "map location place",
    "city town",
    "country nation",
    "weather forecast",
    "date day time",
    "price cost",
    "stock ticker share",
    "crypto cryptocurrency bitcoin ethereum",
    "currency exchange",
    "shop product purchase buy",
    "news headline article",
    "paper publication research",
    "restaurant dining food",
    "recipe cooking",
    "job career",
    "game gaming",
    "medical health",
    "drug medicine",
];

/// What a file of this extension is.
const FORMATS: &[(&str, &str)] = &[
    ("csv", "csv"),
    ("db", "database"),
    ("doc", "word document"),
    ("docx", "word document"),
    ("gif", "image"),
    ("html", "html"),
    ("jpeg", "image"),
    ("jpg", "image"),
    ("json", "json"),
    ("md", "markdown"),
    ("mp3", "audio"),
    ("mp4", "video"),
    ("pdf", "pdf"),
    ("png", "image"),
    ("ppt", "powerpoint presentation"),
    ("pptx", "powerpoint presentation"),
    ("py", "python"),
    ("sql", "sql"),
    ("sqlite", "sqlite database"),
    ("svg", "svg image"),
    ("txt", "text"),
    ("wav", "audio"),
    ("xls", "excel spreadsheet"),
    ("xlsx", "excel spreadsheet"),
    ("xml", "xml"),
    ("yaml", "yaml"),
    ("yml", "yaml"),
    ("zip", "zip archive"),
];

/// Words of asking and pointing. They still count for something, since `get` and `find` do tell tools apart.
const ASKING: &str = "help give tell provide show let know find make get including include detailed detail information \
    info following follow based thing new sure look looking try kind way recommend suggest wondering wonder interested \
    right now today tomorrow really one two three first second next last finally after before during each every all \
    other another more most very good great best well only both such same different currently recently latest recent \
    full complete final simple come go going take many much several";

/// Words that only people say, so that a catalogue in which they are rare must not be taken by them.
const TALK: &str = "am us m re ve ll d don doesn didn isn aren wasn won couldn shouldn wouldn im ive who whom whose why \
    he she him her hers than too very just here";

static RELATED: LazyLock<FxHashMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut related = FxHashMap::<String, Vec<String>>::default();
    for group in GROUPS {
        let terms = terms(group);
        for term in &terms {
            related.entry(term.clone()).or_default().extend(terms.iter().filter(|other| *other != term).cloned());
        }
    }
    related
});

static ASKING_TERMS: LazyLock<FxHashSet<String>> = LazyLock::new(|| terms(ASKING).into_iter().collect());

static TALK_TERMS: LazyLock<FxHashSet<String>> = LazyLock::new(|| terms(TALK).into_iter().collect());

/// The terms that mean about what `term` means.
pub(super) fn related(term: &str) -> &'static [String] {
    RELATED.get(term).map_or(&[], Vec::as_slice)
}

/// What files with this extension, in small letters, are.
pub(super) fn format(extension: &str) -> Option<&'static str> {
    FORMATS.binary_search_by_key(&extension, |&(known, _)| known).ok().map(|at| FORMATS[at].1)
}

/// Whether the term says how somebody asks.
pub(super) fn is_asking(term: &str) -> bool {
    ASKING_TERMS.contains(term)
}

/// Whether the term says nothing at all about what is asked for.
pub(super) fn is_talk(term: &str) -> bool {
    TALK_TERMS.contains(term)
}

fn terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    each_term(text, &mut |term| terms.push(term.to_owned()));
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_sorted() {
        assert!(FORMATS.is_sorted_by_key(|&(extension, _)| extension));
    }

    #[test]
    fn words_of_a_group_lead_to_each_other() {
        assert!(related("sav").iter().any(|term| term == "writ"));
        assert!(related("writ").iter().any(|term| term == "sav"));
        assert!(
            related("fetch").iter().any(|term| term == "download") && related("fetch").iter().any(|it| it == "get")
        );
        assert!(related("sextant").is_empty());
    }
}
