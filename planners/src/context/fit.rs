//! Writes again and again until what is written meets a budget closely. Costs of parts do not add up to the cost of a
//! whole to the token, so the whole is what counts.

/// At most so many times.
const MAX_ROUNDS: usize = 6;

/// What leaves a smaller share of its budget unused is good.
const CLOSE_ENOUGH: f64 = 0.02;

/// Something written for a certain room.
pub(super) struct Written<T> {
    pub(super) what: T,
    /// What it costs as a whole.
    pub(super) tokens: u64,
    pub(super) value: f64,
    /// True if nothing was chosen, so that less room changes nothing.
    pub(super) is_empty: bool,
}

/// The most valuable of what `write` made within `budget`; `None` if nothing fits.
pub(super) fn fit<T>(budget: u64, mut write: impl FnMut(u64) -> Written<T>) -> Option<Written<T>> {
    let mut best: Option<Written<T>> = None;
    let mut room = budget;
    for _ in 0..MAX_ROUNDS {
        let written = write(room);
        let (tokens, is_empty) = (written.tokens, written.is_empty);
        if tokens <= budget && best.as_ref().is_none_or(|it| it.value <= written.value) {
            best = Some(written);
        }
        let missed = tokens.abs_diff(budget);
        let is_close = tokens <= budget && (missed as f64) < CLOSE_ENOUGH * budget as f64;
        if is_close || room == 0 || (is_empty && tokens > budget) {
            break;
        }
        room = if tokens > budget { room.saturating_sub(missed) } else { room + missed * 9 / 10 };
    }
    best.or_else(|| Some(write(0)).filter(|it| it.tokens <= budget))
}
