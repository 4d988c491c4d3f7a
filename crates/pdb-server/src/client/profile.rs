//! Profiles in AWS's configuration files, `~/.aws/config` and `~/.aws/credentials`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Service;
use super::machine::Machine;
use super::sign::Credentials;

/// The name of the default profile.
const DEFAULT: &str = "default";
/// Settings that say that the keys are not in the file.
const EXTERNAL_KEY_SETTINGS: [&str; 6] = [
    "sso_session",
    "sso_start_url",
    "role_arn",
    "credential_process",
    "web_identity_token_file",
    "login_session",
];

/// Settings by name; those of a group, such as a service, as `group.name`.
type Section = BTreeMap<String, String>;

/// The settings of one profile.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Profile {
    name: String,
    is_there: bool,
    settings: Section,
    services: Section,
}

impl Profile {
    /// Reads the profile with this name, or else that of `AWS_PROFILE`, or else the default one. A profile that is in
    /// neither file has no settings.
    pub(super) fn read(machine: &dyn Machine, name: Option<&str>) -> Self {
        let given = name.map(str::to_owned).or_else(|| machine.variable("AWS_PROFILE"));
        let name = given.unwrap_or_else(|| DEFAULT.to_owned());
        let mut config = sections(&text(machine, "AWS_CONFIG_FILE", "config"));
        let mut credentials = sections(&text(machine, "AWS_SHARED_CREDENTIALS_FILE", "credentials"));
        let of_config = match config.remove(&format!("profile {name}")) {
            None if name == DEFAULT => config.remove(DEFAULT),
            section => section,
        };
        let of_credentials = credentials.remove(&name);
        let is_there = of_config.is_some() || of_credentials.is_some();
        let mut settings = of_config.unwrap_or_default();
        // Keys in the credentials file take precedence.
        settings.extend(of_credentials.unwrap_or_default());
        let services =
            settings.get("services").and_then(|services| config.remove(&format!("services {services}")));
        Self { name, is_there, settings, services: services.unwrap_or_default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether one of the files has the profile.
    pub(super) fn is_there(&self) -> bool {
        self.is_there
    }

    pub(super) fn region(&self) -> Option<String> {
        self.setting("region")
    }

    /// Returns the file with the authorities to trust.
    #[cfg(feature = "https")]
    pub(super) fn ca_bundle(&self) -> Option<String> {
        self.setting("ca_bundle")
    }

    /// Returns the endpoint of all services.
    pub(super) fn endpoint(&self) -> Option<String> {
        self.setting("endpoint_url")
    }

    /// Returns the endpoint of a service, from the `services` section that the profile names.
    pub(super) fn endpoint_of(&self, service: Service) -> Option<String> {
        let group = match service {
            Service::DynamoDb => "dynamodb",
            Service::Streams => "dynamodb_streams",
        };
        self.services.get(&format!("{group}.endpoint_url")).cloned()
    }

    pub(super) fn ignores_endpoints(&self) -> bool {
        self.setting("ignore_configured_endpoint_urls")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Returns the keys, if they are in the files. Keys beside a role do not belong to the role.
    pub(super) fn credentials(&self) -> Option<Credentials> {
        if self.setting("role_arn").is_some() {
            return None;
        }
        let (access_key, secret_key) =
            self.setting("aws_access_key_id").zip(self.setting("aws_secret_access_key"))?;
        Some(Credentials { access_key, secret_key, session_token: self.setting("aws_session_token") })
    }

    /// Returns whether other programs have to get the keys: with single sign-on, from a role, or from a process.
    pub(super) fn has_external_keys(&self) -> bool {
        EXTERNAL_KEY_SETTINGS.iter().any(|setting| self.settings.contains_key(*setting))
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.settings.get(name).filter(|value| !value.is_empty()).cloned()
    }
}

/// Returns the text of a configuration file. The file is named by a variable, or is in the folder `.aws` of the home
/// folder.
fn text(machine: &dyn Machine, variable: &str, name: &str) -> String {
    let home = || machine.variable("HOME").or_else(|| machine.variable("USERPROFILE")).map(PathBuf::from);
    let path = match machine.variable(variable) {
        Some(path) => match path.strip_prefix("~/") {
            Some(below_home) => home().map(|home| home.join(below_home)),
            None => Some(path.into()),
        },
        None => home().map(|home| home.join(".aws").join(name)),
    };
    path.and_then(|path| machine.file(&path)).unwrap_or_default()
}

/// Reads the sections of a configuration file.
fn sections(text: &str) -> BTreeMap<String, Section> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let mut section = None;
    let mut group = None;
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with(['#', ';'])) {
        let is_indented = line.starts_with([' ', '\t']);
        let line = without_comment(line.trim());
        if let Some(header) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            section = Some(sections.entry(section_name(header)).or_default());
            group = None;
            continue;
        }
        let (Some(section), Some((name, value))) = (&mut section, line.split_once('=')) else { continue };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        match &group {
            Some(group) if is_indented => section.insert(format!("{group}.{name}"), value.to_owned()),
            _ => {
                group = value.is_empty().then(|| name.clone());
                section.insert(name, value.to_owned())
            }
        };
    }
    sections
}

