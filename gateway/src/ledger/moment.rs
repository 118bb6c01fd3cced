//! Time as the ledger sees it: moments, UTC days, and the periods that limits run in. Reads the clock in one place only.

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
pub const DAY_MS: u64 = 24 * HOUR_MS;

/// A point in time, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// The clock of the machine.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    pub fn day(self) -> Day {
        Day(u32::try_from(self.0 / DAY_MS).unwrap_or(u32::MAX))
    }
}

/// `2026-11-25T13:05:09Z`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) =
            (self.0 % DAY_MS / HOUR_MS, self.0 % HOUR_MS / MINUTE_MS, self.0 % MINUTE_MS / SECOND_MS);
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}Z", self.day())
    }
}

/// A UTC day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u32);

impl Day {
    pub fn start(self) -> Moment {
        Moment(u64::from(self.0) * DAY_MS)
    }

    /// The first day of its month.
    pub fn month_start(self) -> Self {
        Self(self.0 + 1 - self.civil().2)
    }

    /// The first day of the month behind its own.
    fn next_month(self) -> Self {
        // No month has more than 31 days, and none fewer than 28.
        Self(self.month_start().0 + 31).month_start()
    }

    /// Months since year 0.
    fn month(self) -> u64 {
        let (year, month, _) = self.civil();
        u64::from(year) * 12 + u64::from(month) - 1
    }

    /// Year, month and day of the month, in the proleptic Gregorian calendar: `civil_from_days` of
    /// <https://howardhinnant.github.io/date_algorithms.html>, for days from 1970 on. Its years begin in March, so that a
    /// leap day is the last day of one.
    fn civil(self) -> (u32, u32, u32) {
        let shifted = u64::from(self.0) + 719_468;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        (small(year), small(month), small(day))
    }

    /// The inverse of [`Self::civil`]; `None` for a day that there is not.
    fn from_civil(year: u32, month: u32, day: u32) -> Option<Self> {
        // Far enough for every key and log; and the search below stays small.
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
            return None;
        }
        let (march_year, march_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let (era, year_of_era) = (march_year / 400, march_year % 400);
        let day_of_year = (153 * march_month + 2) / 5 + day.checked_sub(1)?;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let found = Self((era * 146_097 + day_of_era).checked_sub(719_468)?);
        (found.civil() == (year, month, day)).then_some(found)
    }
}

/// `2026-11-25`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Option<Vec<u32>> = text.split('-').map(|part| part.parse().ok()).collect();
        let day = match parts.as_deref() {
            Some([year, month, day]) => Self::from_civil(*year, *month, *day),
            _ => None,
        };
        day.ok_or_else(|| format!("`{text}` is no date; write one such as `2026-11-25`"))
    }
}

/// The time that a limit runs in: fixed, by the calendar in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    Minute,
    Hour,
    Day,
    Month,
}

impl Period {
    pub const ALL: [Self; 4] = [Self::Minute, Self::Hour, Self::Day, Self::Month];

    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Which of its kind `now` is in; the next one has the next number.
    pub fn index(self, now: Moment) -> u64 {
        match self {
            Self::Minute => now.0 / MINUTE_MS,
            Self::Hour => now.0 / HOUR_MS,
            Self::Day => now.0 / DAY_MS,
            Self::Month => now.day().month(),
        }
    }

    /// When the one that `now` is in is over.
    pub fn end(self, now: Moment) -> Moment {
        let rounded = |length: u64| Moment((now.0 / length + 1) * length);
        match self {
            Self::Minute => rounded(MINUTE_MS),
            Self::Hour => rounded(HOUR_MS),
            Self::Day => rounded(DAY_MS),
            Self::Month => now.day().next_month().start(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        let rows = [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_782, "2026-11-25"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ];
        for (number, text) in rows {
            assert_eq!(Day(number).to_string(), text);
            assert_eq!(text.parse(), Ok(Day(number)));
        }
        for day in (0..60_000).map(Day) {
            assert_eq!(day.to_string().parse(), Ok(day));
        }
    }

    #[test]
    fn what_is_no_date_is_told() {
        for text in [
            "",
            "2026",
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "1969-12-31",
            "4294967295-1-1",
            "a-b-c",
            "2026-1-1-1",
        ] {
            assert_eq!(text.parse::<Day>(), Err(format!("`{text}` is no date; write one such as `2026-11-25`")));
        }
    }

    #[test]
    fn periods_end_where_the_next_begins() {
        let start: Day = "2027-12-31".parse().unwrap();
        let now = Moment(start.start().0 + 23 * HOUR_MS + 59 * MINUTE_MS + 59_999);
        let ends = Period::ALL.map(|it| it.end(now).to_string());
        assert_eq!(ends, ["2028-01-01T00:00:00Z"; 4]);
        let inside = Moment(now.0 - 5 * MINUTE_MS);
        let ends = Period::ALL.map(|it| it.end(inside).to_string());
        assert_eq!(
            ends,
            ["2027-12-31T23:55:00Z", "2028-01-01T00:00:00Z", "2028-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]
        );
        for day in (0..3000).map(|it| Day(it * 7)) {
            for period in Period::ALL {
                let end = period.end(day.start());
                assert_eq!(period.index(end), period.index(day.start()) + 1);
                assert_eq!(period.index(Moment(end.0 - 1)), period.index(day.start()));
            }
        }
    }
}
