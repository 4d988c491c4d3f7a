//! What the console's pages must show to be believed: the token of forms, and the cookie of those who know the server's token.

use hyper::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use pdb_console::{Parameters, Request};
use pdb_model::{IdSource, RandomIds};

use super::super::answer::Answer;
use crate::ControlToken;

/// The secrets of the console of one server. They end with its process.
#[derive(Debug)]
pub(super) struct Session {
    /// The server's token; without it nobody signs in.
    token: Option<ControlToken>,
    form_token: ControlToken,
    cookie: ControlToken,
    /// Browsers send a cookie to all ports of a host, so the name has the port.
    cookie_name: String,
    /// Whether browsers reach the server by HTTPS only, so that they need not send the cookie otherwise.
    is_https: bool,
}

/// Returns a secret that nobody can guess.
fn secret() -> ControlToken {
    let text = format!("{:032x}{:032x}", RandomIds.next_id(), RandomIds.next_id());
    text.parse().expect("hexadecimal digits are visible")
}

impl Session {
    /// `port` is that of the server.
    pub(super) fn new(token: Option<ControlToken>, port: &str, is_https: bool) -> Self {
        Self {
            token,
            form_token: secret(),
            cookie: secret(),
            cookie_name: format!("pretender-console-{port}"),
            is_https,
        }
    }

    /// Returns the token that the forms of the pages carry.
    pub(super) fn form_token(&self) -> &str {
        self.form_token.secret()
    }

    /// Returns whether a form has that token.
    pub(super) fn is_own_form(&self, form: &Parameters<'_>) -> bool {
        form.find(Request::TOKEN).is_some_and(|given| self.form_token.is(given.as_bytes()))
    }

    /// Returns whether the browser has signed in, if that is necessary.
    pub(super) fn is_signed_in(&self, headers: &HeaderMap) -> bool {
        if self.token.is_none() {
            return true;
        }
        let cookies =
            headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
        let mut values = cookies.filter_map(|cookie| {
            cookie.trim_ascii().strip_prefix(self.cookie_name.as_bytes())?.strip_prefix(b"=")
        });
        values.any(|value| self.cookie.is(value))
    }

    /// Answers the form that has the server's token.
    pub(super) fn sign_in(&self, form: &Parameters<'_>) -> Answer {
        let given = form.get("token");
        if self.token.as_ref().is_some_and(|token| !token.is(given.as_bytes())) {
            return Answer::console(pdb_console::sign_in(true, self.form_token()));
        }
        let answer = super::see_other("./");
        let (name, value) = (&self.cookie_name, self.cookie.secret());
        let secure = if self.is_https { "; Secure" } else { "" };
        let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}");
        match HeaderValue::from_str(&cookie) {
            Ok(cookie) => answer.with(SET_COOKIE, cookie),
            Err(_) => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, text.parse().unwrap())])
    }

    #[test]
    fn those_who_know_the_token_sign_in() {
        let session = Session::new(Some("correct-horse".parse().unwrap()), "8000", false);
        let signed_in = session.sign_in(&Parameters::of(b"token=correct-horse"));
        assert_eq!(signed_in.status, 303);
        let refused = session.sign_in(&Parameters::of(b"token=horse"));
        assert_eq!(refused.status, 401);
        let cookie = session.cookie.secret();
        for (header, is_signed_in) in [
            (format!("pretender-console-8000={cookie}"), true),
            (format!("a=b; pretender-console-8000={cookie}; c=d"), true),
            (format!("pretender-console-9000=0; pretender-console-8000={cookie}"), true),
            ("pretender-console-8000=".to_owned(), false),
            (format!("pretender-console-8000={cookie}0"), false),
            (format!("other={cookie}"), false),
        ] {
            assert_eq!(session.is_signed_in(&cookies(&header)), is_signed_in, "{header}");
        }
        assert!(!session.is_signed_in(&HeaderMap::new()));
        assert!(Session::new(None, "8000", false).is_signed_in(&HeaderMap::new()));
    }

    #[test]
    fn forms_of_other_servers_are_not_its_own() {
        let session = Session::new(None, "8000", false);
        let form = format!("a=b&form_token={}", session.form_token());
        assert!(session.is_own_form(&Parameters::of(form.as_bytes())));
        assert!(!Session::new(None, "8000", false).is_own_form(&Parameters::of(form.as_bytes())));
        assert!(!session.is_own_form(&Parameters::of(b"form_token=")));
        assert!(!session.is_own_form(&Parameters::of(b"")));
    }
}
