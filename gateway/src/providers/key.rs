//! A provider's credential as a header. It is never shown: the header is marked sensitive, and errors name its place only.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Mutex,
    time::SystemTime,
};

use http::{HeaderName, HeaderValue, header};

use crate::sync::lock;
use tollgate_config::{AuthStyle, Provider, ProviderKey, WireFormat};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Where the credential comes from.
#[derive(Debug)]
pub struct Key {
    source: Source,
    style: AuthStyle,
}

enum Source {
    None,
    Fixed(Credential),
    Missing(String),
    File { path: PathBuf, read: Mutex<Option<(SystemTime, Credential)>> },
}

/// Both ways to show a key.
#[derive(Clone)]
struct Credential {
    bearer: HeaderValue,
    bare: HeaderValue,
}

impl Key {
    /// # Errors
    /// That the key cannot stand in a header.
    pub fn new(provider: &Provider) -> Result<Self, String> {
        let source = match &provider.key {
            None => Source::None,
            Some(ProviderKey::Missing(variable)) => Source::Missing(variable.clone()),
            Some(ProviderKey::File(path)) => Source::File { path: path.clone(), read: Mutex::default() },
            Some(ProviderKey::Given(key)) => {
                let credential = Credential::new(key.expose());
                Source::Fixed(credential.map_err(|error| format!("the key of provider `{}` {error}", provider.name))?)
            }
        };
        Ok(Self { source, style: provider.auth })
    }

    /// The header that shows the key to an API that speaks `format`; `None` where there is no key.
    ///
    /// # Errors
    /// What to do about a key that should be there.
    pub fn header(&self, format: WireFormat) -> Result<Option<(HeaderName, HeaderValue)>, String> {
        let credential = match &self.source {
            Source::None => return Ok(None),
            Source::Fixed(credential) => credential.clone(),
            Source::Missing(variable) => return Err(format!("set `{variable}` and start the gateway again")),
            Source::File { path, read } => from_file(path, read)?,
        };
        let is_bare = match self.style {
            AuthStyle::XApiKey => true,
            AuthStyle::Bearer => false,
            AuthStyle::Protocol => format == WireFormat::Anthropic,
        };
        Ok(Some(if is_bare { (X_API_KEY, credential.bare) } else { (header::AUTHORIZATION, credential.bearer) }))
    }
}

impl Credential {
    fn new(key: &str) -> Result<Self, &'static str> {
        Ok(Self { bearer: secret(&format!("Bearer {key}"))?, bare: secret(key)? })
    }
}

fn secret(text: &str) -> Result<HeaderValue, &'static str> {
    let mut value = HeaderValue::from_str(text).map_err(|_| "has a character that a header cannot carry")?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads the file where it is newer than what was read before.
fn from_file(path: &Path, read: &Mutex<Option<(SystemTime, Credential)>>) -> Result<Credential, String> {
    let told = |error: &dyn fmt::Display| format!("its file `{}` cannot be used ({error})", path.display());
    let changed = std::fs::metadata(path).and_then(|it| it.modified()).map_err(|error| told(&error))?;
    let mut read = lock(read);
    if let Some((_, credential)) = read.as_ref().filter(|(when, _)| *when == changed) {
        return Ok(credential.clone());
    }
    let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
    let credential = Credential::new(text.trim()).map_err(|error| told(&format!("it {error}")))?;
    if text.trim().is_empty() {
        return Err(told(&"it is empty"));
    }
    *read = Some((changed, credential.clone()));
    Ok(credential)
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Fixed(_) => f.write_str("Fixed(***)"),
            Self::Missing(variable) => write!(f, "Missing({variable})"),
            Self::File { path, .. } => write!(f, "File({})", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_config::{Secret, Sources};

    fn provider(key: Option<ProviderKey>, auth: AuthStyle) -> Provider {
        let tokenizers: Vec<&str> = tollgate_tokenizers::TOKENIZERS.iter().map(|it| &*it.name).collect();
        let sources = Sources { working_dir: "/".into(), ..Sources::default() };
        let config = tollgate_config::parse(&sources, &tokenizers);
        let provider = config.unwrap().config.providers["openai"].clone();
        Provider { key, auth, ..provider }
    }

    fn shown(key: Option<ProviderKey>, auth: AuthStyle, format: WireFormat) -> String {
        let key = Key::new(&provider(key, auth)).unwrap();
        match key.header(format) {
            Ok(Some((name, value))) => format!("{name}: {}", value.to_str().unwrap()),
            Ok(None) => "none".into(),
            Err(remedy) => remedy,
        }
    }

    #[test]
    fn a_key_is_shown_as_the_api_wants_it() {
        let given = || Some(ProviderKey::Given(Secret::new("k".into())));
        let rows = [
            (given(), AuthStyle::Protocol, WireFormat::OpenaiChat, "authorization: Bearer k"),
            (given(), AuthStyle::Protocol, WireFormat::Anthropic, "x-api-key: k"),
            (given(), AuthStyle::Bearer, WireFormat::Anthropic, "authorization: Bearer k"),
            (given(), AuthStyle::XApiKey, WireFormat::OpenaiChat, "x-api-key: k"),
            (None, AuthStyle::Protocol, WireFormat::OpenaiChat, "none"),
            (
                Some(ProviderKey::Missing("V".into())),
                AuthStyle::Bearer,
                WireFormat::OpenaiChat,
                "set `V` and start the gateway again",
            ),
        ];
        for (key, auth, format, expected) in rows {
            assert_eq!(shown(key, auth, format), expected);
        }
    }

    #[test]
    fn a_file_is_read_again_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = Key::new(&provider(Some(ProviderKey::File(path.clone())), AuthStyle::XApiKey)).unwrap();
        let read = || key.header(WireFormat::OpenaiChat).map(|it| it.unwrap().1);
        assert!(read().unwrap_err().contains("cannot be used"));
        for text in ["one\n", "two"] {
            std::fs::write(&path, text).unwrap();
            // File times are coarse.
            let later = SystemTime::now() + std::time::Duration::from_secs(text.len() as u64);
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
            assert_eq!(read().unwrap(), text.trim());
        }
        assert!(!format!("{key:?}").contains("two"));
    }

    #[test]
    fn a_key_that_no_header_can_carry_is_an_error_without_it() {
        let key = Some(ProviderKey::Given(Secret::new("secret\n".into())));
        let error = Key::new(&provider(key, AuthStyle::Bearer)).unwrap_err();
        assert!(error.contains("openai") && !error.contains("secret\n"), "{error}");
    }
}
