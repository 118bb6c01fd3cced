//! The end of a child: why it came, and that nothing of its process group outlives it.

use std::{process::ExitStatus, sync::Arc, time::Duration};

use tokio::{process::Child, sync::mpsc, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{group::Group, mux::Mux};

/// After its input closed, a child has this long to exit before it is asked by a signal.
const EXIT_GRACE: Duration = Duration::from_secs(2);
/// After the signal, its group has this long before it is killed.
const TERMINATE_GRACE: Duration = Duration::from_secs(1);
/// A killed child is collected at once, unless the kernel holds it; nothing waits longer than this.
const KILL_GRACE: Duration = Duration::from_secs(1);
/// A child whose pipe broke is usually exiting, and its status says more; it arrives in a moment.
const EXIT_STATUS_GRACE: Duration = Duration::from_secs(1);
/// The last of its stderr may arrive after its exit.
const STDERR_GRACE: Duration = Duration::from_millis(200);

/// What the owner of a child wants of it.
#[derive(Clone, Default)]
pub struct Orders {
    /// To exit by itself, now that its input is closed.
    pub leave: CancellationToken,
    /// To end at once.
    pub end: CancellationToken,
}

/// A running child, and all that its end is told by.
pub struct Exit {
    pub child: Child,
    pub group: Option<Group>,
    /// Why the pipe to it broke.
    pub ends: mpsc::Receiver<String>,
    /// Its stderr, read to the end.
    pub stderr: JoinHandle<()>,
    pub mux: Arc<Mux>,
    pub orders: Orders,
}

impl Exit {
    /// Waits for the child to exit by itself, or ends it when told to; returns when its group is gone.
    pub async fn watch(mut self) {
        let reason = self.until_over().await;
        if let Some(group) = &self.group {
            group.terminate();
        }
        let reason = match reason {
            Some(reason) => self.with_last_words(&reason).await,
            None => "was stopped".to_owned(),
        };
        self.mux.end(&reason);
        self.end_group().await;
    }

    /// Why it is over; `None` where the owner wanted it.
    async fn until_over(&mut self) -> Option<String> {
        tokio::select! {
            biased;
            () = self.orders.end.cancelled() => None,
            () = self.orders.leave.cancelled() => {
                // One that stays is asked more firmly.
                let _ = timeout(EXIT_GRACE, self.child.wait()).await;
                None
            }
            status = self.child.wait() => Some(exit_reason(status)),
            Some(reason) = self.ends.recv() => {
                let exited = timeout(EXIT_STATUS_GRACE, self.child.wait()).await;
                Some(exited.map_or(reason, exit_reason))
            }
        }
    }

    async fn with_last_words(&mut self, reason: &str) -> String {
        // A process that left the group may hold stderr open for good.
        let _ = timeout(STDERR_GRACE, &mut self.stderr).await;
        format!("{reason}{}", self.mux.last_words())
    }

    async fn end_group(&mut self) {
        let gone = async {
            // Whatever the status: it is over.
            let _ = self.child.wait().await;
            if let Some(group) = &self.group {
                group.gone().await;
            }
        };
        let _ = timeout(TERMINATE_GRACE, gone).await;
        // Kills what is left.
        self.group = None;
        let _ = self.child.start_kill();
        let _ = timeout(KILL_GRACE, self.child.wait()).await;
    }
}

fn exit_reason(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => format!("exited ({status})"),
        Err(error) => format!("could not be waited for ({error})"),
    }
}
