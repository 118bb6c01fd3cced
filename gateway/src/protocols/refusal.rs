//! What a caller or a provider did wrong, before it is put into the words of a wire format.

use super::json::{JsonError, Node};

/// A request that is not sent on, because of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where in the body, `messages[2].content[0].type`; empty for the body as a whole.
    pub field: String,
    /// What is wrong with it and what to do.
    pub message: String,
}

impl Refusal {
    /// `` `field` what``
    pub fn new(field: impl Into<String>, what: &str) -> Self {
        let field = field.into();
        let name = if field.is_empty() { "the body" } else { &field };
        Self { message: format!("`{name}` {what}"), field }
    }

    pub fn at(node: Node<'_>, what: &str) -> Self {
        Self::new(node.path(), what)
    }
}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Self {
        let message = format!("the body is not JSON that the gateway reads: {} at byte {}", error.what, error.byte);
        Self { field: String::new(), message }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let field = Some(refusal.field).filter(|it| !it.is_empty());
        Self { field, ..Self::new(ErrorKind::InvalidRequest, refusal.message) }
    }
}

/// The kinds of failure that both vendors tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    InvalidRequest,
    Authentication,
    Billing,
    Permission,
    NotFound,
    TooLarge,
    RateLimit,
    Server,
    Overloaded,
    Timeout,
}

/// Every kind with its HTTP status, Anthropic's name (platform.claude.com/docs/en/api/errors) and OpenAI's `type`
/// (platform.openai.com/docs/guides/error-codes). Of one status the first row is meant.
const KINDS: &[(ErrorKind, u16, &str, &str)] = &[
    (ErrorKind::InvalidRequest, 400, "invalid_request_error", "invalid_request_error"),
    (ErrorKind::Authentication, 401, "authentication_error", "authentication_error"),
    (ErrorKind::Billing, 402, "billing_error", "insufficient_quota"),
    (ErrorKind::Permission, 403, "permission_error", "permission_error"),
    (ErrorKind::NotFound, 404, "not_found_error", "not_found_error"),
    (ErrorKind::TooLarge, 413, "request_too_large", "request_too_large"),
    (ErrorKind::RateLimit, 429, "rate_limit_error", "rate_limit_error"),
    (ErrorKind::Server, 500, "api_error", "server_error"),
    (ErrorKind::Timeout, 504, "timeout_error", "timeout_error"),
    (ErrorKind::Overloaded, 503, "overloaded_error", "overloaded_error"),
    (ErrorKind::Overloaded, 529, "overloaded_error", "overloaded_error"),
];

impl ErrorKind {
    pub fn of_status(status: u16) -> Self {
        let row = KINDS.iter().find(|row| row.1 == status);
        let class = if (400..500).contains(&status) { Self::InvalidRequest } else { Self::Server };
        row.map_or(class, |row| row.0)
    }

    /// By either vendor's name for it.
    pub fn of_name(name: &str) -> Option<Self> {
        KINDS.iter().find(|row| row.2 == name || row.3 == name).map(|row| row.0)
    }

    pub fn status(self) -> u16 {
        KINDS.iter().find(|row| row.0 == self).map_or(500, |row| row.1)
    }

    pub fn anthropic(self) -> &'static str {
        KINDS.iter().find(|row| row.0 == self).map_or("api_error", |row| row.2)
    }

    pub fn openai(self) -> &'static str {
        KINDS.iter().find(|row| row.0 == self).map_or("server_error", |row| row.3)
    }
}

/// A failed call, in no format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    pub kind: ErrorKind,
    pub message: String,
    /// OpenAI's machine-readable word, `context_length_exceeded`.
    pub code: Option<String>,
    /// OpenAI's `param`.
    pub field: Option<String>,
    /// Anthropic's id of the request.
    pub request_id: Option<String>,
    /// Whether the message is the provider's, which may quote what people wrote.
    pub is_quoted: bool,
    /// When to come back, as the header `retry-after` says it.
    pub retry_after: Option<String>,
}

impl ApiError {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status: kind.status(),
            kind,
            message,
            code: None,
            field: None,
            request_id: None,
            is_quoted: false,
            retry_after: None,
        }
    }

    /// The gateway's own credentials at a provider are missing or refused, which trying again does not mend. Clients' SDKs
    /// repeat 408, 409, 429 and all from 500 on; and 401 would say that the client's key is wrong.
    pub fn no_credentials(message: String) -> Self {
        let code = Some("provider_credentials".to_owned());
        Self { status: 424, code, ..Self::new(ErrorKind::Permission, message) }
    }

    /// An answer that is not what the format promises.
    pub fn bad_answer(what: &str) -> Self {
        Self { status: 502, ..Self::new(ErrorKind::Server, format!("the provider's answer cannot be read: {what}")) }
    }

    /// The body of an error that says nothing that we understand.
    pub fn opaque(status: u16, body: &[u8]) -> Self {
        /// Bytes of a foreign body that are shown.
        const SHOWN: usize = 200;
        let text = String::from_utf8_lossy(body);
        let text: String = text.trim().chars().take(SHOWN).collect();
        let message = if text.is_empty() { format!("the provider answered with status {status}") } else { text };
        Self { status, is_quoted: true, ..Self::new(ErrorKind::of_status(status), message) }
    }
}
