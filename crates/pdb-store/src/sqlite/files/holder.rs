//! Which process holds a lock on a file, for people.

use std::{fs::File, path::Path};

/// Returns the process that has locked a lock file, as `process 4242 (pretender serve --port 8001)`. `None` where the system does not tell, as in
/// another container.
#[cfg(target_os = "linux")]
pub(super) fn of(file: &File, path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata().ok()?;
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let process = locks.lines().filter_map(|line| locker(line, metadata.ino())).find(|process| {
        // Inodes have their numbers within one device only, and not every file system shows the same device everywhere.
        let descriptors = std::fs::read_dir(format!("/proc/{process}/fd"));
        let mut opened = descriptors.into_iter().flatten().flatten();
        opened.any(|descriptor| std::fs::read_link(descriptor.path()).is_ok_and(|target| target == path))
    })?;
    if process == std::process::id() {
        return Some("this process".to_owned());
    }
    let arguments = std::fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
    Some(match shown(&arguments) {
        Some(command) => format!("process {process} ({command})"),
        None => format!("process {process}"),
    })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn of(_: &File, _: &Path) -> Option<String> {
    None
}

/// The process that holds the lock of this line of `/proc/locks`, if it is one on this inode:
/// `3: FLOCK  ADVISORY  WRITE 4242 fd:01:1234567 0 EOF`.
#[cfg(any(target_os = "linux", test))]
fn locker(line: &str, inode: u64) -> Option<u32> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [_, "FLOCK", _, _, process, file, ..] = words[..] else { return None };
    let number = file.rsplit(':').next()?.parse::<u64>().ok()?;
    (number == inode).then(|| process.parse().ok())?
}

/// The program of a command line, and those of its arguments that say which it is and hold no secret: the first, and the port.
#[cfg(any(target_os = "linux", test))]
fn shown(command_line: &str) -> Option<String> {
    let mut arguments = command_line.split('\0').filter(|argument| !argument.is_empty());
    let mut shown = Path::new(arguments.next()?).file_name()?.to_string_lossy().into_owned();
    let rest: Vec<&str> = arguments.collect();
    if let Some(command) = rest.first()
        && command.bytes().all(|byte| byte.is_ascii_lowercase())
    {
        shown.push_str(&format!(" {command}"));
    }
    let behind = |at: usize| rest.get(at + 1).copied();
    let port = rest.iter().enumerate().find_map(|(at, argument)| match *argument {
        "--port" | "-p" => behind(at),
        argument => argument.strip_prefix("--port="),
    });
    if let Some(port) = port.filter(|port| port.parse::<u16>().is_ok()) {
        shown.push_str(&format!(" --port {port}"));
    }
    Some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_locks_name_their_process() {
        for (line, expected) in [
            ("3: FLOCK  ADVISORY  WRITE 4242 fd:01:77 0 EOF", Some(4242)),
            ("3: FLOCK  ADVISORY  WRITE 4242 fd:01:78 0 EOF", None),
            ("3: -> FLOCK  ADVISORY  WRITE 4242 fd:01:77 0 EOF", None),
            ("4: OFDLCK ADVISORY  WRITE -1 fd:01:77 1073745920 1073745920", None),
            ("5: POSIX  ADVISORY  READ 4242 fd:01:77 128 128", None),
            ("3: FLOCK  ADVISORY  WRITE -1 fd:01:77 0 EOF", None),
            ("", None),
        ] {
            assert_eq!(locker(line, 77), expected, "{line}");
        }
    }

    #[test]
    fn of_a_command_only_the_harmless_part_is_shown() {
        for (line, expected) in [
            ("/usr/bin/pretender\0serve\0--port\08001\0", Some("pretender serve --port 8001")),
            ("pretender\0serve\0--control-token\0s3cret\0-p\09000\0", Some("pretender serve --port 9000")),
            (
                "pretender\0serve\0--port=7\0--db\0postgres://me:s3cret@h/db\0",
                Some("pretender serve --port 7"),
            ),
            ("/target/debug/deps/tests-0a1b\0--nocapture\0", Some("tests-0a1b")),
            ("pretender\0serve\0--port\0s3cret\0", Some("pretender serve")),
            ("", None),
        ] {
            assert_eq!(shown(line).as_deref(), expected, "{line}");
        }
    }
}
