//! The form in which what was learnt is kept: a line with name, version and checksum, then JSON.
//!
//! What does not fit is refused and never repaired: a calibrator learns anew in a few requests.

use super::{Calibrator, MOST_KEYS, MOST_SAMPLES, Track, plausible};
use crate::chat::calibrate::subject::Key;

/// What the first line begins with.
const NAME: &str = "tollgate-calibration";

/// The version that is written. A change of the format raises it.
const VERSION: u32 = 1;

/// Why a state is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Something else was given.
    #[error("the state does not begin with `{NAME}`; give what `to_bytes` wrote, or start without one")]
    Foreign,
    /// A later program wrote it.
    #[error("the state has version `{0}`, this program knows `{VERSION}`; update it, or start without a state")]
    Version(u32),
    /// It was cut off or changed.
    #[error("the state is damaged, {0}; start without it")]
    Corrupt(String),
}

/// JSON takes no structures as keys.
#[derive(serde::Serialize, serde::Deserialize)]
struct Saved {
    clock: u64,
    tracks: Vec<(Key, Track)>,
}

impl Calibrator {
    /// Everything learnt, for [`Calibrator::from_bytes`]: the same bytes for the same reports.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let tracks = self.tracks.iter().map(|(key, track)| (key.clone(), track.clone())).collect();
        let body = serde_json::json!(Saved { clock: self.clock, tracks }).to_string();
        format!("{NAME} {VERSION} {:016x}\n{body}", checksum(body.as_bytes())).into_bytes()
    }

    /// What was learnt, from what [`Calibrator::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// Where the bytes are another thing, of a later version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let corrupt = |what: &str| StateError::Corrupt(what.to_owned());
        let rest = bytes.strip_prefix(NAME.as_bytes()).and_then(|rest| rest.strip_prefix(b" "));
        let rest = rest.ok_or(StateError::Foreign)?;
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| corrupt("its first line has no end"))?;
        let (line, body) = (String::from_utf8_lossy(&rest[..end]), &rest[end + 1..]);
        let (version, sum) = line.split_once(' ').ok_or_else(|| corrupt("its first line has no checksum"))?;
        match version.parse() {
            Ok(VERSION) => {}
            Ok(version) => return Err(StateError::Version(version)),
            Err(_) => return Err(corrupt("its version is no number")),
        }
        if u64::from_str_radix(sum, 16) != Ok(checksum(body)) {
            return Err(corrupt("its checksum differs"));
        }
        let saved: Saved = serde_json::from_slice(body).map_err(|error| StateError::Corrupt(error.to_string()))?;
        checked(saved)
    }
}

/// Limits hold for a state as for reports.
fn checked(saved: Saved) -> Result<Calibrator, StateError> {
    let sound = |track: &Track| {
        let within = track.used <= saved.clock && track.samples.len() <= MOST_SAMPLES;
        within && track.samples.iter().all(|it| plausible(it.0 as usize, it.1 as usize).is_some())
    };
    if saved.tracks.len() > MOST_KEYS || !saved.tracks.iter().all(|(_, track)| sound(track)) {
        return Err(StateError::Corrupt("it holds more than it can".to_owned()));
    }
    Ok(Calibrator { tracks: saved.tracks.into_iter().collect(), clock: saved.clock })
}

/// FNV-1a, against accidents and not against forgery.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
