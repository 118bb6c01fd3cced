//! Every way in which an answer may be written, and every way in which it may be wrong.

use tollgate_planners::batch::{BatchPrompt, Faults, Format, Order, Policy, Size, Task};

use super::support::{items, task, tokenizer, usage};

/// What one answer to a prompt of three items says of them, and what was wrong with it.
fn check_with(task: Task, reply: &str, expected: [Option<&str>; 3], faults: Faults) {
    let policy = Policy { size: Size::Fixed(3), order: Order::AsGiven, ..Policy::default() };
    let mut batch = BatchPrompt::new(task, items(3), policy, tokenizer()).unwrap();
    let prompt = batch.next_prompts(0).pop().unwrap();
    assert_eq!(batch.record(prompt.id, reply, usage(&prompt)).unwrap(), faults, "{reply}");
    let labels: Vec<Option<String>> = batch.answers().into_iter().map(|answer| answer.label).collect();
    assert_eq!(labels.iter().map(Option::as_deref).collect::<Vec<_>>(), expected, "{reply}");
    let votes: u32 = batch.answers().iter().flat_map(|it| &it.votes).map(|it| it.count).sum();
    assert_eq!(votes as usize, expected.iter().flatten().count(), "{reply}");
}

fn check(reply: &str, expected: [Option<&str>; 3], faults: Faults) {
    check_with(task(), reply, expected, faults);
}

const ALL: [Option<&str>; 3] = [Some("even"), Some("odd"), Some("even")];
const NONE: Faults =
    Faults { missing: 0, duplicate: 0, contradictory: 0, out_of_range: 0, unparsable: 0, out_of_order: 0 };

fn lines(lines: [&str; 3]) -> String {
    lines.iter().enumerate().map(|(at, line)| format!("Label for Input {at}: {line}\n")).collect()
}

#[test]
fn label_lines_are_read_however_they_are_dressed() {
    check(&lines(["even (confident)", "odd (not confident)", "even"]), ALL, NONE);
    check(&lines(["[even] (confident)", "'Odd'.", "**EVEN** (confident)."]), ALL, NONE);
    let listed = "Sure:\n- Label for Input 0: even\n* **Label for Input 1:** odd\n> label for input 2: even\nDone.";
    check(listed, ALL, NONE);
    check(&lines(["even", "odd", "even"]).replace('\n', "\r\n"), ALL, NONE);
}

#[test]
fn answers_are_found_by_number() {
    let reply = "Label for Input 2: even\nLabel for Input 0: even\nLabel for Input 1: odd\n";
    check(reply, ALL, Faults { out_of_order: 2, ..NONE });
}

#[test]
fn nothing_is_taken_from_a_neighbour() {
    let rows: &[(&str, [Option<&str>; 3], Faults)] = &[
        (
            "Label for Input 0: even\nLabel for Input 2: even",
            [Some("even"), None, Some("even")],
            Faults { missing: 1, ..NONE },
        ),
        ("even\nodd\neven", [None; 3], Faults { missing: 3, ..NONE }),
        ("I cannot help with that.", [None; 3], Faults { missing: 3, ..NONE }),
        ("", [None; 3], Faults { missing: 3, ..NONE }),
        ("Label for Input 0: even\nLabel for Inp", [Some("even"), None, None], Faults { missing: 2, ..NONE }),
        (
            "Label for Input 0: even\nLabel for Input 1: odd\nLabel for Input 2: even\nLabel for Input 3: odd",
            ALL,
            Faults { out_of_range: 1, ..NONE },
        ),
        ("Label for Input 99999999999999999999999: odd", [None; 3], Faults { out_of_range: 1, missing: 3, ..NONE }),
        (
            "Label for Input 0: prime\nLabel for Input 1: odd\nLabel for Input 2: even",
            [None, Some("odd"), Some("even")],
            Faults { unparsable: 1, ..NONE },
        ),
    ];
    for (reply, expected, faults) in rows {
        check(reply, *expected, *faults);
    }
}

#[test]
fn a_second_answer_confirms_or_voids_the_first() {
    let first = lines(["even", "odd", "even"]);
    check(&format!("{first}Label for Input 1: odd"), ALL, Faults { duplicate: 1, ..NONE });
    let voided = [Some("even"), None, Some("even")];
    check(&format!("{first}Label for Input 1: even"), voided, Faults { duplicate: 1, contradictory: 1, ..NONE });
    let thrice = format!("{first}Label for Input 1: even\nLabel for Input 1: odd");
    check(&thrice, voided, Faults { duplicate: 2, contradictory: 1, ..NONE });
}

fn json() -> Task {
    Task { format: Format::Json, ..task() }
}

#[test]
fn json_is_read_whole_fenced_and_cut_off() {
    let entry = |at: usize, label: &str| format!(r#"{{"input":{at},"label":"{label}","confident":true}}"#);
    let all = format!(r#"{{"labels":[{},{},{}]}}"#, entry(0, "even"), entry(1, "odd"), entry(2, "even"));
    check_with(json(), &all, ALL, NONE);
    check_with(json(), &format!("Here you are:\n```json\n{all}\n```"), ALL, NONE);
    check_with(json(), &all.replace("\"input\":1", "\"input\":\"1\""), ALL, NONE);
    check_with(
        json(),
        &all.replace("odd", "neither"),
        [Some("even"), None, Some("even")],
        Faults { unparsable: 1, ..NONE },
    );
    check_with(
        json(),
        &all.replace("\"input\":1", "\"input\":-1"),
        [Some("even"), None, Some("even")],
        Faults { missing: 1, out_of_range: 1, ..NONE },
    );
    let cut = &all[..all.len() - 20];
    check_with(json(), cut, [Some("even"), Some("odd"), None], Faults { missing: 1, ..NONE });
    check_with(json(), &"{".repeat(100_000), [None; 3], Faults { missing: 3, ..NONE });
}

#[test]
fn free_answers_are_compared_word_by_word() {
    let free = Task::new("Name the country.", &[]);
    let reply = lines(["\"New  Zealand\" (confident)", "the U.S.", "(not confident)"]);
    check_with(free, &reply, [Some("New Zealand"), Some("the U.S."), None], Faults { unparsable: 1, ..NONE });
}
