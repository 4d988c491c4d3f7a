use super::*;

fn event(change: Change) -> Event {
    Event { file: "a".to_owned(), change }
}

fn written(at: u64, bytes: &[u8]) -> Event {
    event(Change::Written { at, bytes: bytes.to_vec() })
}

/// What is in the file at the end of these events, if the dice always show `face`.
fn left(events: &[Event], loss: Loss, face: u64) -> Option<Vec<u8>> {
    let log = Log { events: events.to_vec() };
    let mut replay = log.replay();
    while replay.step().is_some() {}
    replay.image(loss, &mut |most| face.min(most - 1)).files.remove("a")
}

#[test]
fn what_was_synced_stays_and_the_rest_may_go() {
    let events = [
        event(Change::Created),
        written(0, b"old"),
        event(Change::Synced),
        written(1, b"EW"),
        written(6, b"!"),
    ];
    assert_eq!(left(&events[..2], Loss::Unsynced, 0), None);
    assert_eq!(left(&events, Loss::Unsynced, 0).unwrap(), b"old");
    assert_eq!(left(&events, Loss::Nothing, 0).unwrap(), b"oEW\0\0\0!");
    // Torn in the first write, after no, one or two bytes; and in the second.
    assert_eq!(left(&events, Loss::Torn, 0).unwrap(), b"old");
    assert_eq!(left(&events, Loss::Torn, 1).unwrap(), b"oEW\0\0\0!");
    // Either all, or nothing of the rest.
    assert_eq!(left(&events, Loss::Subset, 0).unwrap(), b"oEW\0\0\0!");
    assert_eq!(left(&events, Loss::Subset, 1).unwrap(), b"old");
}

#[test]
fn a_write_falls_apart_into_sectors() {
    assert_eq!(sectors(510, 4, 512), [(0, 2), (2, 4)]);
    assert_eq!(sectors(512, 512, 512), [(0, 512)]);
    let events = [event(Change::Found(vec![1; 4])), written(0, &[2; 4])];
    let log = Log { events: events.to_vec() };
    let mut replay = log.replay();
    while replay.step().is_some() {}
    // The first draw is where a torn image would end.
    let mut draws = [0, 1, 0].into_iter();
    let image = replay.image(Loss::Sectors(2), &mut |_| draws.next().unwrap());
    assert_eq!(image.files["a"], [1, 1, 2, 2]);
}

#[test]
fn what_a_failed_sync_left_is_not_made_safe_by_the_next() {
    let mut events = vec![
        event(Change::Found(b"....".to_vec())),
        written(0, b"ab"),
        event(Change::SyncFailed),
        written(2, b"cd"),
        event(Change::Synced),
    ];
    assert_eq!(left(&events, Loss::Unsynced, 0).unwrap(), b"..cd");
    assert_eq!(left(&events, Loss::Nothing, 0).unwrap(), b"abcd");
    // Written again and synced, it is.
    events.extend([written(0, b"AB"), event(Change::Synced)]);
    assert_eq!(left(&events, Loss::Unsynced, 0).unwrap(), b"ABcd");
    assert_eq!(left(&events, Loss::Nothing, 0).unwrap(), b"ABcd");
}

#[test]
fn what_is_stuck_keeps_its_place_below_what_is_certain() {
    let events = [
        event(Change::Created),
        written(0, b"abcd"),
        event(Change::SyncFailed),
        written(2, b"XY"),
        written(4, b"Z"),
        event(Change::Synced),
        written(0, b"!"),
    ];
    assert_eq!(left(&events, Loss::Nothing, 0).unwrap(), b"!bXYZ");
    assert_eq!(left(&events, Loss::Unsynced, 0).unwrap(), b"\0\0XYZ");
    // Cut to nothing, what was stuck is gone for good.
    let mut events = events[..3].to_vec();
    events.extend([event(Change::Truncated(0)), event(Change::Synced)]);
    assert_eq!(left(&events, Loss::Nothing, 0).unwrap(), b"");
}

#[test]
fn a_deletion_may_be_undone_unless_the_folder_was_synced() {
    let events = [event(Change::Found(b"x".to_vec())), event(Change::Deleted { durably: false })];
    assert_eq!(left(&events, Loss::Unsynced, 0).unwrap(), b"x");
    assert_eq!(left(&events, Loss::Nothing, 0), None);
    let events = [event(Change::Found(b"x".to_vec())), event(Change::Deleted { durably: true })];
    assert_eq!(left(&events, Loss::Unsynced, 0), None);
}
