//! The state machine: prompts out, answers in, and nothing lost between.

use std::collections::{BTreeMap, BTreeSet};

use tollgate_tokenizers::Tokenizer;

use super::{
    Answer, BatchError, Failure, Item, Policy, Prompt, Report, Task, Usage, answers,
    costs::Costs,
    demos, early_stop,
    fence::{self, Flag},
    limits,
    parse::{Faults, Said, parse},
    plan::Wave,
    posterior::Reliability,
    render, report,
    state::{Cast, Changes, Ended, Head, ItemState, Planned, Progress, Standing, Unanswered},
    task::Example,
};

/// The most items of a job.
pub const MOST_ITEMS: usize = 1_000_000;
/// How much smaller the prompts of items are after one that failed as a whole.
const SHRINK: usize = 4;
/// The most items of the prompt that is an item's last attempt.
const LAST_ATTEMPT: u32 = 4;
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
    planned: BTreeMap<u64, Planned>,
    /// Prompts that were given out and not answered.
    pub(super) sent: BTreeSet<u64>,
    texts: BTreeMap<String, u32>,
    changed: BTreeSet<u32>,
    new_prompts: BTreeSet<u64>,
    done_prompts: Vec<u64>,
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
        check(&task, &items, &policy)?;
        check_progress(&progress, &task, items.len())?;
        let Progress { head, items: states, planned } = progress;
        let mut batch = Self {
            costs: Costs::new(&task, &items, &policy, tokenizer),
            flags: items.iter().map(fence::flags).collect(),
            realms: realms(&items),
            system: render::system(&task),
            demo_tokens: Vec::new(),
            texts: head.texts.iter().cloned().zip(0..).collect(),
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
        let free = (self.policy.in_flight as usize).saturating_sub(self.sent.len());
        let waiting = self.planned.keys().filter(|id| !self.sent.contains(id));
        let ids: Vec<u64> = waiting.take(free).copied().collect();
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
        let (said, faults) = parse(&self.task, planned.items.len(), text);
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

    fn state(&mut self, item: u32) -> &mut ItemState {
        self.changed.insert(item);
        &mut self.states[item as usize]
    }

    fn stand(&mut self, item: u32, standing: Standing) {
        self.state(item).standing = standing;
        self.settled.push(item);
    }

    fn finish_prompt(&mut self, id: u64) -> Result<Planned, BatchError> {
        if !self.sent.remove(&id) {
            return Err(BatchError::UnknownPrompt(id));
        }
        self.drop_prompt(id).ok_or(BatchError::UnknownPrompt(id))
    }

    fn drop_prompt(&mut self, id: u64) -> Option<Planned> {
        if !self.new_prompts.remove(&id) {
            self.done_prompts.push(id);
        }
        self.planned.remove(&id)
    }

    /// Each item bears its own line, and the same part of the rest.
    fn charge(&mut self, planned: &Planned, usage: Usage) {
        self.head.usage.add(usage);
        self.head.calls += 1;
        self.head.first_calls += u64::from(planned.wave == 0);
        self.head.asked += planned.items.len() as u64;
        let surcharge = limits::surcharge(planned.input_tokens, usage.input_tokens);
        self.head.surcharge = self.head.surcharge.max(surcharge);
        let lines: u64 = planned.items.iter().map(|item| self.costs.line(*item)).sum();
        let rest = (usage.input_tokens + usage.output_tokens).saturating_sub(lines);
        let part = rest * 1_000 / planned.items.len().max(1) as u64;
        for item in &planned.items {
            let own = self.costs.line(*item) * 1_000;
            self.state(*item).charged_milli += own + part;
        }
    }

    fn take(&mut self, planned: &Planned, place: usize, said: Option<Said>, others_answered: bool) {
        let item = planned.items[place];
        let Some(said) = said else {
            self.go_without(item, planned.items.len(), others_answered);
            return;
        };
        let label = self.label_index(said.label);
        let (wave, size) = (planned.wave, planned.items.len() as u32);
        let vote = Cast { label, confident: said.confident, wave, size, place: place as u32 };
        let group = planned.id as u32;
        let state = self.state(item);
        state.votes.push(vote);
        if wave == 0 {
            state.group = group;
        }
        let labels = self.task.labels.len();
        let votes = &self.states[item as usize].votes;
        if early_stop::is_settled(&self.policy, votes, labels, &self.head.reliability) {
            self.stand(item, Standing::Settled);
        }
    }

    /// An answer left the item out. It is asked again, the last time beside few others.
    fn go_without(&mut self, item: u32, n_items: usize, others_answered: bool) {
        if !others_answered && n_items > 1 {
            return;
        }
        self.count_failure(item, Unanswered::NoUsableAnswer);
        if self.states[item as usize].failures + 1 >= self.policy.attempts {
            self.state(item).at_most = LAST_ATTEMPT;
        }
    }

    fn count_failure(&mut self, item: u32, reason: Unanswered) {
        let attempts = self.policy.attempts;
        let state = self.state(item);
        state.failures += 1;
        if state.failures >= attempts {
            // What other prompts said of it stands.
            let standing = if state.votes.is_empty() { Standing::Unanswered(reason) } else { Standing::Undecided };
            self.stand(item, standing);
        }
    }

    fn separate(&mut self, planned: &Planned) {
        let at_most = (planned.items.len() / SHRINK).max(1) as u32;
        for item in &planned.items {
            self.state(*item).at_most = at_most;
        }
    }

    fn label_index(&mut self, label: String) -> u32 {
        if !self.task.is_free() {
            return self.task.label(&label).unwrap_or_default() as u32;
        }
        let next = self.head.texts.len() as u32;
        let index = *self.texts.entry(label.clone()).or_insert(next);
        if index == next {
            self.head.texts.push(label);
        }
        index
    }

    fn plan_wave(&mut self) {
        self.close_wave();
        if self.head.barren >= MOST_BARREN {
            return self.end(Ended::NoUsableAnswers);
        }
        let extra = |realm: u32| self.demo_tokens.get(realm as usize).copied().unwrap_or_default();
        let wave = Wave {
            policy: &self.policy,
            costs: &self.costs,
            head: &self.head,
            states: &self.states,
            realms: &self.realms,
            labels: self.task.labels.len(),
            extra: &extra,
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
        for (item, state) in self.states.iter().enumerate().filter(|(_, state)| demos::is_fit(state)) {
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

    fn stop_sending(&mut self, ended: Ended) {
        let unsent: Vec<u64> = self.planned.keys().filter(|id| !self.sent.contains(id)).copied().collect();
        for id in unsent {
            self.drop_prompt(id);
        }
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
        for item in 0..self.items.len() as u32 {
            if !limits::fits_window(&self.policy, &self.costs, self.costs.fixed + self.costs.line(item), 1) {
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

fn check(task: &Task, items: &[Item], policy: &Policy) -> Result<(), BatchError> {
    task.check()?;
    policy.check()?;
    if items.len() > MOST_ITEMS {
        return Err(BatchError::TooMany(items.len()));
    }
    let mut ids = BTreeSet::new();
    for item in items {
        if !ids.insert(item.id.as_str()) {
            return Err(BatchError::SameId(item.id.clone()));
        }
        match &item.expected {
            Some(label) if !task.is_free() && task.label(label).is_none() => {
                return Err(BatchError::UnknownLabel(label.clone()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_progress(progress: &Progress, task: &Task, n_items: usize) -> Result<(), BatchError> {
    let labels = if task.is_free() { progress.head.texts.len() } else { task.labels.len() };
    let known = |item: &u32| (*item as usize) < n_items;
    let whole = progress.items.len() == n_items
        && progress.planned.iter().all(|(id, it)| *id == it.id && !it.items.is_empty() && it.items.iter().all(known))
        && progress.head.demos.iter().flatten().all(known)
        && progress.items.iter().flat_map(|it| &it.votes).all(|vote| (vote.label as usize) < labels);
    if whole { Ok(()) } else { Err(BatchError::Progress(n_items)) }
}

fn realms(items: &[Item]) -> Vec<u32> {
    let mut known = BTreeMap::new();
    let mut number = |item: &Item| {
        let next = known.len() as u32;
        let realm = item.realm();
        *known.entry((realm.0.map(str::to_owned), realm.1.map(str::to_owned))).or_insert(next)
    };
    items.iter().map(&mut number).collect()
}
