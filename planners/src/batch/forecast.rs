//! What a job will cost, before anything is spent: the job itself, with answers that differ as often as is usual.

use super::{BatchError, BatchPrompt, Prompt, Report, Usage, mix::mix, render};

/// How often an answer is taken to differ from the item's others: about what published curves have at 16 to 32 items.
const DIFFERS: f64 = 0.06;

impl BatchPrompt {
    /// The report that the rest of this job will have if about one answer in sixteen differs from the item's others.
    /// The first wave is exact, later ones are an estimate. Nothing is sent, and this job stays as it is.
    ///
    /// # Errors
    /// None that a caller can bring about.
    pub fn forecast(&self) -> Result<Report, BatchError> {
        let mut job = self.clone();
        job.items.iter_mut().for_each(|item| item.expected = None);
        job.sent.clear();
        while !job.is_done() {
            for prompt in job.next_prompts(0) {
                let text = job.guess(&prompt);
                let output_tokens = job.costs.answer_least * prompt.items.len() as u64;
                let usage = Usage { input_tokens: prompt.input_tokens, output_tokens, cached_input_tokens: 0 };
                job.record(prompt.id, &text, usage)?;
            }
        }
        Ok(job.report())
    }

    fn guess(&self, prompt: &Prompt) -> String {
        let label = |place: usize| {
            let drawn = mix(&[self.policy.seed, prompt.id, place as u64]) as f64 / u64::MAX as f64;
            let index = usize::from(drawn < DIFFERS);
            self.task.labels.get(index).map_or(if index == 0 { "a" } else { "b" }, |label| &label.name)
        };
        let lines = (0..prompt.items.len()).map(|place| render::answer(self.task.format, place, label(place), true));
        render::answers(self.task.format, &lines.collect::<String>())
    }
}
