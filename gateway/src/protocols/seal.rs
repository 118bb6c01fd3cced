//! A vendor's seal on a thought, carried through another vendor's format: a client hands back what it was given, and the
//! next request finds the seal again.

use super::request::{Seal, Thought};

const SIGNATURE: &str = "tollgate:anthropic-signature:";
const REDACTED: &str = "tollgate:anthropic-redacted:";
const ENCRYPTED: &str = "tollgate:openai:";

/// `seal` for the place of Anthropic's signature.
pub fn for_anthropic(seal: &Seal, id: Option<&str>) -> Option<String> {
    match seal {
        Seal::Encrypted(data) => Some(format!("{ENCRYPTED}{}:{data}", id.unwrap_or_default())),
        Seal::Signature(_) | Seal::Redacted(_) => None,
    }
}

/// `seal` for the place of OpenAI's `encrypted_content`.
pub fn for_openai(seal: &Seal) -> String {
    match seal {
        Seal::Encrypted(data) => data.clone(),
        Seal::Signature(signature) => format!("{SIGNATURE}{signature}"),
        Seal::Redacted(data) => format!("{REDACTED}{data}"),
    }
}

/// What came in Anthropic's place for a signature.
pub fn from_anthropic(texts: Vec<String>, signature: String) -> Thought {
    match signature.strip_prefix(ENCRYPTED).and_then(|it| it.split_once(':')) {
        Some((id, data)) => {
            let id = Some(id.to_owned()).filter(|it| !it.is_empty());
            Thought { texts, seal: Some(Seal::Encrypted(data.to_owned())), id }
        }
        None => Thought { texts, seal: Some(Seal::Signature(signature)), id: None },
    }
}

/// What came in OpenAI's place for an encrypted thought.
pub fn from_openai(data: String) -> Seal {
    if let Some(signature) = data.strip_prefix(SIGNATURE) {
        return Seal::Signature(signature.to_owned());
    }
    match data.strip_prefix(REDACTED) {
        Some(redacted) => Seal::Redacted(redacted.to_owned()),
        None => Seal::Encrypted(data),
    }
}
