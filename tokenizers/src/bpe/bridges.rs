//! Windows that lead from one to the next where the two share no token, as between long tokens.
//!
//! They are told from the windows alone, before any is stitched, so that they are merged together and not each when it
//! is needed.

use super::{
    lane::Starts,
    pairs::BytePairs,
    stitch::{WIDTH, Window, ones},
    windows,
};

/// Bytes at the end of a window whose tokens what comes behind often changes.
const MARGIN: usize = 12;
/// How far a bridge goes into the next window, bytes: most tokens of both are the same there.
const LANDING: usize = 28;

/// The bridges between windows.
#[derive(Clone, Default)]
pub(super) struct Bridges {
    /// By the window that they lead to, if there is one.
    places: Vec<Option<usize>>,
    windows: Vec<Window>,
    starts: Vec<Starts>,
}

impl Bridges {
    /// Makes those that these windows need.
    pub(super) fn build(&mut self, pairs: &BytePairs, bytes: &[u8], windows: &[Window], starts: &[Starts]) {
        self.places.clear();
        self.windows.clear();
        let mut before = None;
        for window in windows.iter().copied().zip(starts.iter().copied()) {
            let bridge = before.replace(window).and_then(|before| bridge(before, window));
            self.places.push(bridge.map(|_| self.windows.len()));
            self.windows.extend(bridge);
        }
        windows::encode(pairs, bytes, &self.windows, &mut self.starts);
    }

    /// The bridge to a window, and its tokens.
    pub(super) fn to(&self, window: usize) -> Option<(Window, Starts)> {
        let place = (*self.places.get(window)?)?;
        Some((self.windows[place], self.starts[place]))
    }
}

/// From a token of the one window that is likely to stay into the next; `None` where they share a token.
fn bridge((window, starts): (Window, Starts), (next, next_starts): (Window, Starts)) -> Option<Window> {
    // Windows of two pieces are apart.
    if next.start >= window.end || share(starts >> (next.start - window.start), next_starts, window.end - next.start) {
        return None;
    }
    let certain = (window.end - window.start).checked_sub(MARGIN).filter(|it| *it > 0)?;
    let ends = starts & (Starts::MAX >> (Starts::BITS as usize - 1 - certain));
    let end = ends.checked_ilog2()?;
    let start = (ends & !(1 << end)).checked_ilog2().filter(|it| *it > 0)?;
    let start = window.start + start as usize;
    Some(Window { start, end: next.end.min(start + WIDTH).min(next.start + LANDING) })
}

/// True if a token of both ends before `len`.
fn share(starts: Starts, others: Starts, len: usize) -> bool {
    let kept = (1 << len) - 1;
    let (both, any) = (starts & others & kept, (starts | others) & kept);
    // A start of both whose next start is one of both.
    ones(both).any(|at| {
        let behind = any & (Starts::MAX - 1) << at;
        behind != 0 && both >> behind.trailing_zeros() & 1 == 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_share_whole_tokens() {
        for (starts, others, len, expected) in [
            (0b0101, 0b0101, 24, true),
            (0b0101, 0b0111, 24, false),
            (0b0111, 0b0101, 24, false),
            (0b1001_0001, 0b1001_0010, 24, true),
            (0b1001_0001, 0b1001_0010, 7, false),
            (0b0001, 0b0001, 24, false),
            (0, 0b11, 24, false),
        ] {
            assert_eq!(share(starts, others, len), expected, "{starts:b} {others:b} {len}");
        }
    }

    #[test]
    fn bridges_start_with_a_certain_token() {
        let (window, next) = (Window { start: 100, end: 164 }, Window { start: 140, end: 190 });
        let starts = [0, 11, 22, 33, 45, 56].into_iter().fold(0, |all, it| all | 1 << it);
        assert_eq!(bridge((window, starts), (next, 0b1000_0001)).map(|it| (it.start, it.end)), Some((133, 168)));
        assert_eq!(bridge((window, starts), (next, 1 << 5 | 1 << 16)).map(|it| it.start), None);
        assert_eq!(bridge((window, 1), (next, 1)).map(|it| it.start), None);
        let apart = Window { start: 164, end: 200 };
        assert_eq!(bridge((window, starts), (apart, 1)).map(|it| it.start), None);
    }
}
