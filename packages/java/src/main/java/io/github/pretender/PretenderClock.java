package io.github.pretender;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/**
 * The clock of a database, which time to live, retention, iterators and the rotation of shards follow.
 *
 * <p>A command that moves the clock returns after all work that is due has been done: items have expired, records are trimmed.
 */
public final class PretenderClock {
    private final ControlClient control;

    PretenderClock(ControlClient control) {
        this.control = control;
    }

    /**
     * Returns the time.
     *
     * @return the time, to the millisecond
     */
    public Instant now() {
        return state().time();
    }

    /**
     * Shows the clock.
     *
     * @return the time, and whether it passes
     */
    public State state() {
        return State.of(control.get("clock"));
    }

    /**
     * Stops the clock where it is.
     *
     * @return the clock afterwards
     */
    public State hold() {
        return move("hold", Map.of());
    }

    /**
     * Lets the clock run on from its current time, at the machine's speed.
     *
     * @return the clock afterwards
     */
    public State run() {
        return move("run", Map.of());
    }

    /**
     * Lets the clock run on from its current time, faster or slower.
     *
     * @param speed how many seconds pass in a second
     * @return the clock afterwards
     * @throws ControlException if the speed is not a positive number
     */
    public State run(double speed) {
        return move("run", Map.of("speed", speed));
    }

    /**
     * Sets the clock.
     *
     * @param time from 1970 to 9999, to the millisecond
     * @return the clock afterwards
     * @throws ControlException if the clock cannot show the time
     */
    public State set(Instant time) {
        return move("set", Map.of("epoch_millis", time.toEpochMilli()));
    }

    /**
     * Moves the clock forward.
     *
     * @param duration how far, to the millisecond
     * @return the clock afterwards
     * @throws ControlException if the duration is negative
     */
    public State advance(Duration duration) {
        return move("advance", Map.of("millis", duration.toMillis()));
    }

    private State move(String command, Map<String, ?> body) {
        return State.of(control.post("clock/" + command, body));
    }

    /**
     * What a clock shows, and the work that was due when it was moved.
     *
     * @param time the time, to the millisecond
     * @param held whether it stands still
     * @param speed how many seconds pass in a second; 0 if it is held
     * @param done the work that the command has done; only zeros if it did not move the clock
     */
    public record State(Instant time, boolean held, double speed, DueWork done) {
        static State of(Json clock) {
            return new State(
                    Instant.ofEpochMilli(clock.get("epoch_millis").integer()),
                    clock.get("held").bool(),
                    clock.get("speed").isPresent() ? clock.get("speed").real() : 0,
                    DueWork.of(clock.get("done")));
        }
    }

    /**
     * Work that was due.
     *
     * @param rotatedShards shards that were closed for their age
     * @param expiredItems items that were removed because their time to live has passed
     * @param trimmedRecords stream records that were removed for their age
     * @param removedShards closed shards that have no records any more
     * @param purgedStreams streams that were disabled 24 hours ago
     */
    public record DueWork(long rotatedShards, long expiredItems, long trimmedRecords, long removedShards, long purgedStreams) {
        static DueWork of(Json done) {
            return new DueWork(
                    count(done, "rotated_shards"),
                    count(done, "expired_items"),
                    count(done, "trimmed_records"),
                    count(done, "dropped_shards"),
                    count(done, "dropped_streams"));
        }

        private static long count(Json done, String name) {
            return done.get(name).isPresent() ? done.get(name).integer() : 0;
        }
    }
}
