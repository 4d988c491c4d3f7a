//! Citations and links: a fact that is cited from `docs/spec` is there, with its section, and so is the target of each link in a
//! document.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Complaints;
use crate::Outcome;
use crate::workspace::{self, Package, shown};

/// Where the facts are.
const SPEC: &str = "docs/spec";

/// Checks every citation in the Rust files of the packages, and every link in the documents.
pub(super) fn check(packages: &[Package]) -> Outcome<Complaints> {
    let spec = Spec::read()?;
    let mut complaints = Complaints::new();
    // The folders of packages lie in one another: that of the tests holds packages of its own.
    let mut sources = BTreeSet::new();
    for package in packages.iter().filter(|package| package.name != "xtask") {
        sources.extend(workspace::files(package.folder(), ".rs")?);
    }
    for path in sources {
        for (number, line) in (1..).zip(workspace::read(&path)?.lines()) {
            let missing = spec.missing(line).into_iter();
            complaints.extend(missing.map(|what| format!("{}:{number} cites {what}", shown(&path))));
        }
    }
    for path in documents(packages)? {
        complaints.extend(broken_links(&path, &workspace::read(&path)?));
    }
    Ok(complaints)
}

/// Lists the documents: those at the root, in `docs`, and with each package.
fn documents(packages: &[Package]) -> Outcome<BTreeSet<PathBuf>> {
    let root = workspace::root();
    let mut found: BTreeSet<PathBuf> = workspace::entries(root)?
        .into_iter()
        .filter(|path| path.is_file() && path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    found.extend(workspace::files(&root.join("docs"), ".md")?);
    found.extend(
        packages.iter().map(|package| package.folder().join("README.md")).filter(|path| path.is_file()),
    );
    Ok(found)
}

/// The sections of the files in `docs/spec`, by file name, with the text of each.
struct Spec {
    files: BTreeMap<String, BTreeMap<String, String>>,
}

impl Spec {
    fn read() -> Outcome<Self> {
        let mut files = BTreeMap::new();
        for path in workspace::files(&workspace::root().join(SPEC), ".md")? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.insert(name, sections(&workspace::read(&path)?));
        }
        Ok(Self { files })
    }

    /// Returns what a line cites that is not there.
    fn missing(&self, line: &str) -> Vec<String> {
        let mut missing = Vec::new();
        for (name, rest) in cited_files(line) {
            let Some(sections) = self.files.get(name) else {
                let elsewhere = ["docs", "."].map(|folder| workspace::root().join(folder).join(name));
                if !elsewhere.iter().any(|path| path.is_file()) {
                    missing.push(format!("`{name}`, which is neither in {SPEC} nor a document"));
                }
                continue;
            };
            let mut section = None;
            for place in places(rest) {
                match place {
                    Place::Section(cited) => {
                        section = sections.get(&cited);
                        if section.is_none() {
                            missing
                                .push(format!("section {cited} of `{name}`, which has none of that number"));
                        }
                    }
                    Place::Item(item) => {
                        if section.is_some_and(|text| !has_item(text, item)) {
                            missing
                                .push(format!("item {item} of a section of `{name}` that does not have it"));
                        }
                    }
                }
            }
        }
        missing
    }
}

/// Returns the sections of a document by number, as in `10.12` or `appendix B`. The text of a section holds its subsections.
fn sections(text: &str) -> BTreeMap<String, String> {
    let mut sections: BTreeMap<String, String> = BTreeMap::new();
    let mut open: Vec<(usize, String)> = Vec::new();
    for line in text.lines() {
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        if level > 0 && line[level..].starts_with(' ') {
            open.retain(|(above, _)| *above < level);
            if let Some(number) = number_of_heading(line[level..].trim()) {
                sections.insert(number.clone(), String::new());
                open.push((level, number));
            }
            continue;
        }
        for (_, number) in &open {
            let section = sections.entry(number.clone()).or_default();
            section.push_str(line);
            section.push('\n');
        }
    }
    sections
}

/// Reads `10.12 UpdateTable`, `3. Tables` or `Appendix B: complete exchanges`.
fn number_of_heading(heading: &str) -> Option<String> {
    let first = heading.split([' ', ':']).next()?;
    if first == "Appendix" {
        let letter = heading.split([' ', ':']).nth(1)?;
        return Some(format!("appendix {letter}"));
    }
    let number = first.trim_end_matches('.');
    number.starts_with(|first: char| first.is_ascii_digit()).then(|| number.to_owned())
}

/// Says whether a numbered list in the text has this item. Some lists go on within a line: `7. T. 8. ...`.
fn has_item(text: &str, item: u32) -> bool {
    let number = format!("{item}.");
    text.split_whitespace().any(|word| word == number)
}

/// Returns each `NAME.md` of a line, with the text up to the next one.
fn cited_files(line: &str) -> Vec<(&str, &str)> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    let mut from = 0;
    while let Some(at) = line[from..].find(".md").map(|at| from + at) {
        let end = at + ".md".len();
        let name = line[..at].rfind(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)));
        let start = name.map_or(0, |before| before + line[before..].chars().next().map_or(1, char::len_utf8));
        let is_path = line[..start].ends_with('/');
        if start < at && !is_path && !line[end..].starts_with(|c: char| c.is_ascii_alphanumeric()) {
            let rest = &line[end..];
            found.push((&line[start..end], rest));
        }
        from = end;
    }
    for at in 1..found.len() {
        let next = found[at].0.as_ptr() as usize;
        let (name, rest) = found[at - 1];
        found[at - 1] = (name, &rest[..next - rest.as_ptr() as usize]);
    }
    found
}

