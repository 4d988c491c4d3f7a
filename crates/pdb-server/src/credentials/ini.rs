//! Keys in sections, as in `~/.aws/credentials`: so that one file serves for the server and for the SDK that calls it.

use super::CredentialsError;
use super::entry::{Entry, is_user_name};

/// A section that is being read.
struct Section {
    line: usize,
    name: String,
    id: Option<String>,
    secret: Option<String>,
    token: Option<String>,
}

/// Reads the keys of a file. The name of a section becomes that of the key's user.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, CredentialsError> {
    let mut entries = Vec::new();
    let mut section: Option<Section> = None;
    for (number, line) in text.lines().enumerate() {
        let (number, line) = (number + 1, line.trim());
        let fault = |reason: &str| CredentialsError::line(number, reason);
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            let name = header.strip_suffix(']').ok_or_else(|| fault("the name of the section has no `]`"))?;
            entries.extend(section.take().map(Section::finish).transpose()?);
            section = Some(Section {
                line: number,
                name: name.trim().to_owned(),
                id: None,
                secret: None,
                token: None,
            });
            continue;
        }
        let Some(section) = &mut section else {
            return Err(fault("expected a JSON object, or a section such as [default]"));
        };
        // The line may contain a secret, so no message repeats it.
        let (name, value) = line.split_once('=').ok_or_else(|| fault("expected a setting, NAME = VALUE"))?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let place = match name.as_str() {
            "aws_access_key_id" => &mut section.id,
            "aws_secret_access_key" => &mut section.secret,
            "aws_session_token" => &mut section.token,
            _ => {
                return Err(fault(
                    "unknown setting: expected aws_access_key_id, aws_secret_access_key or aws_session_token",
                ));
            }
        };
        if place.replace(value.to_owned()).is_some() {
            return Err(fault("the section has this setting already"));
        }
    }
    entries.extend(section.map(Section::finish).transpose()?);
    Ok(entries)
}

impl Section {
    fn finish(self) -> Result<Entry, CredentialsError> {
        let missing = |name: &str| CredentialsError::line(self.line, format!("the section has no {name}"));
        Ok(Entry {
            line: self.line,
            access_key_id: self.id.clone().ok_or_else(|| missing("aws_access_key_id"))?,
            secret_access_key: self.secret.clone().ok_or_else(|| missing("aws_secret_access_key"))?,
            session_token: self.token,
            expiration: None,
            user_name: Some(self.name).filter(|name| is_user_name(name)),
            read_only: false,
            table_prefixes: None,
        })
    }
}
