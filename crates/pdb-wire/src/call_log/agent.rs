//! Which client has sent a request, in short.

/// The most characters of the short form.
const MOST: usize = 40;

/// Returns the product that a `User-Agent` names first, with the first two numbers of its version: `Boto3/1.40`.
///
/// SDKs put themselves first, and behind it what they run on. Characters that are not usual in such a name are shown as `?`.
pub(super) fn short(user_agent: &str) -> Option<String> {
    let product = user_agent.split_ascii_whitespace().next()?;
    let (name, version) = product.split_once('/').unwrap_or((product, ""));
    let numbers: Vec<&str> = version.split('.').take(2).collect();
    let short = if version.is_empty() { name.to_owned() } else { format!("{name}/{}", numbers.join(".")) };
    let is_usual = |character: char| character.is_ascii_alphanumeric() || "/._+-#".contains(character);
    Some(
        short.chars().take(MOST).map(|character| if is_usual(character) { character } else { '?' }).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_have_short_names() {
        for (user_agent, expected) in [
            ("Boto3/1.40.12 md/Botocore#1.40.12 ua/2.1 os/linux#6.8 lang/python#3.12.3", Some("Boto3/1.40")),
            ("aws-cli/2.15.30 Python/3.11.8 Linux/6.8 exe/x86_64 prompt/off", Some("aws-cli/2.15")),
            ("aws-sdk-js/3.500.0 ua/2.0 os/linux lang/js md/nodejs#20.11.0", Some("aws-sdk-js/3.500")),
            ("aws-sdk-go-v2/1.30.0 os/linux lang/go#1.22", Some("aws-sdk-go-v2/1.30")),
            ("aws-sdk-java/2 md/io#sync", Some("aws-sdk-java/2")),
            ("curl/8.5.0", Some("curl/8.5")),
            ("node", Some("node")),
            ("", None),
            (" ", None),
            ("a\"b=c/1.2", Some("a?b?c/1.2")),
        ] {
            assert_eq!(short(user_agent).as_deref(), expected, "{user_agent}");
        }
        assert_eq!(short(&"x".repeat(500)).unwrap().len(), MOST);
    }
}