/// Where in a file.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Section(String),
    Item(u32),
}

/// Reads the places behind the name of a file: `, sections 10.9 and 10.10`, `10.12, items 3 to 7`, `, appendix B`. Reading ends at the
/// first word that belongs to no citation.
fn places(rest: &str) -> Vec<Place> {
    let mut places = Vec::new();
    let mut in_items = false;
    let mut words = rest.trim_start_matches('`').split_whitespace();
    while let Some(word) = words.next() {
        // A sentence ends here, if a number was read before.
        let ends = word.ends_with([')', ';', ':']) || word.ends_with('.');
        let word = word.trim_matches(['(', ')', ';', ':', ',', '.', '`']);
        match word {
            "" | "and" | "to" | "section" | "sections" => {}
            "item" | "items" => in_items = true,
            "appendix" => {
                let letter = words.next().unwrap_or_default().trim_end_matches(['.', ')', ',', ';']);
                places.push(Place::Section(format!("appendix {letter}")));
            }
            number if number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => {
                in_items &= !number.contains('.');
                match number.parse() {
                    Ok(item) if in_items => places.push(Place::Item(item)),
                    _ => places.push(Place::Section(number.to_owned())),
                }
            }
            _ => break,
        }
        if ends && !word.is_empty() {
            break;
        }
    }
    places
}

/// Returns a complaint for each link of a document to a file or heading that does not exist. Links to the web are not followed.
fn broken_links(path: &Path, text: &str) -> Complaints {
    let folder = path.parent().unwrap_or(path);
    let mut complaints = Complaints::new();
    for link in links(text) {
        let (file, heading) =
            link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
        if file.contains("://") || file.starts_with("mailto:") {
            continue;
        }
        let target = if file.is_empty() { path.to_owned() } else { folder.join(file) };
        if !target.exists() {
            complaints.push(format!("{} links to `{link}`, which does not exist", shown(path)));
            continue;
        }
        let Some(heading) = heading.filter(|_| target.extension().is_some_and(|ending| ending == "md"))
        else {
            continue;
        };
        let headings = workspace::read(&target).map(|text| anchors(&text)).unwrap_or_default();
        if !headings.contains(heading) {
            complaints.push(format!("{} links to `{link}`, a heading that does not exist", shown(path)));
        }
    }
    complaints
}

/// Returns the targets of `[text](target)`, outside of fences and code.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in outside_fences(text) {
        for text in line.split('`').step_by(2) {
            found.extend(
                text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target),
            );
        }
    }
    found.retain(|target| !target.is_empty() && !target.contains(' '));
    found
}

/// Returns the anchors of the headings, as web pages that show Markdown make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = outside_fences(text).filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

fn outside_fences(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        inside ^= is_fence;
        !inside && !is_fence
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(number: &str) -> Place {
        Place::Section(number.to_owned())
    }

    #[test]
    fn places_are_read_up_to_the_end_of_the_citation() {
        let cases: &[(&str, &[Place])] = &[
            ("", &[]),
            (" says what each does", &[]),
            ("` 2.5.", &[section("2.5")]),
            (", section 6.", &[section("6")]),
            (" section 12: other types never expire", &[section("12")]),
            (", sections 10.9 and 10.10).", &[section("10.9"), section("10.10")]),
            ("` 10.12, items 3 to 7; ", &[section("10.12"), Place::Item(3), Place::Item(7)]),
            (
                "` 10.7, items 9 and 12, and 10.8, item 8.",
                &[section("10.7"), Place::Item(9), Place::Item(12), section("10.8"), Place::Item(8)],
            ),
            (", appendix B.", &[section("appendix B")]),
            ("` 14. Restored are 3 things", &[section("14")]),
        ];
        for (text, expected) in cases {
            assert_eq!(places(text), *expected, "{text}");
        }
    }

    #[test]
    fn files_are_found_by_name_and_not_in_paths() {
        assert_eq!(cited_files("see `a.md` 1, b-c.md"), [("a.md", "` 1, "), ("b-c.md", "")]);
        assert!(cited_files("docs/a.md and .md and a.mdx").is_empty());
    }

    #[test]
    fn sections_hold_their_subsections() {
        let sections = sections("# T\n## 1. A\na\n### 1.1 B\n1. b\n2. c. 3. d\n## Appendix A: x\nz");
        assert_eq!(sections.keys().map(String::as_str).collect::<Vec<_>>(), ["1", "1.1", "appendix A"]);
        assert!(has_item(&sections["1"], 3) && has_item(&sections["1.1"], 2));
        assert!(!has_item(&sections["1.1"], 4) && !has_item(&sections["appendix A"], 1));
    }

    #[test]
    fn links_and_anchors_are_those_of_the_text() {
        let text = "# One `two`: three\n[a](b.md#c) `[d](e)` [`f`](g)\n```\n[h](i)\n```";
        assert_eq!(links(text), ["b.md#c", "g"]);
        assert!(anchors(text).contains("one-two-three"));
    }
}
