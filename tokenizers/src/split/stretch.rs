//! The bit-parallel scanner for ASCII: where the pieces of a stretch start, found for 64 bytes at a time.
//!
//! Most starts follow from a byte's class and those of its neighbours, which is a few operations on whole words. What
//! does not (runs of white space, line ends behind punctuation, contractions, long numbers) is mended run by run. The
//! branches that a processor would guess wrong at every piece are thus taken a few times in a hundred bytes.

use fearless_simd::{Level, Simd, dispatch};

use super::{
    classes::SLASH,
    masks::{Mask, Masks, N_WORDS, STRETCH, bit, clear, clear_range, run, set},
    rules::{Contraction, Rules, contraction_end},
    text::Text,
};

/// Ends that are written together; 64 bytes have so many or fewer pieces, more often than not.
const GROUP: usize = 16;

/// Most pieces that are found at a time.
pub(crate) const MAX_ENDS: usize = STRETCH;

/// Room for one stretch, about 6 KiB.
pub(crate) struct Stretch {
    masks: Masks,
    /// Bit `i` is set where a piece starts at byte `i`.
    starts: Mask,
    /// Where the pieces found last end, in bytes from where the first starts.
    pub(crate) ends: [u32; MAX_ENDS + GROUP],
}

impl Default for Stretch {
    fn default() -> Self {
        Self { masks: Masks::default(), starts: Mask::default(), ends: [0; MAX_ENDS + GROUP] }
    }
}

impl Stretch {
    /// Scans from `start`, where a piece must start, and returns how many pieces are certain; 0 is possible.
    pub(crate) fn scan<R: Rules>(&mut self, level: Level, text: Text<'_>, start: usize) -> usize {
        dispatch!(level, simd => self.scan_with::<R, _>(simd, text, start))
    }

    #[inline(always)]
    fn scan_with<R: Rules, S: Simd>(&mut self, simd: S, text: Text<'_>, start: usize) -> usize {
        let len = self.masks.fill(simd, &text.bytes()[start..]);
        if len < 2 {
            return 0;
        }
        let is_last = start + len == text.len();
        self.find::<R>(len.div_ceil(64));
        self.mend_spaces(len, is_last);
        self.mend_tails::<R>(len);
        if R::CONTRACTION != Contraction::None {
            self.mend_contractions::<R>(text, start, len);
        }
        self.mend_numbers::<R>(len);
        if is_last {
            let n_ends = self.take_ends(len);
            self.ends[n_ends] = len as u32;
            return n_ends + 1;
        }
        self.take_ends(self.certain(len))
    }

    /// What follows from neighbours.
    #[inline(always)]
    fn find<R: Rules>(&mut self, n_words: usize) {
        let m = &self.masks;
        // The highest bits of the word before.
        let (mut letter_before, mut lower_before, mut other_before) = (0, 0, 0);
        let (mut blank_before, mut digit_before, mut space_before, mut lead_before) = (0, 0, 0, 0);
        for word in 0..n_words {
            let letter = m.upper[word] | m.lower[word];
            let next_letter = m.upper[word + 1] | m.lower[word + 1];
            let other = m.other[word];
            let behind = |mask: u64, before: &mut u64| {
                let shifted = mask << 1 | *before;
                *before = mask >> 63;
                shifted
            };
            let ahead_letter = letter >> 1 | next_letter << 63;
            let after_blank = behind(m.blank[word], &mut blank_before);
            let other_start = other & !behind(other, &mut other_before);
            // A single mark before a word belongs to it, unless a blank has taken the mark.
            let leads_word = other_start & ahead_letter & !after_blank;
            let leads = leads_word | (m.space[word] & !m.newline[word]);
            let letter_start = letter & !behind(letter, &mut letter_before) & !behind(leads, &mut lead_before);
            let hump = if R::CASED { m.upper[word] & behind(m.lower[word], &mut lower_before) } else { 0 };
            let digit_start = m.digit[word] & !behind(m.digit[word], &mut digit_before);
            let space_start = m.space[word] & !behind(m.space[word], &mut space_before);
            self.starts[word] = letter_start | hump | (other_start & !after_blank) | digit_start | space_start;
        }
        self.starts[n_words] = 0;
        self.starts[0] |= 1;
    }

    /// Runs of white space that are more than one blank: `\s*[\r\n]+|\s+(?!\S)|\s+`.
    #[inline(always)]
    fn mend_spaces(&mut self, len: usize, is_last: bool) {
        for word in 0..len.div_ceil(64) {
            let (space, newline) = (self.masks.space[word], self.masks.newline[word]);
            let before = if word > 0 { self.masks.space[word - 1] >> 63 } else { 0 };
            let ahead = space >> 1 | self.masks.space[word + 1] << 63;
            let mut runs = space & !(space << 1 | before) & (ahead | newline);
            while runs != 0 {
                let at = 64 * word + runs.trailing_zeros() as usize;
                runs &= runs - 1;
                self.mend_run(at, len, is_last);
            }
        }
    }

