//! Folders of files in memory, and archives of them that are the same each time: sorted entries, one time, given owners.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::Outcome;

/// The time of all files: the 1st of January 1980. Some programs take earlier ones for mistakes.
pub(super) const TIME: u64 = 315_532_800;

/// Files and folders by their paths, which have no slash at the beginning.
#[derive(Clone, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<String, Node>,
}

#[derive(Clone)]
struct Node {
    /// `None`: a folder.
    content: Option<Vec<u8>>,
    mode: u32,
    owner: u64,
}

impl Tree {
    /// Adds a file of root, with the folders it needs.
    pub(super) fn file(&mut self, path: impl Into<String>, mode: u32, content: impl Into<Vec<u8>>) {
        let path = path.into();
        self.parents(&path);
        self.nodes.insert(path, Node { content: Some(content.into()), mode, owner: 0 });
    }

    /// Adds a folder, with the folders it needs.
    pub(super) fn folder(&mut self, path: &str, mode: u32, owner: u64) {
        self.parents(path);
        self.nodes.insert(path.to_owned(), Node { content: None, mode, owner });
    }

    fn parents(&mut self, path: &str) {
        for (end, _) in path.match_indices('/') {
            let folder = Node { content: None, mode: 0o755, owner: 0 };
            self.nodes.entry(path[..end].to_owned()).or_insert(folder);
        }
    }

    /// Adds all files and folders of another tree, below a folder.
    pub(super) fn below(&mut self, folder: &str, other: Self) {
        for (path, node) in other.nodes {
            let path = format!("{folder}/{path}");
            self.parents(&path);
            self.nodes.insert(path, node);
        }
    }

    /// Returns paths and contents of the files.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.nodes.iter().filter_map(|(path, node)| Some((path.as_str(), node.content.as_deref()?)))
    }

    /// Returns paths, modes and contents of the files.
    pub(super) fn into_files(self) -> impl Iterator<Item = (String, u32, Vec<u8>)> {
        self.nodes.into_iter().filter_map(|(path, node)| Some((path, node.mode, node.content?)))
    }

    /// Returns a tar archive, whose paths begin with `prefix`.
    pub(super) fn tar(&self, prefix: &str) -> Outcome<Vec<u8>> {
        Self::archive(prefix, self.nodes.iter())
    }

    /// Returns a tar archive without folders, whose paths begin with `prefix`.
    pub(super) fn tar_of_files(&self, prefix: &str) -> Outcome<Vec<u8>> {
        Self::archive(prefix, self.nodes.iter().filter(|(_, node)| node.content.is_some()))
    }

    fn archive<'a>(prefix: &str, nodes: impl Iterator<Item = (&'a String, &'a Node)>) -> Outcome<Vec<u8>> {
        let mut archive = Builder::new(Vec::new());
        for (path, node) in nodes {
            let mut header = Header::new_gnu();
            let (kind, end) = match node.content {
                Some(_) => (EntryType::Regular, ""),
                None => (EntryType::Directory, "/"),
            };
            let content = node.content.as_deref().unwrap_or_default();
            header.set_entry_type(kind);
            header.set_mode(node.mode);
            header.set_uid(node.owner);
            header.set_gid(node.owner);
            header.set_mtime(TIME);
            header.set_size(content.len() as u64);
            archive
                .append_data(&mut header, format!("{prefix}{path}{end}"), content)
                .map_err(|error| format!("cannot archive {path}: {error}"))?;
        }
        archive.into_inner().map_err(|error| format!("cannot archive: {error}"))
    }
}

/// Compresses with gzip, without a time or a name.
pub(super) fn gzip(content: &[u8]) -> Outcome<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let packed = encoder.write_all(content).and_then(|()| encoder.finish());
    packed.map_err(|error| format!("cannot compress: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_sorted_and_have_all_folders() {
        let mut tree = Tree::default();
        tree.file("usr/bin/b", 0o755, "b");
        tree.file("usr/bin/a", 0o644, "a");
        tree.folder("data", 0o700, 65532);
        let seen = |bytes: &[u8]| {
            let mut seen = Vec::new();
            for entry in tar::Archive::new(bytes).entries().unwrap() {
                let entry = entry.unwrap();
                let header = entry.header();
                let path = entry.path().unwrap().display().to_string();
                seen.push((path, header.mode().unwrap(), header.uid().unwrap(), header.mtime().unwrap()));
            }
            seen
        };
        let bytes = tree.tar("x/").unwrap();
        let expected = [
            ("x/data/", 0o700, 65532),
            ("x/usr/", 0o755, 0),
            ("x/usr/bin/", 0o755, 0),
            ("x/usr/bin/a", 0o644, 0),
            ("x/usr/bin/b", 0o755, 0),
        ];
        let expected = expected.map(|(path, mode, owner)| (path.to_owned(), mode, owner, TIME));
        assert_eq!(seen(&bytes), expected);
        assert_eq!(seen(&tree.tar_of_files("x/").unwrap()), expected[3..]);
        assert_eq!(bytes, tree.tar("x/").unwrap());
    }

    #[test]
    fn compressed_files_have_no_time() {
        assert_eq!(gzip(b"x").unwrap()[4..8], [0; 4]);
    }
}
