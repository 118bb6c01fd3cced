//! The state machine: prompts out, answers in, and nothing lost between.

use std::collections::{BTreeMap, BTreeSet};

use tollgate_tokenizers::Tokenizer;

use super::{
    Answer, BatchError, Failure, Item, Policy, Prompt, Report, Task, Usage, answers,
    check::{check, check_progress, realms},
    costs::Costs,
    demos, early_stop,
    fence::{self, Flag},
    labels::Labels,
    limits,
    parse::{Faults, parse},
    plan::Wave,
    posterior::Reliability,
    render, report,
    state::{Changes, Ended, Head, ItemState, Planned, Progress, Standing, Unanswered},
    task::Example,
};

/// The most items of a job.
pub const MOST_ITEMS: usize = 1_000_000;
/// Demonstrations take at most this part of a window.
const DEMOS_WINDOW: u32 = 16;
/// After so many waves without a usable answer nothing more is asked.
const MOST_BARREN: u32 = 2;

/// Many items under one task: what to send now, what answers say, where each item stands.
///
/// Prompts come in waves. Those of one wave may be sent and recorded in any order, and the result is the same; the next
/// wave is planned when the last of them is recorded. See the [module](super) for an example.
#[derive(Debug, Clone)]
pub struct BatchPrompt {
    pub(super) task: Task,
    pub(super) items: Vec<Item>,
    pub(super) policy: Policy,
    pub(super) costs: Costs,
    pub(super) flags: Vec<Vec<Flag>>,
    realms: Vec<u32>,
    system: String,
    /// Tokens of each realm's demonstrations.
    demo_tokens: Vec<u64>,
    pub(super) head: Head,
    pub(super) states: Vec<ItemState>,
    pub(super) planned: BTreeMap<u64, Planned>,
    /// Prompts that were given out and not answered.
    pub(super) sent: BTreeSet<u64>,
    labels: Labels,
    changed: BTreeSet<u32>,
    pub(super) new_prompts: BTreeSet<u64>,
    pub(super) done_prompts: Vec<u64>,
    settled: Vec<u32>,
    cancelled: bool,
}

impl BatchPrompt {
    /// A new job. `tokenizer` is the target model's.
    ///
    /// # Errors
    /// [`BatchError`], where two items have one id, a label cannot be told from another, or the policy is impossible.
    pub fn new(task: Task, items: Vec<Item>, policy: Policy, tokenizer: Tokenizer) -> Result<Self, BatchError> {
        let progress = Progress { items: vec![ItemState::default(); items.len()], ..Progress::default() };
        let mut batch = Self::resume(task, items, policy, tokenizer, progress)?;
        batch.give_up_the_too_long();
        Ok(batch)
    }

    /// A job as it was stored. Prompts that were on their way are given out again.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`BatchError::Progress`] where the state is not one of these items.
    pub fn resume(
        task: Task,
        items: Vec<Item>,
        policy: Policy,
        tokenizer: Tokenizer,
        progress: Progress,
    ) -> Result<Self, BatchError> {
        let labels = check(&task, &items, &policy)?;
        check_progress(&progress, &task, items.len())?;
        let Progress { head, items: states, planned } = progress;
        let mut batch = Self {
            costs: Costs::new(&task, &items, &policy, tokenizer),
            flags: items.iter().map(fence::flags).collect(),
            realms: realms(&items),
            system: render::system(&task),
            demo_tokens: Vec::new(),
            labels,
            task,
            items,
            policy,
            head,
            states,
            planned,
            sent: BTreeSet::new(),
            changed: BTreeSet::new(),
            new_prompts: BTreeSet::new(),
            done_prompts: Vec::new(),
            settled: Vec::new(),
            cancelled: false,
        };
        batch.count_demos();
        Ok(batch)
    }

    /// What to send now, at this time: as many prompts as may be on their way beside those that are. None while the
    /// rest of a wave is awaited, and none when the job has ended.
    pub fn next_prompts(&mut self, now_ms: u64) -> Vec<Prompt> {
        let stop = if self.cancelled { Some(Ended::Cancelled) } else { limits::passed(&self.policy, now_ms) };
        match stop {
            Some(ended) => self.stop_sending(ended),
            None if self.planned.is_empty() && self.head.ended.is_none() => self.plan_wave(),
            None => {}
        }
        let mut ids = self.affordable();
        if ids.is_empty() && self.sent.is_empty() && !self.planned.is_empty() {
            // Calls cost more than was expected, and what was planned no longer fits; less may.
            self.drop_unsent();
            self.plan_wave();
            ids = self.affordable();
        }
        self.sent.extend(&ids);
        ids.iter().filter_map(|id| self.planned.get(id)).map(|planned| self.render(planned)).collect()
    }

