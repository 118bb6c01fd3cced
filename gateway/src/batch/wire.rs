//! `POST /v1/batch-prompts`: what is asked, as JSON, and what is answered.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Target;
use tollgate_planners::batch::{Answer, BatchPrompt, Ended, Item, Policy, Report, Task};

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    pub model: String,
    task: Task,
    items: Vec<SubmittedItem>,
    /// What of the policy shall be otherwise than the default.
    #[serde(default)]
    policy: Option<serde_json::Map<String, Value>>,
    /// Whether answers come line by line, as they come to stand.
    #[serde(default)]
    pub stream: bool,
    /// Whether the job goes on by itself, to be asked after.
    #[serde(default)]
    pub background: bool,
}

/// A text, or one with more about it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum SubmittedItem {
    Text(String),
    Whole(WholeItem),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WholeItem {
    id: Option<String>,
    text: String,
    trust: Option<String>,
    #[serde(alias = "label")]
    expected: Option<String>,
}

/// All that makes a job.
#[derive(Clone, Debug, serde::Serialize, Deserialize)]
pub struct Spec {
    pub model: String,
    pub task: Task,
    pub items: Vec<Item>,
    pub policy: Policy,
}

impl Submission {
    /// The job that is asked for.
    ///
    /// # Errors
    /// What of the policy cannot be.
    pub fn spec(self, target: &Target) -> Result<Spec, String> {
        let policy = policy(target, self.policy.unwrap_or_default())?;
        let items = self.items.into_iter().enumerate().map(|(number, item)| match item {
            SubmittedItem::Text(text) => Item::new(number.to_string(), text),
            SubmittedItem::Whole(it) => Item {
                trust: it.trust,
                expected: it.expected,
                ..Item::new(it.id.unwrap_or_else(|| number.to_string()), it.text)
            },
        });
        Ok(Spec { model: self.model, task: self.task, items: items.collect(), policy })
    }
}

/// The model's policy, with these members in the place of its own.
fn policy(target: &Target, given: serde_json::Map<String, Value>) -> Result<Policy, String> {
    let mut policy = serde_json::to_value(target.policy()).unwrap_or_default();
    for (name, value) in given {
        policy[name] = value;
    }
    serde_json::from_value(policy).map_err(|error| format!("`policy`: {error}"))
}

/// What a job came to, or has come to so far.
pub fn told(id: Option<&str>, status: &str, report: &Report, answers: Option<&[Answer]>) -> Value {
    let mut told = json!({"object": "batch_prompt", "status": status, "report": report});
    if let Some(id) = id {
        told["id"] = id.into();
    }
    if let Some(answers) = answers {
        told["answers"] = json!(answers);
    }
    told
}

/// How a job stands, in a word.
pub fn status(batch: &BatchPrompt) -> &'static str {
    match batch.report().ended {
        None => "running",
        Some(Ended::Settled) => "completed",
        Some(Ended::Cancelled) => "cancelled",
        Some(Ended::Budget | Ended::Deadline) => "stopped",
        Some(Ended::NoUsableAnswers) => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> Result<Spec, String> {
        let submission: Submission = serde_json::from_str(text).map_err(|error| error.to_string())?;
        submission.spec(&Target::of_simulated().unwrap())
    }

    #[test]
    fn items_and_policies_of_every_form() {
        let text = r#"{"model":"m","task":{"instructions":"Is it?","labels":["yes","no"]},
            "items":["a",{"text":"b","label":"no"},{"id":"x","text":"c","trust":"web"}],
            "policy":{"rounds":2,"size":{"up_to":8},"budget":{"share_of_single":0.25}}}"#;
        let spec = spec(text).unwrap();
        let ids: Vec<&str> = spec.items.iter().map(|it| it.id.as_str()).collect();
        assert_eq!((ids, spec.policy.rounds, spec.items[1].expected.as_deref()), (vec!["0", "1", "x"], 2, Some("no")));
    }

    #[test]
    fn mistakes_are_named() {
        let body = |more: &str| format!(r#"{{"model":"m","task":{{"instructions":"x"}},"items":[]{more}}}"#);
        for (more, told) in [
            (r#","policy":{"round":2}"#, "unknown field `round`"),
            (r#","policy":{"size":"many"}"#, "unknown variant `many`"),
            (r#","strem":true"#, "unknown field `strem`"),
        ] {
            let error = spec(&body(more)).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}
