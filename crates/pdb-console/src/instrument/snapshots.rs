//! Snapshots of the whole database, and resets.

use maud::{Markup, html};
use serde_json::Value;

use super::action::Action;
use super::{View, confirmation, list, table_choice, value};
use crate::shown::format_bytes;

impl View<'_> {
    pub(super) fn snapshots(&self) -> Markup {
        let listed = self.show("snapshots", None);
        let save = Action::SaveSnapshot;
        html! {
            @match &listed {
                Err(text) => p.notice { (text) },
                Ok(answer) => {
                    @if list(answer, "snapshots").is_empty() {
                        p.empty { "There is no snapshot yet. Save one, try something, and come back to it as often as you like." }
                    } @else {
                        (self.snapshot_table(list(answer, "snapshots")))
                    }
                }
            }
            h3 { "Save" }
            (self.form(save, html! {
                div.fields {
                    label { "Name"
                        input type="text" name="name" required maxlength="200" pattern="[A-Za-z0-9_.\\-]+" size="24" value=(self.entered(save, "name"));
                    }
                    label.check {
                        input type="checkbox" name=(Action::CONFIRMATION) value="yes";
                        span { "Yes, replace a snapshot that has this name" }
                    }
                    button.main type="submit" { "Save the database" }
                }
            }))
            (self.snapshot_files())
        }
    }

    fn snapshot_table(&self, snapshots: &[Value]) -> Markup {
        html! {
            div.scroll {
                table {
                    thead {
                        tr {
                            th scope="col" { "Name" }
                            th scope="col" { "Saved at" }
                            th.number scope="col" { "Tables" }
                            th.number scope="col" { "Items" }
                            th.number scope="col" { "Size" }
                            th scope="col" { "Actions" }
                        }
                    }
                    tbody {
                        @for snapshot in snapshots {
                            @let name = value(snapshot, "name");
                            tr {
                                th scope="row" { (name) }
                                td.mono { (value(&snapshot["taken"], "time")) }
                                td.number { (value(snapshot, "tables")) }
                                td.number { (value(snapshot, "items")) }
                                td.number { (format_bytes(snapshot["size_bytes"].as_u64().unwrap_or(0))) }
                                td {
                                    details { summary { "Restore" span.unseen { " " (name) } } (self.restore_form(&name)) }
                                    details { summary { "Delete" span.unseen { " " (name) } } (self.delete_form(&name)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn restore_form(&self, name: &str) -> Markup {
        self.form(
            Action::RestoreSnapshot,
            html! {
                input type="hidden" name="name" value=(name);
                div.fields {
                    label.check { input type="checkbox" name="clock" value="yes"; span { "also set the clock to the time of the save" } }
                    (confirmation("replace the whole database"))
                    button.danger type="submit" { "Restore" }
                }
            },
        )
    }

    fn delete_form(&self, name: &str) -> Markup {
        self.form(
            Action::DeleteSnapshot,
            html! {
                input type="hidden" name="name" value=(name);
                div.fields {
                    (confirmation("delete this snapshot"))
                    button.danger type="submit" { "Delete" }
                }
            },
        )
    }

    /// Returns the forms for files in the server's folder for snapshots, which not every server has.
    fn snapshot_files(&self) -> Markup {
        let (save, restore) = (Action::SaveSnapshot, Action::RestoreSnapshot);
        let has_entered = [save, restore].into_iter().any(|action| !self.entered(action, "file").is_empty());
        let file = |action| {
            html! {
                label { "File, in the folder of --snapshot-dir"
                    input.mono type="text" name="file" required size="24" placeholder="orders.db" value=(self.entered(action, "file"));
                }
            }
        };
        html! {
            details open[has_entered] {
                summary { "Snapshot files" }
                p.hint { "For a server that was started with " code { "--snapshot-dir" } ". A file can be kept, and given to others." }
                (self.form(save, html! {
                    div.fields {
                        (file(save))
                        (confirmation("replace the file if it exists"))
                        button type="submit" { "Save to the file" }
                    }
                }))
                (self.form(restore, html! {
                    div.fields {
                        (file(restore))
                        label.check { input type="checkbox" name="clock" value="yes"; span { "also set the clock" } }
                        (confirmation("replace the whole database"))
                        button.danger type="submit" { "Restore from the file" }
                    }
                }))
            }
        }
    }

    pub(super) fn reset(&self) -> Markup {
        let table = self.entered(Action::Reset, "table");
        let is_table = self.entered(Action::Reset, "extent") == "table";
        html! {
            p.hint { "Clock, faults and snapshots stay as they are." }
            (self.form(Action::Reset, html! {
                div.fields {
                    label.check { input type="radio" name="extent" value="all" required checked[self.entered(Action::Reset, "extent") == "all"]; span { "everything" } }
                    label.check { input type="radio" name="extent" value="table" required checked[is_table]; span { "the items and stream records of" } }
                    label { "Table" (table_choice(&self.tables, table, "choose one")) }
                    (confirmation("remove this"))
                    button.danger type="submit" { "Reset" }
                }
            }))
        }
    }
}
