//! Files of a batch: the task, the items, the policy, and the answers.

use std::{collections::HashMap, fs, path::Path};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cli::Failure;
use tollgate_planners::batch::{Item, Task};

/// The columns of items.
pub struct Columns<'a> {
    pub id: &'a str,
    pub text: &'a str,
    pub label: &'a str,
}

/// The column that says where an item comes from.
const TRUST: &str = "trust";

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| format!("`{}` cannot be read ({error}); correct its path", file.display()).into())
}

fn extension(file: &Path) -> String {
    file.extension().map(|it| it.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// A TOML or JSON file.
///
/// # Errors
/// The file, and what is wrong with it.
pub fn structured<T: DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let text = String::from_utf8_lossy(&read(file)?).into_owned();
    let parsed = match extension(file).as_str() {
        "toml" => toml::from_str(&text).map_err(|error| error.to_string()),
        _ => serde_json::from_str(&text).map_err(|error| error.to_string()),
    };
    parsed.map_err(|error| format!("`{}` cannot be used: {}", file.display(), error.trim_end()).into())
}

/// The task that a text or a file says.
///
/// # Errors
/// The file, and what is wrong with it.
pub fn task(said: &str, labels: &[String]) -> Result<Task, Failure> {
    let file = Path::new(said);
    let labels: Vec<&str> = labels.iter().map(|it| it.trim()).collect();
    let mut task = match extension(file).as_str() {
        "toml" | "json" => structured(file)?,
        _ if file.is_file() => Task::new(String::from_utf8_lossy(&read(file)?).trim(), &[]),
        _ => Task::new(said, &[]),
    };
    if !labels.is_empty() {
        task.labels = Task::new("", &labels).labels;
    }
    Ok(task)
}

/// The items of a .csv file, or of one with JSON lines.
///
/// # Errors
/// The file, the line, and what is wrong with it.
pub fn items(file: &Path, columns: &Columns<'_>) -> Result<Vec<Item>, Failure> {
    let bytes = read(file)?;
    let read = if extension(file) == "csv" { of_csv(&bytes, columns) } else { of_json_lines(&bytes, columns) };
    let items = read.map_err(|told| format!("`{}`, {told}", file.display()))?;
    if items.is_empty() {
        return Err(format!("`{}` has no items", file.display()).into());
    }
    Ok(items)
}

fn of_csv(bytes: &[u8], columns: &Columns<'_>) -> Result<Vec<Item>, String> {
    let mut reader = csv::ReaderBuilder::new().from_reader(bytes);
    let header = reader.byte_headers().map_err(|error| format!("the header: {error}"))?.clone();
    let names: HashMap<String, usize> =
        header.iter().enumerate().map(|(at, name)| (String::from_utf8_lossy(name).trim().to_owned(), at)).collect();
    let text = names.get(columns.text).ok_or_else(|| {
        let mut known: Vec<&str> = names.keys().map(String::as_str).collect();
        known.sort_unstable();
        format!(
            "the header: there is no column `{}`, only {}; name it with --text-column",
            columns.text,
            known.join(", ")
        )
    })?;
    let mut items = Vec::new();
    for (number, row) in reader.byte_records().enumerate() {
        let row = row.map_err(|error| format!("item {number}: {error}"))?;
        let field = |name: &str| {
            let bytes = row.get(*names.get(name)?)?;
            Some(String::from_utf8_lossy(bytes).into_owned()).filter(|it| !it.is_empty())
        };
        let id = field(columns.id).unwrap_or_else(|| number.to_string());
        let mut item = Item::from_bytes(id, row.get(*text).unwrap_or_default());
        (item.expected, item.trust) = (field(columns.label), field(TRUST));
        items.push(item);
    }
    Ok(items)
}

fn of_json_lines(bytes: &[u8], columns: &Columns<'_>) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = number + 1;
        // What is no UTF-8 is told of the item, and does not end the job.
        let readable = String::from_utf8_lossy(line);
        let row: Value = serde_json::from_str(&readable).map_err(|error| format!("line {place}: {error}"))?;
        let field = |name: &str| match &row[name] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let text = match &row {
            Value::String(text) => Some(text.clone()),
            _ => field(columns.text),
        };
        let text = text.ok_or_else(|| {
            format!("line {place}: there is no `{}`; name the field with --text-column", columns.text)
        })?;
        let mut item = Item::new(field(columns.id).unwrap_or_else(|| items.len().to_string()), text);
        item.replaced = matches!(readable, std::borrow::Cow::Owned(_));
        (item.expected, item.trust) = (field(columns.label), field(TRUST));
        items.push(item);
    }
    Ok(items)
}

