//! The names that a client sees: unique, legal for model APIs, and the same whatever order servers answer in.

use rustc_hash::FxHashMap;

use super::meta::META_TOOLS;

/// Stands between server and tool, as in `github__create_issue`. Two underscores, because one is common inside names
/// of both, and because dots and slashes are refused by model APIs.
pub const SEPARATOR: &str = "__";

/// OpenAI and Anthropic accept `^[a-zA-Z0-9_-]{1,64}$`.
const MAX_NAME_CHARS: usize = 64;

/// An underscore and eight hexadecimal digits.
const HASH_SUFFIX_CHARS: usize = 9;

/// When a tool's name carries its server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NamePolicy {
    /// Always: names never change when a server is added.
    #[default]
    Always,
    /// Only where two servers, or a server and a meta-tool, use the same name. Then each of them is prefixed.
    OnCollision,
}

/// How much a name had to be changed to be unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Plain,
    Prefixed,
    /// Prefixed and ends in a hash; the number salts it, should two hashes collide.
    Hashed(u32),
}

/// The exposed name of each `(server id, tool name)`, in the order given.
///
/// Every result is unique and matches `^[a-zA-Z0-9_-]{1,64}$`. A name that has to be changed beyond prefixing (foreign
/// characters, too long, still ambiguous) ends in `_` and eight hexadecimal digits of a hash of the pair, so it stays
/// the same from run to run and does not depend on the other tools.
#[must_use]
pub fn exposed_names(tools: &[(&str, &str)], policy: NamePolicy) -> Vec<String> {
    let first = if policy == NamePolicy::Always { Level::Prefixed } else { Level::Plain };
    let mut levels = vec![first; tools.len()];
    for (level, (_, name)) in levels.iter_mut().zip(tools) {
        if META_TOOLS.contains(name) {
            *level = Level::Prefixed;
        }
    }
    let repeats = repeats(tools);
    loop {
        let names: Vec<String> = (0..tools.len()).map(|idx| name_at(tools[idx], levels[idx], repeats[idx])).collect();
        if !raise_ambiguous(&names, &mut levels) {
            return names;
        }
    }
}

/// How often each pair occurred before: a server that lists a tool twice gets two names.
fn repeats(tools: &[(&str, &str)]) -> Vec<u32> {
    let mut seen: FxHashMap<(&str, &str), u32> = FxHashMap::default();
    let mut result = Vec::with_capacity(tools.len());
    for &tool in tools {
        let n_seen = seen.entry(tool).or_insert(0);
        result.push(*n_seen);
        *n_seen += 1;
    }
    result
}

fn name_at((server, tool): (&str, &str), level: Level, repeat: u32) -> String {
    let wanted = match level {
        Level::Plain => tool.to_owned(),
        Level::Prefixed | Level::Hashed(_) => format!("{server}{SEPARATOR}{tool}"),
    };
    let salt = if let Level::Hashed(salt) = level { salt } else { 0 };
    if salt == 0 && repeat == 0 && is_legal(&wanted) {
        return wanted;
    }
    let mut name: String = wanted.chars().map(legal_or_underscore).collect();
    name.truncate(MAX_NAME_CHARS - HASH_SUFFIX_CHARS);
    let key = format!("{server}\0{tool}\0{repeat}\0{}", salt.saturating_sub(1));
    format!("{name}_{:08x}", fold(fnv1a_64(key.as_bytes())))
}

/// Raises one level of each group of equal names: its least changed members, so that of `a__x` made by prefixing and
/// a tool that is called so, the latter gives way. Returns whether there were any.
fn raise_ambiguous(names: &[String], levels: &mut [Level]) -> bool {
    let mut lowest: FxHashMap<&str, (usize, Level)> = FxHashMap::default();
    for (name, &level) in names.iter().zip(levels.iter()) {
        let group = lowest.entry(name).or_insert((0, level));
        *group = (group.0 + 1, group.1.min(level));
    }
    let mut raised = false;
    for (name, level) in names.iter().zip(levels.iter_mut()) {
        let (n_members, least) = lowest[name.as_str()];
        if n_members > 1 && *level == least {
            *level = level.next();
            raised = true;
        }
    }
    raised
}

