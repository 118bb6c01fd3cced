//! The environment, as a value that is passed around. This is the only file in Tollgate that reads
//! the process's own.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use indexmap::IndexMap;

/// A snapshot of environment variables.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Env {
    vars: BTreeMap<String, String>,
}

/// What a child process needs to find programs, its home and its language; never a credential. The
/// second half exists on Windows only.
const CHILD_BASE: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TERM",
    "LANG",
    "TMPDIR",
    "APPDATA",
    "COMSPEC",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "PATHEXT",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERNAME",
    "USERPROFILE",
    "WINDIR",
];

impl Env {
    /// The process's environment. Variables that are not Unicode are left out.
    pub fn from_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable. Names ignore case on Windows, as they do there.
    pub fn get(&self, name: &str) -> Option<&str> {
        let exact = self.vars.get(name);
        let found = exact.or_else(|| match cfg!(windows) {
            true => self.vars.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v),
            false => None,
        });
        found.map(String::as_str)
    }

    /// The user's home folder.
    pub fn home(&self) -> Option<&Path> {
        let folder = self.get("HOME").or_else(|| self.get("USERPROFILE"));
        folder.map(Path::new).filter(|folder| folder.is_absolute())
    }

    /// Every variable, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The scrubbed environment that every child process starts from.
    pub(crate) fn child_base(&self) -> IndexMap<String, String> {
        let named = CHILD_BASE.iter().filter_map(|name| Some((*name, self.get(name)?)));
        let locale = self.iter().filter(|(name, _)| name.starts_with("LC_"));
        named.chain(locale).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl FromIterator<(String, String)> for Env {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(vars: I) -> Self {
        Self { vars: vars.into_iter().collect() }
    }
}

/// Names only: the values are where secrets live.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.vars.keys()).finish()
    }
}