    #[inline(always)]
    fn mend_run(&mut self, start: usize, len: usize, is_last: bool) {
        let end = start + run(&self.masks.space, start);
        // Behind the last line end of the run.
        let mut rest = start;
        let mut at = end;
        while at > start {
            at -= 1;
            if bit(&self.masks.newline, at) {
                rest = at + 1;
                break;
            }
        }
        if rest == end {
            if end < len {
                set(&mut self.starts, end);
            }
            return;
        }
        set(&mut self.starts, rest);
        // The last blank is left to what follows.
        if end < len || !is_last {
            set(&mut self.starts, end - 1);
        }
    }

    /// Line ends behind punctuation, which belong to it.
    #[inline(always)]
    fn mend_tails<R: Rules>(&mut self, len: usize) {
        let mut before = 0;
        for word in 0..len.div_ceil(64) {
            let other = self.masks.other[word];
            let mut tails = self.masks.newline[word] & (other << 1 | before);
            before = other >> 63;
            while tails != 0 {
                let at = 64 * word + tails.trailing_zeros() as usize;
                tails &= tails - 1;
                self.mend_tail::<R>(at, len);
            }
        }
    }

    #[inline(always)]
    fn mend_tail<R: Rules>(&mut self, start: usize, len: usize) {
        let mut end = start;
        while end < len && (bit(&self.masks.newline, end) || (R::TAIL & SLASH != 0 && bit(&self.masks.slash, end))) {
            clear(&mut self.starts, end);
            end += 1;
        }
        if end >= len {
            return;
        }
        set(&mut self.starts, end);
        let m = &self.masks;
        let is_letter = |at: usize| bit(&m.upper, at) || bit(&m.lower, at);
        // What is left of a run of marks may now be a single one before a word.
        if bit(&m.other, end) && end + 1 < len && is_letter(end + 1) {
            clear(&mut self.starts, end + 1);
        }
    }

    #[inline(always)]
    fn mend_contractions<R: Rules>(&mut self, text: Text<'_>, offset: usize, len: usize) {
        let (mut before, mut last_end) = (0, usize::MAX);
        for word in 0..len.div_ceil(64) {
            let letter = self.masks.upper[word] | self.masks.lower[word];
            let mut found = self.masks.apostrophe[word];
            if R::CONTRACTION == Contraction::Suffix {
                found &= letter << 1 | before;
                before = letter >> 63;
            } else {
                found &= self.starts[word];
            }
            while found != 0 {
                let at = 64 * word + found.trailing_zeros() as usize;
                found &= found - 1;
                if at == last_end && R::CONTRACTION == Contraction::Suffix {
                    continue;
                }
                let Some(end) = contraction_end(text, offset + at).map(|it| it - offset) else { continue };
                last_end = end;
                let inner = if R::CONTRACTION == Contraction::Suffix { at } else { at + 1 };
                clear_range(&mut self.starts, inner, end.min(len));
                if end < len {
                    set(&mut self.starts, end);
                }
            }
        }
    }

    /// Numbers of more digits than a piece may have.
    #[inline(always)]
    fn mend_numbers<R: Rules>(&mut self, len: usize) {
        let mut before = 0;
        for word in 0..len.div_ceil(64) {
            let digit = self.masks.digit[word];
            let starts = digit & !(digit << 1 | before);
            before = digit >> 63;
            let ahead = |by: u32| digit >> by | self.masks.digit[word + 1] << (64 - by);
            let mut long = if R::MAX_DIGITS == 1 { starts & ahead(1) } else { starts & ahead(1) & ahead(2) & ahead(3) };
            while long != 0 {
                let at = 64 * word + long.trailing_zeros() as usize;
                long &= long - 1;
                let end = at + run(&self.masks.digit, at);
                (at + R::MAX_DIGITS..end).step_by(R::MAX_DIGITS).for_each(|it| set(&mut self.starts, it));
            }
        }
    }

    /// Up to where no byte behind the stretch can change a start: the last start before the run that touches its end.
    #[inline(always)]
    fn certain(&self, len: usize) -> usize {
        // Contractions look two bytes ahead, white space to the end of its run.
        let mut limit = len.saturating_sub(4);
        while limit > 0 && bit(&self.masks.space, limit) {
            limit -= 1;
        }
        limit
    }

    /// Lists the starts before `limit`, but for the first, as ends.
    #[inline(always)]
    fn take_ends(&mut self, limit: usize) -> usize {
        let mut n_ends = 0;
        for word in 0..N_WORDS.min(limit.div_ceil(64)) {
            let mut starts = self.starts[word];
            if limit < 64 * (word + 1) {
                starts &= (1 << (limit % 64)) - 1;
            }
            if word == 0 {
                starts &= !1;
            }
            let n_starts = starts.count_ones() as usize;
            let mut more = n_starts;
            let mut at = n_ends;
            // Whole groups are written whatever there is, since guessing the end of each word wrong costs more.
            loop {
                for place in &mut self.ends[at..at + GROUP] {
                    *place = 64 * word as u32 + starts.trailing_zeros();
                    starts &= starts.wrapping_sub(1);
                }
                if more <= GROUP {
                    break;
                }
                (more, at) = (more - GROUP, at + GROUP);
            }
            n_ends += n_starts;
        }
        n_ends
    }
}