impl Level {
    fn next(self) -> Self {
        match self {
            Self::Plain => Self::Prefixed,
            Self::Prefixed => Self::Hashed(1),
            Self::Hashed(salt) => Self::Hashed(salt + 1),
        }
    }
}

fn is_legal(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME_CHARS && name.chars().all(|c| legal_or_underscore(c) == c)
}

fn legal_or_underscore(c: char) -> char {
    if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }
}

/// Fowler, Noll and Vo's hash: stable across versions and machines, which the standard library's is not.
fn fnv1a_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The two halves of the hash over each other, as its authors advise for shorter ones.
fn fold(hash: u64) -> u32 {
    (hash >> 32) as u32 ^ hash as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(policy: NamePolicy, tools: &[(&str, &str)], expected: &[&str]) {
        assert_eq!(exposed_names(tools, policy), expected, "{tools:?}");
    }

    #[test]
    fn prefixes_when_asked_to() {
        check(NamePolicy::Always, &[("git", "log"), ("fs", "read_file")], &["git__log", "fs__read_file"]);
        check(NamePolicy::OnCollision, &[("git", "log"), ("fs", "read-file")], &["log", "read-file"]);
    }

    #[test]
    fn all_that_collide_are_prefixed() {
        let tools = [("a", "x"), ("b", "x"), ("c", "y")];
        check(NamePolicy::OnCollision, &tools, &["a__x", "b__x", "y"]);
        check(NamePolicy::OnCollision, &[("s", "search_tools")], &["s__search_tools"]);
        check(NamePolicy::OnCollision, &[("a", "x"), ("b", "x"), ("c", "a__x")], &["a__x", "b__x", "c__a__x"]);
    }

    #[test]
    fn what_cannot_be_written_ends_in_a_hash() {
        let long = "x".repeat(300);
        let tools =
            [("s", "a.b"), ("s", "a b"), ("s", "工具"), ("s", long.as_str()), ("a", "b__c"), ("a__b", "c"), ("s", "")];
        let names = exposed_names(&tools, NamePolicy::OnCollision);
        assert_eq!(names[0], "a_b_ee3963c1");
        assert!(names[2].starts_with("___") && names[3].len() == 64 && names[6].starts_with('_'));
        assert_eq!(&names[4..6], ["b__c", "c"]);
        let prefixed = exposed_names(&tools, NamePolicy::Always);
        assert!(prefixed[4].starts_with("a__b__c_") && prefixed[5].starts_with("a__b__c_"));
        for names in [names, prefixed] {
            assert!(names.iter().all(|name| is_legal(name)), "{names:?}");
            let unique: std::collections::BTreeSet<&String> = names.iter().collect();
            assert_eq!(unique.len(), names.len());
        }
    }

    #[test]
    fn a_tool_listed_twice_gets_two_names() {
        let names = exposed_names(&[("s", "x"), ("s", "x"), ("s", "x")], NamePolicy::OnCollision);
        assert_eq!(names[0], "x");
        assert!(names[1] != names[2] && names[1..].iter().all(|name| name.starts_with("x_") && is_legal(name)));
    }

    #[test]
    fn order_does_not_matter() {
        let tools = [("a", "x"), ("b", "x"), ("c", "a__x"), ("d", "ü"), ("e", "ü"), ("a", "b__c"), ("a__b", "c")];
        for policy in [NamePolicy::Always, NamePolicy::OnCollision] {
            let forward = exposed_names(&tools, policy);
            let mut reversed = tools;
            reversed.reverse();
            let mut backward = exposed_names(&reversed, policy);
            backward.reverse();
            assert_eq!(forward, backward);
        }
    }
}
