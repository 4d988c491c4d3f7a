//! Server-sent events: the text of one message.

/// What comes first: how long a browser waits before it connects again, in milliseconds.
pub(crate) const RETRY: &str = "retry: 1000\n\n";

/// Something that is sent without anything having happened, so that both sides notice that the other one is gone.
pub(crate) const HEARTBEAT: &str = ": still here\n\n";

/// Returns a message: its kind, the id from which a browser continues if the connection is lost, and its data.
///
/// Data of several lines arrives as it was given. All ends of lines become `\n`, because the format has no others.
pub(crate) fn message(kind: &str, id: Option<&str>, data: &str) -> String {
    let mut text = String::with_capacity(data.len() + 64);
    let mut field = |name: &str, value: &str| {
        text.push_str(name);
        text.push_str(": ");
        text.push_str(value);
        text.push('\n');
    };
    field("event", kind);
    if let Some(id) = id {
        field("id", id);
    }
    for line in data.replace("\r\n", "\n").split(['\n', '\r']) {
        field("data", line);
    }
    text.push('\n');
    text
}

/// Returns a message that only says from where a browser continues.
pub(crate) fn id_alone(id: &str) -> String {
    format!("id: {id}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_the_data_is_a_field() {
        for (data, expected) in [
            ("", "event: records\nid: 7\ndata: \n\n"),
            ("{}", "event: records\nid: 7\ndata: {}\n\n"),
            ("a\nb", "event: records\nid: 7\ndata: a\ndata: b\n\n"),
            ("a\r\nb\rc\n", "event: records\nid: 7\ndata: a\ndata: b\ndata: c\ndata: \n\n"),
            ("id: 9\n\nevent: x", "event: records\nid: 7\ndata: id: 9\ndata: \ndata: event: x\n\n"),
            (": x", "event: records\nid: 7\ndata: : x\n\n"),
        ] {
            assert_eq!(message("records", Some("7"), data), expected, "{data:?}");
        }
        assert_eq!(message("notice", None, "gone"), "event: notice\ndata: gone\n\n");
        assert_eq!(id_alone("7"), "id: 7\n\n");
    }
}