/// Writes the answers.
///
/// # Errors
/// The file, and why it cannot be written.
pub fn write(file: &Path, rows: &str) -> Result<(), Failure> {
    fs::write(file, rows).map_err(|error| format!("`{}` cannot be written ({error})", file.display()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns<'_> = Columns { id: "id", text: "text", label: "label" };

    fn read_as(name: &str, content: &[u8]) -> Result<Vec<Item>, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        items(&file, &COLUMNS).map_err(|Failure(lines)| lines.join("\n").replace(&*file.to_string_lossy(), name))
    }

    #[test]
    fn items_of_every_form() {
        let csv = b"id,text,label,trust\na,\"x, \"\"y\"\"\nz\",yes,web\nb,\xff,,\n";
        let json = b"{\"id\":\"a\",\"text\":\"x, \\\"y\\\"\\nz\",\"label\":\"yes\",\"trust\":\"web\"}\n\n{\"id\":\"b\",\"text\":\"\xff\"}\n";
        for (name, content) in [("i.csv", &csv[..]), ("i.jsonl", &json[..])] {
            let items = read_as(name, content).unwrap();
            assert_eq!((items.len(), items[0].text.as_str(), items[1].text.as_str()), (2, "x, \"y\"\nz", "\u{fffd}"));
            assert_eq!((items[0].expected.as_deref(), items[0].trust.as_deref()), (Some("yes"), Some("web")));
            assert_eq!((items[0].replaced, items[1].replaced, &items[1].expected), (false, true, &None));
        }
        let bare = read_as("i.jsonl", b"\"one\"\n{\"text\":2}").unwrap();
        assert_eq!((bare[0].id.as_str(), bare[1].id.as_str(), bare[1].text.as_str()), ("0", "1", "2"));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let rows: &[(&str, &[u8], &str)] = &[
            ("i.csv", b"a,b\n1,2\n", "`i.csv`, the header: there is no column `text`, only a, b; name it with"),
            ("i.csv", b"id,text\n1\n", "item 0: "),
            ("i.jsonl", b"{\"text\":\"x\"}\n{", "`i.jsonl`, line 2: EOF"),
            ("i.jsonl", b"{\"words\":\"x\"}", "line 1: there is no `text`"),
            ("i.jsonl", b"\n", "has no items"),
        ];
        for (name, content, told) in rows {
            let error = read_as(name, content).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn tasks_of_every_form() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_string_lossy().into_owned()
        };
        let labels = ["yes".to_owned(), " no".to_owned()];
        let toml = "instructions = 'Is it?'\nlabels = ['yes', {name = 'no', meaning = 'otherwise'}]\nformat = 'json'";
        let rows = [
            (task("Is it?", &labels), 2),
            (task(&file("t.txt", "Is it?\n"), &[]), 0),
            (task(&file("t.toml", toml), &[]), 2),
            (task(&file("t.json", r#"{"instructions":"Is it?","labels":["a","b","c"]}"#), &[]), 3),
        ];
        for (task, n_labels) in rows {
            let task = task.unwrap();
            assert_eq!((task.instructions.as_str(), task.labels.len()), ("Is it?", n_labels));
        }
        let Failure(lines) = task(&file("w.toml", "instruction = 'x'"), &[]).unwrap_err();
        assert!(lines[0].contains("unknown field `instruction`"), "{lines:?}");
        assert!(task("missing.json", &[]).is_err());
    }
}
