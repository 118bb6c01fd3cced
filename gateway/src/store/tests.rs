//! One list for every kind of store: they keep the same promises, and name what is wrong alike.

use std::{fs, time::Duration};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn config(kind: StoreKind, folder: &TempDir) -> StoreConfig {
    let folder = Some(folder.path().join("data"));
    StoreConfig { kind, folder, sync_every: Duration::from_millis(20), keep_days: 400 }
}

fn on_disk() -> impl Iterator<Item = StoreKind> {
    STORES.iter().map(|it| it.kind).filter(|kind| *kind != StoreKind::Memory)
}

fn keys(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|(key, _)| String::from_utf8_lossy(key).into_owned()).collect()
}

#[test]
fn every_configured_kind_is_registered() {
    let registered: Vec<_> = STORES.iter().map(|it| it.kind).collect();
    let named: Vec<_> = StoreKind::ALL.iter().map(|(_, kind)| *kind).collect();
    assert_eq!(registered, named);
}

#[test]
fn batches_are_whole_and_scans_are_ordered() {
    for Registered { kind, .. } in STORES {
        let folder = TempDir::new().unwrap();
        let store = open(&config(*kind, &folder)).unwrap();
        let puts: Vec<_> =
            ["a/2", "a/1", "b/1", "a", "a/\u{ff}"].iter().map(|key| Write::Put(key.as_bytes(), b"v")).collect();
        store.write(&puts).unwrap();
        store
            .write(&[
                Write::Delete(b"a/1"),
                Write::Put(b"a/2", b"new"),
                Write::Delete(b"none"),
                Write::Put(b"a/3", b""),
            ])
            .unwrap();
        let rows: &[(&str, Option<&str>, usize, &[&str])] = &[
            ("a/", None, 9, &["a/2", "a/3", "a/\u{ff}"]),
            ("a/", None, 2, &["a/2", "a/3"]),
            ("a/", Some("a/2"), 1, &["a/3"]),
            ("a/", Some("a"), 1, &["a/2"]),
            ("a/", Some("a/\u{ff}"), 9, &[]),
            ("b", None, 0, &[]),
            ("c", None, 9, &[]),
        ];
        for (prefix, after, limit, expected) in rows {
            let found = store.scan(prefix.as_bytes(), after.map(str::as_bytes), *limit).unwrap();
            assert_eq!(keys(&found), *expected, "{} {prefix} {after:?}", kind.name());
        }
        assert_eq!(store.get(b"a/2").unwrap().as_deref(), Some(&b"new"[..]));
        assert_eq!(store.get(b"a/3").unwrap().as_deref(), Some(&b""[..]));
        assert_eq!(store.get(b"a/1").unwrap(), None);
    }
}

#[test]
fn what_was_written_is_there_again() {
    for kind in on_disk() {
        let folder = TempDir::new().unwrap();
        let config = config(kind, &folder);
        for round in 0..3_u8 {
            let store = open(&config).unwrap();
            let expected = round.checked_sub(1).map(|last| vec![last]);
            assert_eq!(store.get(b"round").unwrap(), expected, "{}", kind.name());
            store.write(&[Write::Put(b"round", &[round])]).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// Every kind answers as the one in memory does.
    #[test]
    fn all_kinds_agree(
        batches in prop::collection::vec(prop::collection::vec((0_u8..12, prop::option::of(0_u8..9)), 0..5), 0..12),
        prefix in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(255)], 0..2),
        limit in 0_usize..8,
    ) {
        let key = |n: u8| vec![[0, 1, 255][usize::from(n % 3)], n / 3];
        let scans = STORES.iter().map(|it| {
            let folder = TempDir::new().unwrap();
            let store = open(&config(it.kind, &folder)).unwrap();
            for batch in &batches {
                let changes: Vec<_> = batch.iter().map(|(n, value)| (key(*n), value.map(|it| [it]))).collect();
                let changes: Vec<_> = changes.iter().map(|(key, value)| match value {
                    Some(value) => Write::Put(key, value),
                    None => Write::Delete(key),
                }).collect();
                store.write(&changes).unwrap();
            }
            // In memory there is no layout to tell.
            let found = store.scan(&prefix, None, limit + 1).unwrap();
            found.into_iter().filter(|(key, _)| key != LAYOUT_KEY).take(limit).collect::<Vec<_>>()
        });
        let scans: Vec<_> = scans.collect();
        prop_assert!(scans.windows(2).all(|pair| pair[0] == pair[1]), "{scans:?}");
    }
}

#[test]
fn keys_of_a_prefix_end_where_the_next_begins() {
    for (prefix, end) in [(&b"a/"[..], Some(&b"a0"[..])), (b"a\xff", Some(b"b")), (b"", None), (b"\xff\xff", None)] {
        assert_eq!(prefix_end(prefix).as_deref(), end);
    }
}

fn error(config: &StoreConfig) -> String {
    open(config).err().map(|it| it.to_string()).unwrap_or_default()
}

