//! The page that asks for the server's token.

use maud::{DOCTYPE, html};

use crate::{Answer, Request};

/// Returns the page that asks for the token of the server; `is_wrong` if another one was given.
#[must_use]
pub fn sign_in(is_wrong: bool, form_token: &str) -> Answer {
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Sign in - pretender" }
                link rel="icon" type="image/svg+xml" href="console.svg";
                link rel="stylesheet" href="console.css";
            }
            body {
                main {
                    h1 { "pretender" }
                    p { "This server was started with a token (PRETENDER_CONTROL_TOKEN)." }
                    @if is_wrong { p.notice.bad role="alert" { "That is not the token this server was started with." } }
                    form method="post" action="sign-in" {
                        input type="hidden" name=(Request::TOKEN) value=(form_token);
                        div.fields {
                            label { "Token" input type="password" name="token" autocomplete="current-password" required autofocus; }
                            button.main { "Sign in" }
                        }
                    }
                }
            }
        }
    };
    Answer::Page { status: 401, html: html.into_string() }
}