    /// Takes an answer. Its tokens are charged whatever it says.
    ///
    /// # Errors
    /// [`BatchError::UnknownPrompt`] where no such prompt is on its way; nothing is changed then.
    pub fn record(&mut self, prompt_id: u64, text: &str, usage: Usage) -> Result<Faults, BatchError> {
        let planned = self.finish_prompt(prompt_id)?;
        self.charge(&planned, usage);
        let (said, faults) = parse(&self.labels, self.task.format, planned.items.len(), text);
        self.head.faults.add(faults);
        let n_usable = said.iter().flatten().count();
        if n_usable == 0 {
            self.separate(&planned);
        }
        self.head.fruitful |= n_usable > 0;
        for (place, said) in said.into_iter().enumerate() {
            self.take(&planned, place, said, n_usable > 0);
        }
        Ok(faults)
    }

    /// Says that a prompt has no answer. Its items are asked again in smaller company, so that one that the provider
    /// refuses does not take the others with it. `usage` is what it was charged all the same.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub fn fail(&mut self, prompt_id: u64, failure: Failure, usage: Option<Usage>) -> Result<(), BatchError> {
        let planned = self.finish_prompt(prompt_id)?;
        if let Some(usage) = usage {
            self.charge(&planned, usage);
        }
        if failure == Failure::Cancelled {
            // It says nothing about the provider.
            self.head.fruitful = true;
            return Ok(());
        }
        self.head.failed_calls += 1;
        self.separate(&planned);
        if planned.items.len() == 1 {
            let reason = if failure == Failure::Refused { Unanswered::Refused } else { Unanswered::NoUsableAnswer };
            self.count_failure(planned.items[0], reason);
        }
        Ok(())
    }

    /// Stops: what is not sent is not sent any more, and the job ends with what is on its way.
    pub fn cancel(&mut self) {
        self.cancelled = true;
        self.stop_sending(Ended::Cancelled);
    }

    /// Whether nothing is asked any more, and every item has its answer or the reason why it has none.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.head.ended.is_some()
    }

    /// The answers that came to stand since this was last called.
    pub fn take_settled(&mut self) -> Vec<Answer> {
        let settled = std::mem::take(&mut self.settled);
        settled.into_iter().map(|item| answers::answer(self, item as usize)).collect()
    }

    /// Every item's answer as it stands, in the order of the items.
    #[must_use]
    pub fn answers(&self) -> Vec<Answer> {
        (0..self.items.len()).map(|item| answers::answer(self, item)).collect()
    }

    /// Sums up to now.
    #[must_use]
    pub fn report(&self) -> Report {
        report::report(self)
    }

    /// All that has to be stored for [`resume`](Self::resume), besides task, items and policy.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress { head: self.head.clone(), items: self.states.clone(), planned: self.planned.clone() }
    }

    /// What changed since this was last called, for those who store rows instead of the whole.
    pub fn take_changes(&mut self) -> Changes {
        let items = std::mem::take(&mut self.changed);
        let planned = std::mem::take(&mut self.new_prompts);
        Changes {
            head: self.head.clone(),
            items: items.into_iter().map(|item| (item, self.states[item as usize].clone())).collect(),
            planned: planned.iter().filter_map(|id| self.planned.get(id)).cloned().collect(),
            done: std::mem::take(&mut self.done_prompts),
        }
    }

    pub(super) fn state(&mut self, item: u32) -> &mut ItemState {
        self.changed.insert(item);
        &mut self.states[item as usize]
    }

    pub(super) fn stand(&mut self, item: u32, standing: Standing) {
        self.state(item).standing = standing;
        self.settled.push(item);
    }

    fn plan_wave(&mut self) {
        self.close_wave();
        if self.head.barren >= MOST_BARREN {
            return self.end(Ended::NoUsableAnswers);
        }
        let extra = |realm: u32| self.demo_tokens.get(realm as usize).copied().unwrap_or_default();
        let question = |items: &[u32]| {
            let items = items.iter().map(|item| &self.items[*item as usize]);
            self.costs.count(&render::user(&self.task, items))
        };
        let wave = Wave {
            policy: &self.policy,
            costs: &self.costs,
            head: &self.head,
            states: &self.states,
            realms: &self.realms,
            labels: self.task.labels.len(),
            extra: &extra,
            question: &question,
        };
        let prompts = wave.plan();
        if prompts.is_empty() {
            let open = self.states.iter().any(|state| state.standing == Standing::Open);
            return self.end(if open { Ended::Budget } else { Ended::Settled });
        }
        self.head.next_id += prompts.len() as u64;
        self.head.wave += 1;
        self.head.fruitful = false;
        self.new_prompts.extend(prompts.iter().map(|it| it.id));
        self.planned.extend(prompts.into_iter().map(|it| (it.id, it)));
    }

    /// What can be learned now that no answer of the wave is missing.
    fn close_wave(&mut self) {
        if self.head.wave == 0 {
            return;
        }
        self.head.barren = if self.head.fruitful { 0 } else { self.head.barren + 1 };
        self.head.reliability = Reliability::learn(self.states.iter().map(|state| &state.votes[..]));
        self.choose_demos();
    }

    fn choose_demos(&mut self) {
        if self.policy.demos == 0 || self.policy.demos as usize <= self.head.demos.iter().map(Vec::len).sum() {
            return;
        }
        let n_realms = self.realms.iter().max().map_or(0, |realm| *realm as usize + 1);
        let mut fit: Vec<Vec<(u32, f64, u32)>> = vec![Vec::new(); n_realms];
        // They stay a small part of the window, whatever the items are.
        let longest = self.policy.limits.window / DEMOS_WINDOW / self.policy.demos;
        let is_short = |item: usize| self.costs.lines[item] <= longest;
        let fitting = |(item, state): &(usize, &ItemState)| demos::is_fit(state) && is_short(*item);
        for (item, state) in self.states.iter().enumerate().filter(fitting) {
            let surety = early_stop::surety(&state.votes, self.task.labels.len(), &self.head.reliability);
            fit[self.realms[item] as usize].push((item as u32, surety, self.costs.lines[item]));
        }
        let most = self.policy.demos as usize;
        self.head.demos = fit.into_iter().map(|realm| demos::choose(realm.into_iter(), most)).collect();
        self.count_demos();
    }

    fn count_demos(&mut self) {
        let frame = 2 * u64::from(self.policy.limits.frame);
        let turns = (0..self.head.demos.len()).map(|realm| self.demo_turn(realm as u32));
        let tokens =
            turns.map(|turn| turn.map_or(0, |(ask, said)| self.costs.count(&ask) + self.costs.count(&said) + frame));
        self.demo_tokens = tokens.collect();
    }

    fn demo_turn(&self, realm: u32) -> Option<(String, String)> {
        let chosen = self.head.demos.get(realm as usize)?;
        let solved = chosen.iter().filter_map(|item| {
            let label = answers::answer(self, *item as usize).label?;
            Some(Example { text: self.items[*item as usize].text.clone(), label })
        });
        demos::turn(&self.task, &solved.collect::<Vec<_>>())
    }

    /// Prompts that may be given out now: as many as may be on their way, as far as the budget reaches at what calls
    /// were charged by now.
    fn affordable(&self) -> Vec<u64> {
        let free = (self.policy.in_flight as usize).saturating_sub(self.sent.len());
        let price = |it: &Planned| limits::reserve(&self.head, it.input_tokens, it.max_output_tokens);
        let reserved: u64 = self.sent.iter().filter_map(|id| self.planned.get(id)).map(price).sum();
        let mut left = limits::tokens_left(&self.policy, &self.costs, &self.head).map(|it| it.saturating_sub(reserved));
        let waiting = self.planned.values().filter(|it| !self.sent.contains(&it.id)).take(free);
        let affordable = waiting.take_while(|it| {
            let fits = left.is_none_or(|left| price(it) <= left);
            left = left.map(|left| left.saturating_sub(price(it)));
            fits
        });
        affordable.map(|it| it.id).collect()
    }

    fn drop_unsent(&mut self) {
        let unsent: Vec<u64> = self.planned.keys().filter(|id| !self.sent.contains(id)).copied().collect();
        for id in unsent {
            self.drop_prompt(id);
            // That nobody answered it says nothing about the provider.
            self.head.fruitful = true;
        }
    }

    fn stop_sending(&mut self, ended: Ended) {
        self.drop_unsent();
        if self.planned.is_empty() && self.head.ended.is_none() {
            self.end(ended);
        }
    }

    /// Open items get what can be said of them now.
    fn end(&mut self, ended: Ended) {
        self.head.ended = Some(ended);
        let open = |state: &ItemState| state.standing == Standing::Open;
        let last = (0..self.states.len() as u32).filter(|item| open(&self.states[*item as usize])).collect::<Vec<_>>();
        let reason = if ended == Ended::NoUsableAnswers { Unanswered::NoUsableAnswer } else { Unanswered::NotAsked };
        for item in last {
            let answered = !self.states[item as usize].votes.is_empty();
            self.stand(item, if answered { Standing::Undecided } else { Standing::Unanswered(reason) });
        }
    }

    fn give_up_the_too_long(&mut self) {
        let room = u64::from(self.policy.limits.window);
        for item in 0..self.items.len() as u32 {
            // What is far from the window needs no exact count.
            if 2 * (self.costs.fixed + self.costs.line(item) + self.costs.answer_most) < room {
                continue;
            }
            let question = render::user(&self.task, [&self.items[item as usize]].into_iter());
            let tokens = self.costs.constant + self.costs.count(&question);
            if !limits::fits_window(&self.policy, &self.costs, tokens, 1) {
                self.stand(item, Standing::Unanswered(Unanswered::TooLong));
            }
        }
    }

    fn render(&self, planned: &Planned) -> Prompt {
        let item = |item: &u32| &self.items[*item as usize];
        let examples = (!self.task.examples.is_empty()).then(|| render::turn(&self.task, &self.task.examples));
        let realm = planned.items.first().map_or(0, |item| self.realms[*item as usize]);
        Prompt {
            id: planned.id,
            system: self.system.clone(),
            turns: examples.into_iter().chain(self.demo_turn(realm)).collect(),
            user: render::user(&self.task, planned.items.iter().map(item)),
            schema: render::schema(&self.task),
            input_tokens: planned.input_tokens,
            max_output_tokens: planned.max_output_tokens,
            items: planned.items.iter().map(|it| item(it).id.clone()).collect(),
        }
    }
}
