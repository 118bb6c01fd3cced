//! Work that a connection does itself as long as it can, and leaves to a task when it must go on without it.
//!
//! Most calls end before their connection does anything else; they need no task and no wake-up of another thread.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// A future that goes on in a task of its own if it is dropped before its end.
pub struct Detached(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Detached {
    pub fn new(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl Future for Detached {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(work) = self.0.as_mut() else { return Poll::Ready(()) };
        let polled = work.as_mut().poll(cx);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        // Without a runtime the process is ending, and the work with it.
        if let (Some(work), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::poll_immediate;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn dropped_work_goes_on() {
        let (go, gone) = oneshot::channel();
        let (sender, receiver) = oneshot::channel();
        let mut work = Detached::new(async move {
            gone.await.unwrap();
            sender.send(7).unwrap();
        });
        assert!(poll_immediate(&mut work).await.is_none());
        drop(work);
        go.send(()).unwrap();
        assert_eq!(receiver.await, Ok(7));
    }
}
