//! The process group of a child. Launchers such as `npx` and `uvx` leave the server in a process of its own, so a child
//! is gone only when its whole group is. However a group's owner ends, the group ends with it.

use std::{collections::BTreeSet, sync::Mutex, time::Duration};

use tokio::process::Child;

use crate::sync::lock;

/// Between two looks at a group that was asked to end.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Groups that have an owner, for the moment in which no owner can act any more.
static LIVE: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Kills what is left of its group when it is dropped.
pub struct Group(u32);

impl Group {
    /// The group that `child` leads; `None` where the child was waited for already.
    pub fn of(child: &Child) -> Option<Self> {
        let id = child.id()?;
        lock(&LIVE).insert(id);
        Some(Self(id))
    }

    /// Asks every process of the group to end.
    pub fn terminate(&self) {
        system::terminate(self.0);
    }

    /// Waits until no process of the group is left.
    pub async fn gone(&self) {
        while system::exists(self.0) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        lock(&LIVE).remove(&self.0);
        system::kill(self.0);
    }
}

/// Kills every group, where the process ends without giving their owners a turn.
pub fn kill_all() {
    lock(&LIVE).iter().for_each(|id| system::kill(*id));
}

#[cfg(unix)]
mod system {
    use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

    fn pid(id: u32) -> Option<Pid> {
        i32::try_from(id).ok().and_then(Pid::from_raw)
    }

    fn send(id: u32, signal: Signal) {
        if let Some(group) = pid(id) {
            // The group may be gone by now.
            let _ = kill_process_group(group, signal);
        }
    }

    pub fn terminate(id: u32) {
        send(id, Signal::TERM);
    }

    pub fn kill(id: u32) {
        send(id, Signal::KILL);
    }

    pub fn exists(id: u32) -> bool {
        pid(id).is_some_and(|group| test_kill_process_group(group) != Err(rustix::io::Errno::SRCH))
    }
}

#[cfg(not(unix))]
mod system {
    pub fn terminate(_id: u32) {}

    pub fn kill(_id: u32) {}

    pub fn exists(_id: u32) -> bool {
        false
    }
}
