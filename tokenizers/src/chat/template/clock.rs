//! `strftime` in UTC, for templates that write the date.

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAY_S: i64 = 86_400;

/// A day of the calendar, months and days from 1.
struct Date {
    year: i64,
    month: usize,
    day: i64,
}

/// `now_unix_s` by a format of C's `strftime`; directives that are not known stay as they are.
pub(super) fn format(now_unix_s: i64, format: &str) -> String {
    let (days, second) = (now_unix_s.div_euclid(DAY_S), now_unix_s.rem_euclid(DAY_S));
    let date = date(days);
    let weekday = usize::try_from((days + 3).rem_euclid(7)).unwrap_or(0);
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(char) = chars.next() {
        match (char, chars.clone().next()) {
            ('%', Some(directive)) => {
                chars.next();
                out.push_str(&field(directive, &date, second, weekday));
            }
            _ => out.push(char),
        }
    }
    out
}

fn field(directive: char, date: &Date, second: i64, weekday: usize) -> String {
    let (hour, minute) = (second / 3600, second / 60 % 60);
    match directive {
        'Y' => date.year.to_string(),
        'y' => format!("{:02}", date.year.rem_euclid(100)),
        'm' => format!("{:02}", date.month),
        'd' => format!("{:02}", date.day),
        'e' => format!("{:2}", date.day),
        'B' => MONTHS[date.month - 1].to_owned(),
        'b' | 'h' => MONTHS[date.month - 1][..3].to_owned(),
        'A' => DAYS[weekday].to_owned(),
        'a' => DAYS[weekday][..3].to_owned(),
        'H' => format!("{hour:02}"),
        'I' => format!("{:02}", (hour + 11) % 12 + 1),
        'p' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        'M' => format!("{minute:02}"),
        'S' => format!("{:02}", second % 60),
        'F' => format!("{}-{:02}-{:02}", date.year, date.month, date.day),
        'T' => format!("{hour:02}:{minute:02}:{:02}", second % 60),
        '%' => "%".to_owned(),
        _ => format!("%{directive}"),
    }
}

/// The proleptic Gregorian date of a day since 1970: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`.
fn date(days: i64) -> Date {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    Date {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month: usize::try_from(month).unwrap_or(1),
        day: of_year - (153 * shifted_month + 2) / 5 + 1,
    }
}
