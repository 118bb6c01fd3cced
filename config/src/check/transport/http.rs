//! `url`: a server that speaks streamable HTTP.

use crate::check::reader::{Reader, headers, url};
use crate::config::Transport;

pub(super) fn check(reader: &Reader<'_>) -> Option<Transport> {
    let url = url(reader, "url");
    let headers = headers(reader);
    Some(Transport::Http { url: url?, headers: headers? })
}
