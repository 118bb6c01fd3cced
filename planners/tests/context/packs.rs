//! Packed contexts: what they hold, what they cost, what they leave out.

use std::{collections::BTreeMap, sync::Arc};

use tollgate_planners::context::{Index, Outline, Pack, PackError, PackRequest, SymbolView, Weights, pack};
use tollgate_tokenizers::Tokenizer;

type Files = BTreeMap<String, Arc<str>>;

fn tokenizer() -> Tokenizer {
    Tokenizer::by_name("o200k_base").unwrap()
}

/// Forty files, one of which locks doors.
fn files() -> Files {
    let file = |n: usize| {
        let text = format!(
            "/// Paints wall {n}.\npub fn paint_{n}(color: u32) -> u32 {{\n    let mixed = color + {n};\n    mixed * 2\n}}\n"
        );
        (format!("src/wall{n}.rs"), Arc::from(text))
    };
    let mut files: Files = (0..40).map(file).collect();
    let door = "/// Turns the key.\npub fn lock_door(key: Key) -> bool {\n    bolt(key.bits())\n}\n\nfn bolt(bits: u32) -> bool {\n    bits > 3\n}\n";
    files.insert("src/door.rs".into(), Arc::from(door));
    files
}

fn indexed(files: &Files) -> Index {
    let mut index = Index::default();
    for (path, text) in files {
        index.insert(path, text, Arc::new(Outline::new(path, text)));
    }
    index
}

fn packed(index: &Index, files: &Files, query: Option<&str>, budget: u64) -> Result<Pack, PackError> {
    let source = |path: &str| files.get(path).cloned();
    let request = PackRequest {
        query,
        budget,
        tokenizer: tokenizer(),
        source: &source,
        remedy: "read",
        weights: Weights::default(),
    };
    pack(index, &request)
}

fn view(pack: &Pack, name: &str) -> Option<SymbolView> {
    pack.packed.iter().find(|it| it.name == name).map(|it| it.view)
}

#[test]
fn the_answer_is_shown_in_full_and_its_helper_too() {
    let files = files();
    let pack = packed(&indexed(&files), &files, Some("how is a door locked with a key"), 300).unwrap();
    assert!(view(&pack, "lock_door") >= Some(SymbolView::Body), "{}", pack.text);
    assert!(view(&pack, "bolt") >= Some(SymbolView::Signature), "{}", pack.text);
    assert!(pack.text.contains("bolt(key.bits())"));
}

#[test]
fn no_context_passes_its_budget_and_the_total_is_the_count_of_the_text() {
    let files = files();
    let index = indexed(&files);
    for query in [None, Some("paint wall 7"), Some("nothing like it"), Some("")] {
        for budget in [40, 80, 200, 1_000, 100_000] {
            let pack = packed(&index, &files, query, budget).unwrap();
            assert!(pack.tokens <= budget, "{query:?} {budget}: {}", pack.tokens);
            assert_eq!(pack.tokens, tokenizer().count(&pack.text) as u64);
            assert_eq!(pack.packed.len() + pack.left_out.0, index.n_symbols());
        }
    }
    assert!(matches!(packed(&index, &files, None, 3), Err(PackError::TooSmall { budget: 3, .. })));
}

#[test]
fn equal_questions_have_equal_contexts() {
    let files = files();
    let one = packed(&indexed(&files), &files, Some("paint"), 500).unwrap();
    let other = packed(&indexed(&files), &files, Some("paint"), 500).unwrap();
    assert_eq!(one.text, other.text);
}

#[test]
fn a_file_that_changed_is_not_shown_until_it_is_indexed_again() {
    let mut files = files();
    let mut index = indexed(&files);
    files.insert("src/door.rs".into(), Arc::from("pub fn open_door() {}\n"));
    let pack = packed(&index, &files, Some("lock door"), 300).unwrap();
    assert_eq!(pack.stale, ["src/door.rs"]);
    assert_eq!(view(&pack, "lock_door"), None);
    let text = &files["src/door.rs"];
    index.insert("src/door.rs", text, Arc::new(Outline::new("src/door.rs", text)));
    let pack = packed(&index, &files, Some("open door"), 300).unwrap();
    assert!(pack.stale.is_empty());
    assert!(view(&pack, "open_door") >= Some(SymbolView::Signature), "{}", pack.text);
}

/// However files came and went, the answers are those of an index that was made at once.
#[test]
fn an_index_that_was_changed_answers_as_a_new_one() {
    let files = files();
    let mut index = indexed(&files);
    let old = "pub fn lock_door_of_old() {}\n";
    index.insert("src/gone.rs", old, Arc::new(Outline::new("src/gone.rs", old)));
    index.insert("src/door.rs", old, Arc::new(Outline::new("src/door.rs", old)));
    assert!(index.remove("src/gone.rs") && !index.remove("src/gone.rs"));
    for (path, text) in &files {
        index.insert(path, text, Arc::new(Outline::new(path, text)));
    }
    for query in [None, Some("lock door"), Some("paint wall 3")] {
        let (changed, new) =
            (packed(&index, &files, query, 600).unwrap(), packed(&indexed(&files), &files, query, 600).unwrap());
        assert_eq!(changed.text, new.text, "{query:?}");
    }
}