/// Removes a comment. After a value, a comment begins with a space.
fn without_comment(line: &str) -> &str {
    let end = [" #", " ;", "\t#", "\t;"].iter().filter_map(|comment| line.find(comment)).min();
    line[..end.unwrap_or(line.len())].trim_end()
}

/// Returns the name of a section, with single spaces between its words and without quotes.
fn section_name(header: &str) -> String {
    let words: Vec<&str> = header.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
    words.join(" ")
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use super::*;

    /// A machine with given variables (`NAME=value`) and files.
    #[derive(Default)]
    pub(in super::super) struct Pretended {
        pub(in super::super) variables: &'static str,
        pub(in super::super) files: &'static [(&'static str, &'static str)],
    }

    impl Machine for Pretended {
        fn variable(&self, name: &str) -> Option<String> {
            let pairs = self.variables.split(' ').filter_map(|pair| pair.split_once('='));
            pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        }

        fn file(&self, path: &Path) -> Option<String> {
            let found = self.files.iter().find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| (*text).to_owned())
        }
    }

    const CONFIG: &str = "
# The one without a name.
[default]
region = us-west-2 # where else
[profile  work]
Region=eu-central-1
endpoint_url = http://localhost:4566
services = local
[profile 'sign on']
sso_session = company
[services local]
dynamodb =
  endpoint_url = http://localhost:8000
  max_attempts = 3
s3 =
  endpoint_url = http://localhost:9000
dynamodb_streams =
\tendpoint_url = http://localhost:8001
";
    const CREDENTIALS: &str = "
[default]
aws_access_key_id = AKID
aws_secret_access_key = a+b/c=
[work]
aws_access_key_id = AKIDWORK
aws_secret_access_key = secret
aws_session_token = token
; [old]
";

    fn read(variables: &'static str, name: Option<&str>) -> Profile {
        let files = &[
            ("/home/me/.aws/config", CONFIG),
            ("/home/me/.aws/credentials", CREDENTIALS),
            ("/elsewhere", "[profile work]\nregion=sa-east-1\n"),
            ("/home/me/x", "[work]\naws_access_key_id=X\n"),
        ];
        Profile::read(&Pretended { variables, files }, name)
    }

    #[test]
    fn profiles_are_read_from_both_files() {
        let profile = read("HOME=/home/me", None);
        let keys = profile.credentials().unwrap();
        assert_eq!((profile.name(), profile.region().as_deref()), ("default", Some("us-west-2")));
        assert_eq!((&*keys.access_key, &*keys.secret_key, keys.session_token), ("AKID", "a+b/c=", None));
        assert_eq!((profile.endpoint(), profile.endpoint_of(Service::DynamoDb)), (None, None));
        for profile in [read("HOME=/home/me AWS_PROFILE=work", None), read("HOME=/home/me", Some("work"))] {
            assert_eq!(profile.region().as_deref(), Some("eu-central-1"));
            assert_eq!(profile.endpoint().as_deref(), Some("http://localhost:4566"));
            assert_eq!(profile.endpoint_of(Service::DynamoDb).as_deref(), Some("http://localhost:8000"));
            assert_eq!(profile.endpoint_of(Service::Streams).as_deref(), Some("http://localhost:8001"));
            assert_eq!(profile.credentials().unwrap().session_token.as_deref(), Some("token"));
        }
        let profile = read("HOME=/home/me", Some("sign on"));
        assert!(profile.is_there() && profile.has_external_keys() && profile.credentials().is_none());
        assert!(!read("HOME=/home/me", Some("missing")).is_there());
        assert!(!read("", None).is_there());
    }

    #[test]
    fn files_are_where_the_variables_say() {
        let variables = "HOME=/home/me AWS_CONFIG_FILE=/elsewhere AWS_SHARED_CREDENTIALS_FILE=~/x";
        let profile = read(variables, Some("work"));
        assert_eq!(profile.region().as_deref(), Some("sa-east-1"));
        // Half a pair of keys is none.
        assert!(profile.credentials().is_none() && !profile.has_external_keys());
    }

    #[test]
    fn nonsense_has_no_sections() {
        for text in [
            "",
            "[",
            "]",
            "[]",
            "=",
            "a=b",
            "[x]\n=\n==\n",
            "[x\ny",
            "\u{0}[\u{7f}]",
            "  a = b\n[x]\n  c = d",
        ] {
            assert!(sections(text).len() <= 1, "{text}");
        }
    }
}
