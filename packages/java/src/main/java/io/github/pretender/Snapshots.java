package io.github.pretender;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The snapshots of a database, each the whole database at one moment. The server keeps them in memory, with the database. */
public final class Snapshots {
    private final ControlClient control;

    Snapshots(ControlClient control) {
        this.control = control;
    }

    /**
     * Saves the database. An earlier snapshot with this name is replaced.
     *
     * @param name the name of the snapshot
     * @return what was saved
     */
    public Snapshot save(String name) {
        return Snapshot.of(control.post("snapshots/save", Map.of("name", name)).get("snapshot"));
    }

    /**
     * Restores the database from a snapshot. Faults and the clock stay as they are.
     *
     * @param name the name of the snapshot
     * @return what was restored
     * @throws ControlException if there is no such snapshot
     */
    public Snapshot restore(String name) {
        return Snapshot.of(control.post("snapshots/restore", Map.of("name", name)).get("snapshot"));
    }

    /**
     * Restores the database from a snapshot, and sets the clock to the time when it was saved.
     *
     * @param name the name of the snapshot
     * @return what was restored
     * @throws ControlException if there is no such snapshot
     */
    public Snapshot restoreWithClock(String name) {
        return Snapshot.of(control.post("snapshots/restore", Map.of("name", name, "clock", true)).get("snapshot"));
    }

    /**
     * Lists the snapshots.
     *
     * @return their descriptions
     */
    public List<Snapshot> list() {
        return control.get("snapshots").get("snapshots").list().stream().map(Snapshot::of).toList();
    }

    /**
     * Deletes a snapshot.
     *
     * @param name its name
     * @throws ControlException if there is no such snapshot
     */
    public void delete(String name) {
        control.post("snapshots/delete", Map.of("name", name));
    }

    /**
     * Describes a snapshot.
     *
     * @param name its name
     * @param taken when it was saved, by the clock of the database
     * @param tables how many tables it has
     * @param items how many items it has
     * @param sizeBytes its size, in bytes
     */
    public record Snapshot(String name, Optional<Instant> taken, long tables, long items, long sizeBytes) {
        static Snapshot of(Json snapshot) {
            Json taken = snapshot.get("taken");
            return new Snapshot(
                    snapshot.get("name").text(),
                    taken.isPresent() ? Optional.of(Instant.ofEpochMilli(taken.get("epoch_millis").integer())) : Optional.empty(),
                    snapshot.get("tables").integer(),
                    snapshot.get("items").integer(),
                    snapshot.get("size_bytes").integer());
        }
    }
}
