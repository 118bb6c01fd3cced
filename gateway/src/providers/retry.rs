//! What an attempt's end means for the request: pure decisions, the random number is an argument.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};

use super::SendError;
use tollgate_config::Backoff;

/// What to do after an attempt.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The answer is the request's; nobody else would say otherwise.
    Keep,
    /// The same provider may do better in a while, no sooner than this if it said so.
    Again(Option<Duration>),
    /// Another target may do better.
    Next,
}

/// Judges an answer by its head, or why there is none.
///
/// A provider that was silent for too long may still be at work, so the same request is not sent to it twice.
pub fn judge(attempt: Result<(StatusCode, &HeaderMap), &SendError>) -> Verdict {
    match attempt {
        Ok((status, headers)) if is_passing(status) => Verdict::Again(retry_after(headers)),
        Ok((StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND, _)) => Verdict::Next,
        Ok(_) => Verdict::Keep,
        Err(SendError::Unreachable { .. } | SendError::BrokeOff { .. }) => Verdict::Again(None),
        Err(_) => Verdict::Next,
    }
}

/// How long to wait before attempt number `next` (the first is 1), or `None` where the wait is longer than the policy
/// allows. `random` spreads the waits of many clients between half and one and a half of the step.
pub fn wait_before(next: u32, asked: Option<Duration>, policy: &Backoff, random: u64) -> Option<Duration> {
    if let Some(asked) = asked {
        return (asked <= policy.max).then_some(asked);
    }
    let doublings = next.saturating_sub(2).min(20);
    let step = policy.initial.saturating_mul(1 << doublings).min(policy.max);
    let permille = 500 + u32::try_from(random % 1001).unwrap_or(0);
    Some(step.saturating_mul(permille) / 1000)
}

/// 529 is Anthropic's word for overload.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504 | 529)
}

/// Seconds, or OpenAI's milliseconds; dates are rare enough to be taken for nothing said.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|it| it / 1000.0).or_else(|| number(header::RETRY_AFTER.as_str()))?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Backoff = Backoff { initial: Duration::from_millis(100), max: Duration::from_secs(2) };

    #[test]
    fn answers_are_judged_by_their_head() {
        let plain = HeaderMap::new();
        let asked = |name: &'static str, value: &str| {
            HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())])
        };
        let rows = [
            (200, plain.clone(), Verdict::Keep),
            (400, plain.clone(), Verdict::Keep),
            (401, plain.clone(), Verdict::Next),
            (404, plain.clone(), Verdict::Next),
            (429, asked("retry-after", "3"), Verdict::Again(Some(Duration::from_secs(3)))),
            (429, asked("retry-after-ms", "30"), Verdict::Again(Some(Duration::from_millis(30)))),
            (503, asked("retry-after", "-1"), Verdict::Again(None)),
            (503, asked("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"), Verdict::Again(None)),
            (500, plain.clone(), Verdict::Again(None)),
            (501, plain.clone(), Verdict::Keep),
            (529, plain, Verdict::Again(None)),
        ];
        for (status, headers, expected) in rows {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(judge(Ok((status, &headers))), expected, "{status} {headers:?}");
        }
    }

    #[test]
    fn no_answer_is_judged_by_its_reason() {
        let provider = String::new;
        let rows = [
            (SendError::Busy(provider()), Verdict::Next),
            (SendError::NoKey { provider: provider(), remedy: provider() }, Verdict::Next),
            (SendError::Silent { provider: provider(), after: Duration::ZERO }, Verdict::Next),
            (SendError::Unreachable { provider: provider(), reason: provider() }, Verdict::Again(None)),
            (SendError::BrokeOff { provider: provider(), reason: provider() }, Verdict::Again(None)),
        ];
        for (error, expected) in rows {
            assert_eq!(judge(Err(&error)), expected, "{error}");
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_are_spread() {
        let wait = |next, random| wait_before(next, None, &POLICY, random).unwrap().as_millis();
        assert_eq!([wait(2, 500), wait(3, 500), wait(4, 500)], [100, 200, 400]);
        assert_eq!([wait(2, 0), wait(2, 1000), wait(2, 1001)], [50, 150, 50]);
        assert_eq!(wait(40, 500), 2000);
        let asked = |seconds| wait_before(2, Some(Duration::from_secs(seconds)), &POLICY, 7);
        assert_eq!(asked(2), Some(Duration::from_secs(2)));
        assert_eq!(asked(3), None);
    }
}