#[test]
fn another_layout_is_refused() {
    for kind in on_disk() {
        let folder = TempDir::new().unwrap();
        let config = config(kind, &folder);
        open(&config).unwrap().write(&[Write::Put(LAYOUT_KEY, b"99")]).unwrap();
        let told =
            "/data` has the layout `99`, and this build reads `1`; update tollgate, or name another `store.folder`";
        assert!(error(&config).ends_with(told), "{}", error(&config));
        (registered(kind).unwrap().open)(&config.folder.clone().unwrap())
            .unwrap()
            .write(&[Write::Delete(LAYOUT_KEY), Write::Put(b"x", b"y")])
            .unwrap();
        assert!(error(&config).contains("has the layout `none`"), "{}", error(&config));
    }
}

/// Every file of a store, filled with what is none of it.
fn spoil(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            spoil(&path);
        } else {
            let length = usize::try_from(entry.metadata().unwrap().len()).unwrap();
            fs::write(path, vec![b'?'; length]).unwrap();
        }
    }
}

#[test]
fn a_damaged_store_is_told_and_left_as_it_is() {
    for kind in on_disk() {
        let folder = TempDir::new().unwrap();
        let config = config(kind, &folder);
        let store = open(&config).unwrap();
        (0..2000_u16).for_each(|n| store.write(&[Write::Put(&n.to_be_bytes(), &[7; 99])]).unwrap());
        drop(store);
        // The thread that syncs may hold it a moment longer.
        std::thread::sleep(Duration::from_millis(200));
        spoil(config.folder.as_deref().unwrap());
        let told = error(&config);
        assert!(
            told.contains("/data/ledger.")
                && told.contains("is damaged (")
                && told.contains("; put a copy of it in its place"),
            "{told}"
        );
        assert_eq!(error(&config), told);
    }
}

#[test]
fn a_store_for_one_process_says_so() {
    for it in STORES.iter().filter(|it| it.kind != StoreKind::Memory) {
        let folder = TempDir::new().unwrap();
        let config = config(it.kind, &folder);
        let held = open(&config).unwrap();
        match it.kind == StoreKind::Sqlite {
            true => assert!(open(&config).is_ok()),
            false => assert!(
                error(&config).contains("is in use by another process; stop that one, or set"),
                "{}",
                error(&config)
            ),
        }
        drop(held);
    }
}

#[test]
fn several_openers_see_each_other() {
    let folder = TempDir::new().unwrap();
    let config = config(StoreKind::Sqlite, &folder);
    let (one, other) = (open(&config).unwrap(), open(&config).unwrap());
    let before = one.foreign_version().unwrap();
    one.write(&[Write::Put(b"k", b"1")]).unwrap();
    assert_eq!(one.foreign_version().unwrap(), before, "one's own writes are none of another's");
    other.write(&[Write::Put(b"k", b"2")]).unwrap();
    assert_ne!(one.foreign_version().unwrap(), before);
    assert_eq!(one.get(b"k").unwrap().as_deref(), Some(&b"2"[..]));
}

#[cfg(unix)]
#[test]
fn the_data_folder_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let folder = TempDir::new().unwrap();
    let config = config(StoreKind::Sqlite, &folder);
    let data = config.folder.clone().unwrap();
    let store = open(&config).unwrap();
    store.write(&[Write::Put(b"k", b"v")]).unwrap();
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = fs::read_dir(&data).unwrap().map(|it| it.unwrap().path()).collect();
    assert!(files.len() > 1, "a log beside the file: {files:?}");
    files.iter().for_each(|it| assert_eq!(mode(it), 0o600, "{}", it.display()));
    drop(store);
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(
        error(&config).ends_with("/data` is open to others (mode 755); run `chmod 700` on it"),
        "{}",
        error(&config)
    );
    assert_eq!(mode(&data), 0o755, "the folder may be somebody's home");
}

#[test]
fn a_folder_that_cannot_be_is_named() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("data"), "a file").unwrap();
    assert!(error(&config(StoreKind::Sqlite, &folder)).contains("/data` cannot be made ("));
    let homeless = StoreConfig { folder: None, ..config(StoreKind::Sqlite, &folder) };
    assert_eq!(
        error(&homeless),
        "`store.folder` is not named, and neither XDG_DATA_HOME nor HOME is set; set `folder` under `[store]`"
    );
}

#[test]
fn a_write_is_synced_in_time() {
    #[derive(Default)]
    struct Counting(std::sync::atomic::AtomicUsize);
    impl Store for Counting {
        fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            Ok(None)
        }
        fn write(&self, _: &[Write<'_>]) -> Result<(), StoreError> {
            Ok(())
        }
        fn scan(&self, _: &[u8], _: Option<&[u8]>, _: usize) -> Result<Vec<Entry>, StoreError> {
            Ok(Vec::new())
        }
        fn sync(&self) -> Result<(), StoreError> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Ok(())
        }
    }
    let counting = Arc::new(Counting::default());
    let count = || counting.0.load(std::sync::atomic::Ordering::SeqCst);
    let store = synced::Synced::start(counting.clone(), Duration::from_millis(10));
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(count(), 0, "nothing was written");
    for round in 1..=3 {
        store.write(&[]).unwrap();
        store.write(&[]).unwrap();
        let waited = (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(5));
            count() >= round
        });
        assert!(waited, "round {round}");
    }
    drop(store);
}

#[test]
fn a_lock_is_held_by_one_at_a_time() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("lock");
    let held = folder::lock_file(&path).unwrap();
    assert!(held.is_some() && folder::lock_file(&path).unwrap().is_none());
    drop(held);
    assert!(folder::lock_file(&path).unwrap().is_some());
}
