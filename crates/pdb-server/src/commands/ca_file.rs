//! The file with the authority of `--tls self-signed`.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use crate::paths;

/// More than one certificate.
const MAX_BYTES: u64 = 16 * 1024;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Writes a certificate to a file, which may have one of an earlier start. It appears at once and complete.
///
/// # Errors
///
/// A message for people, if the file cannot be written, or has other contents.
pub(super) fn write(path: &Path, certificate: &str) -> Result<(), String> {
    let refused = |error: &std::io::Error| {
        format!("cannot write the file `{}`: {}", path.display(), paths::reason(path, error))
    };
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(refused(&error)),
        Ok(file) => {
            let mut text = String::new();
            if file.take(MAX_BYTES).read_to_string(&mut text).is_err() || !is_one_certificate(&text) {
                return Err(format!(
                    "`{}` is not a certificate of an earlier start, and is not replaced: choose another --tls-ca-file, or remove \
                     the file",
                    path.display()
                ));
            }
        }
    }
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", std::process::id()));
    // Left by a process with the same ID that was killed; a link is removed, not followed.
    let _ = fs::remove_file(&unfinished);
    let written = File::create_new(&unfinished).and_then(|mut file| file.write_all(certificate.as_bytes()));
    written.and_then(|()| fs::rename(&unfinished, path)).map_err(|error| {
        let _ = fs::remove_file(&unfinished);
        refused(&error)
    })
}

/// Returns whether a text is nothing but one certificate.
fn is_one_certificate(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(BEGIN) && text.find(END).is_some_and(|end| end + END.len() == text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_certificate_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let (first, second) = (format!("{BEGIN}\nAAAA\n{END}\n"), format!("{BEGIN}\nBBBB\n{END}\n"));
        write(&path, &first).unwrap();
        write(&path, &second).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), second);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        for other in ["".to_owned(), "notes".to_owned(), format!("{first}{second}"), format!("{first}more")] {
            fs::write(&path, &other).unwrap();
            let refusal = write(&path, &first).unwrap_err();
            assert!(refusal.contains("is not replaced: choose another --tls-ca-file"), "{refusal}");
            assert_eq!(fs::read_to_string(&path).unwrap(), other);
        }
        let missing = write(&folder.path().join("missing").join("ca.pem"), &first).unwrap_err();
        assert!(missing.ends_with("missing` does not exist"), "{missing}");
    }
}
