package io.github.pretender;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Chooses the calls that a fault affects. Without any choice, it affects each call that can fail in this way, for ever. */
public final class FaultSpec {
    private final Map<String, Object> body = new TreeMap<>();

    FaultSpec(FaultKind kind) {
        body.put("kind", kind.wireName());
    }

    Map<String, Object> body() {
        return body;
    }

    /**
     * Affects only these operations.
     *
     * @param operations names such as {@code PutItem}, and groups: {@code all}, {@code items}, {@code reads}, {@code writes},
     *     {@code batches}, {@code transactions}, {@code statements}, {@code tables}, {@code streams}
     * @return this
     */
    public FaultSpec operation(String... operations) {
        return set("operations", List.of(operations));
    }

    /**
     * Affects only calls that name this table, one of its streams, or an iterator of such a stream.
     *
     * @param name the name of the table
     * @return this
     */
    public FaultSpec table(String name) {
        return set("table", name);
    }

    /**
     * Ends after a number of injections.
     *
     * @param count how often the fault is injected
     * @return this
     */
    public FaultSpec times(long count) {
        return set("times", count);
    }

    /**
     * Lets the first calls pass.
     *
     * @param count how many
     * @return this
     */
    public FaultSpec skip(long count) {
        return set("skip", count);
    }

    /**
     * Affects calls at random, in the same way in each run.
     *
     * @param probability from 0 to 1
     * @return this
     */
    public FaultSpec probability(double probability) {
        return set("probability", probability);
    }

    /**
     * Chooses other random numbers.
     *
     * @param seed what they start from; 0 if it is not set
     * @return this
     */
    public FaultSpec seed(long seed) {
        return set("seed", seed);
    }

    /**
     * Sets how long {@link FaultKind#LATENCY} delays a call.
     *
     * @param delay at most an hour, in milliseconds
     * @return this
     */
    public FaultSpec delay(Duration delay) {
        return set("delay", delay.toMillis() + "ms");
    }

    /**
     * Sets between which times {@link FaultKind#LATENCY} delays a call.
     *
     * @param least the shortest delay, in milliseconds
     * @param most the longest delay, at most an hour
     * @return this
     */
    public FaultSpec delay(Duration least, Duration most) {
        return set("delay", least.toMillis() + "ms.." + most.toMillis() + "ms");
    }

    /**
     * Sets how many items {@link FaultKind#UNPROCESSED} leaves out, instead of half of them.
     *
     * @param count how many; at least one item of a batch is processed
     * @return this
     */
    public FaultSpec items(int count) {
        return set("items", count);
    }

    private FaultSpec set(String name, Object value) {
        body.put(name, value);
        return this;
    }
}
