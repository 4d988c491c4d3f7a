//! Advice for users if a server cannot start.

use std::error::Error;
use std::io::ErrorKind;

use pdb_server::ServerError;

use crate::paths;

/// Adds advice to the error of a server.
pub(super) fn explained(error: ServerError) -> Box<dyn Error> {
    match &error {
        ServerError::Listen { address, source } => {
            let advice = match source.kind() {
                ErrorKind::AddrInUse => {
                    "another program uses this port: stop it, choose another port with --port, or use a free one with --port 0"
                }
                ErrorKind::PermissionDenied => {
                    "the system reserves low ports for privileged programs: choose a port above 1023 with --port"
                }
                ErrorKind::AddrNotAvailable => {
                    "this machine does not have this address: use --host 127.0.0.1, or --host 0.0.0.0 for all its addresses"
                }
                _ => return error.into(),
            };
            format!("cannot listen on {address}: {advice} ({source})").into()
        }
        ServerError::SnapshotDirectory { path, source } if source.kind() == ErrorKind::NotFound => {
            let (shown, reason) = (path.display(), paths::missing(path));
            format!("cannot use `{shown}` as the snapshot folder: {reason}").into()
        }
        _ => error.into(),
    }
}
