//! What a prompt may be: the window, the output limit, the budget, the deadline. Nothing is planned that could pass one.

use super::{Budget, Ended, Policy, costs::Costs, state::Head};

/// Thousandths, for the surcharge.
const MILLI: u64 = 1_000;

/// Tokens that may still be spent; `None` without a budget.
pub(super) fn tokens_left(policy: &Policy, costs: &Costs, head: &Head) -> Option<u64> {
    let budget = match policy.budget? {
        Budget::Tokens(tokens) => tokens,
        Budget::ShareOfSingle(share) => ((costs.single_sent() + costs.single_returned()) as f64 * share) as u64,
    };
    Some(budget.saturating_sub(head.usage.input_tokens + head.usage.output_tokens))
}

/// What a prompt with this input may be charged at most, as calls were charged so far.
pub(super) fn reserve(head: &Head, input_tokens: u64, max_output_tokens: u64) -> u64 {
    input_tokens.saturating_mul(head.surcharge.max(MILLI)).div_ceil(MILLI).saturating_add(max_output_tokens)
}

/// The highest charge over what was expected, in thousandths.
pub(super) fn surcharge(expected: u64, charged: u64) -> u64 {
    charged.saturating_mul(MILLI).div_ceil(expected.max(1))
}

/// The most tokens that the answer to `n_items` may have.
pub(super) fn max_output(policy: &Policy, costs: &Costs, n_items: usize) -> u64 {
    u64::from(policy.limits.spare_output) + n_items as u64 * costs.answer_most
}

/// How many items' answers fit the output limit; at least one.
pub(super) fn most_answers(policy: &Policy, costs: &Costs) -> usize {
    let room = u64::from(policy.limits.output.saturating_sub(policy.limits.spare_output));
    usize::try_from(room / costs.answer_most.max(1)).unwrap_or(usize::MAX).max(1)
}

/// Whether question and answer fit the window.
pub(super) fn fits_window(policy: &Policy, costs: &Costs, input_tokens: u64, n_items: usize) -> bool {
    input_tokens + max_output(policy, costs, n_items) <= u64::from(policy.limits.window)
}

/// Why nothing may be asked any more at this time.
pub(super) fn passed(policy: &Policy, now_ms: u64) -> Option<Ended> {
    policy.deadline_ms.filter(|deadline| now_ms >= *deadline).map(|_| Ended::Deadline)
}
