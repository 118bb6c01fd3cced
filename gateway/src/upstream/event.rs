//! What an upstream says on its own account, to whom it may concern.

use std::sync::Arc;

use crate::mcp::{
    jsonrpc::{Notification, Raw},
    object::RawObject,
};

/// Which of an upstream's lists changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    Tools,
    Prompts,
    Resources,
}

impl ListKind {
    pub const ALL: [Self; 3] = [Self::Tools, Self::Prompts, Self::Resources];

    pub fn notification(self) -> &'static str {
        match self {
            Self::Tools => "notifications/tools/list_changed",
            Self::Prompts => "notifications/prompts/list_changed",
            Self::Resources => "notifications/resources/list_changed",
        }
    }

    /// The server capability that the list belongs to.
    pub fn capability(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
        }
    }

    /// The member of a `subscriptions/listen` filter that asks for it.
    pub fn filter_key(self) -> &'static str {
        match self {
            Self::Tools => "toolsListChanged",
            Self::Prompts => "promptsListChanged",
            Self::Resources => "resourcesListChanged",
        }
    }
}

#[derive(Clone, Debug)]
pub enum UpstreamEvent {
    ListChanged(ListKind),
    ResourceUpdated {
        uri: String,
        params: Raw,
    },
    Log {
        params: Raw,
    },
    /// A notification that the gateway does not know; legacy clients get it as it is.
    Other(Arc<Notification>),
}

impl UpstreamEvent {
    /// Sorts a notification; `None` for what ends at the gateway.
    pub fn from_notification(note: Notification) -> Option<Self> {
        if let Some(kind) = ListKind::ALL.into_iter().find(|it| it.notification() == note.method) {
            return Some(Self::ListChanged(kind));
        }
        match note.method.as_str() {
            "notifications/resources/updated" => {
                let params = note.params?;
                let uri = RawObject::parse(&params)?.get_str("uri")?;
                Some(Self::ResourceUpdated { uri, params })
            }
            "notifications/subscriptions/acknowledged" => None,
            _ => Some(Self::Other(Arc::new(note))),
        }
    }

    pub fn log(note: Notification) -> Option<Self> {
        note.params.map(|params| Self::Log { params })
    }
}

/// An event with the upstream it came from, as the fronts receive it.
#[derive(Clone, Debug)]
pub struct FromUpstream {
    pub upstream: Arc<str>,
    pub event: UpstreamEvent,
}
