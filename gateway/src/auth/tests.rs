//! Keys as the proxy meets them, and their file as commands change it.

use std::{fs, thread};

use tempfile::TempDir;

use super::{file::change, key::Record, *};

fn add(folder: &Path, edit: impl FnOnce(&mut Record)) -> (Record, String) {
    let (mut record, key) = Record::generate("test", Moment(1000)).unwrap();
    edit(&mut record);
    change(folder, |keys| {
        keys.push(record.clone());
        Ok(())
    })
    .unwrap();
    (record, key.expose().to_owned())
}

fn found(keys: &Keys, shown: &str, now: u64) -> Result<String, Denied> {
    keys.find(shown, Moment(now)).map(|key| key.record.id.clone())
}

#[test]
fn a_key_is_let_in_until_it_ends() {
    let folder = TempDir::new().unwrap();
    let (plain, plain_key) = add(folder.path(), |_| {});
    let (_, revoked_key) = add(folder.path(), |it| it.revoked = Some(Moment(2000)));
    let (ending, ending_key) = add(folder.path(), |it| it.expires = Some(Moment(5000)));
    let keys = Keys::open(folder.path()).unwrap();
    let rows = [
        (plain_key.as_str(), 1000, Ok(plain.id)),
        (&revoked_key, 1000, Err(Denied::Revoked)),
        (&ending_key, 4999, Ok(ending.id)),
        (&ending_key, 5000, Err(Denied::Expired(Moment(5000)))),
        (&plain_key[1..], 1000, Err(Denied::Unknown)),
        (&plain_key[..45], 1000, Err(Denied::Unknown)),
        ("", 1000, Err(Denied::Unknown)),
        (&"x".repeat(100_000), 1000, Err(Denied::Unknown)),
    ];
    for (shown, now, expected) in rows {
        assert_eq!(found(&keys, shown, now), expected);
    }
}

#[test]
fn a_running_gateway_sees_what_commands_change() {
    let folder = TempDir::new().unwrap();
    let keys = Keys::open(folder.path()).unwrap();
    assert!(keys.is_empty(Moment(10_000)));
    let (record, key) = add(folder.path(), |_| {});
    assert_eq!(found(&keys, &key, 10_000 + RELOAD_MS - 1), Err(Denied::Unknown), "it does not look at every request");
    assert_eq!(found(&keys, &key, 10_000 + RELOAD_MS), Ok(record.id.clone()));
    change(folder.path(), |keys| {
        keys[0].revoked = Some(Moment(1));
        Ok(())
    })
    .unwrap();
    assert_eq!(found(&keys, &key, 20_000), Err(Denied::Revoked));
    // A clock that was set back is no reason not to look.
    fs::remove_file(file::path(folder.path())).unwrap();
    assert_eq!(found(&keys, &key, 5_000), Err(Denied::Unknown));
}

#[test]
fn a_damaged_file_locks_nobody_out() {
    let folder = TempDir::new().unwrap();
    let (record, key) = add(folder.path(), |_| {});
    let keys = Keys::open(folder.path()).unwrap();
    let path = file::path(folder.path());
    let good = fs::read_to_string(&path).unwrap();
    let hash = String::from(record.hash.clone());
    let rows = [
        ("".to_owned(), "is no list of api keys (line 1, column 0); put a copy of it in its place"),
        (good[..good.len() / 2].to_owned(), "is no list of api keys (line "),
        (good.replace("\"name\"", "\"nome\""), "is no list of api keys (line "),
        (good.replace(&hash, "x"), "is no list of api keys (line "),
        (
            good.replace("\"version\": 1", "\"version\": 2"),
            "has the layout `2`, and this build reads `1`; update tollgate",
        ),
        (good.replace("\"routes\": []", "\"routes\": [\"[\"]"), "is no list of api keys ("),
    ];
    for (at, (text, told)) in rows.iter().enumerate() {
        assert_ne!(*text, good);
        fs::write(&path, text).unwrap();
        let error = Keys::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains("/keys.json` ") && error.contains(told) && !error.contains(&hash), "{error}");
        assert_eq!(found(&keys, &key, 1_000_000 * (at as u64 + 1)), Ok(record.id.clone()));
        let changed = change(folder.path(), |_| Ok(()));
        assert!(changed.is_err() == (at < 5), "{changed:?}");
    }
}

#[test]
fn changes_take_turns() {
    let folder = TempDir::new().unwrap();
    let keys = Keys::open(folder.path()).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| drop(add(folder.path(), |_| {}))));
        }
        // A reader never sees half a file.
        scope.spawn(|| (0..200).for_each(|_| drop(load(folder.path()).unwrap())));
    });
    assert_eq!(load(folder.path()).unwrap().len(), 40);
    assert!(!keys.is_empty(Moment(1_000_000)));
    let refused: Result<(), _> = change(folder.path(), |keys| {
        keys.clear();
        Err("no".to_owned())
    });
    assert_eq!((refused, load(folder.path()).unwrap().len()), (Err("no".to_owned()), 40));
}

#[cfg(unix)]
#[test]
fn key_files_are_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    add(folder.path(), |_| {});
    for entry in fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
}
