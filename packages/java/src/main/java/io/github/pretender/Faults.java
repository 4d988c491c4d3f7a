package io.github.pretender;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** The faults of a database: what goes wrong on demand. */
public final class Faults {
    private final ControlClient control;

    Faults(ControlClient control) {
        this.control = control;
    }

    /**
     * Adds a fault that affects each call that can fail in this way, until it is removed.
     *
     * @param kind what goes wrong
     * @return the fault
     */
    public Fault add(FaultKind kind) {
        return add(kind, fault -> {});
    }

    /**
     * Adds a fault, for example {@code faults.add(FaultKind.THROTTLING, fault -> fault.operation("PutItem").times(2))}.
     *
     * @param kind what goes wrong
     * @param choose chooses the calls
     * @return the fault
     * @throws ControlException if an operation cannot fail in this way
     */
    public Fault add(FaultKind kind, Consumer<FaultSpec> choose) {
        var spec = new FaultSpec(kind);
        choose.accept(spec);
        return Fault.of(control.post("faults/add", spec.body()));
    }

    /**
     * Lists the faults.
     *
     * @return all that were added and not removed, also those that are over
     */
    public List<Fault> list() {
        return control.get("faults").get("faults").list().stream().map(Fault::of).toList();
    }

    /**
     * Returns the log of injections.
     *
     * @return the last 1,000, the oldest first
     */
    public List<Injection> injections() {
        return control.get("faults").get("injected").list().stream().map(Injection::of).toList();
    }

    /**
     * Removes a fault.
     *
     * @param fault the fault
     * @throws ControlException if it was removed already
     */
    public void remove(Fault fault) {
        control.post("faults/remove", Map.of("id", fault.id()));
    }

    /**
     * Removes all faults, and clears the log.
     *
     * @return how many faults there were
     */
    public long clear() {
        return control.post("faults/clear", Map.of()).get("removed").integer();
    }

    /**
     * A fault, with its counts at the time of the answer.
     *
     * @param id its number
     * @param kind what goes wrong
     * @param operations the operations that it affects; empty for all that can fail in this way
     * @param table the table that it affects, unless it affects all
     * @param times how often it is injected at most, if that is limited
     * @param matched how many calls have matched
     * @param injected how often it was injected
     * @param over whether it will not be injected any more
     */
    public record Fault(
            long id,
            FaultKind kind,
            List<String> operations,
            Optional<String> table,
            OptionalLong times,
            long matched,
            long injected,
            boolean over) {
        static Fault of(Json fault) {
            Json table = fault.get("table");
            Json times = fault.get("times");
            return new Fault(
                    fault.get("id").integer(),
                    FaultKind.ofWireName(fault.get("kind").text()),
                    fault.get("operations").list().stream().map(Json::text).toList(),
                    table.isPresent() ? Optional.of(table.text()) : Optional.empty(),
                    times.isPresent() ? OptionalLong.of(times.integer()) : OptionalLong.empty(),
                    fault.get("matched").integer(),
                    fault.get("injected").integer(),
                    fault.get("over").bool());
        }
    }

    /**
     * One occurrence of a fault.
     *
     * @param time when, by the clock of the database
     * @param faultId the number of the fault
     * @param kind what went wrong
     * @param operation the operation that was called
     * @param tables the tables that the call names
     * @param requestId what the client got as {@code x-amzn-requestid}
     */
    public record Injection(
            Instant time, long faultId, FaultKind kind, String operation, List<String> tables, Optional<String> requestId) {
        static Injection of(Json injection) {
            Json requestId = injection.get("request_id");
            return new Injection(
                    Instant.ofEpochMilli(injection.get("epoch_millis").integer()),
                    injection.get("fault").integer(),
                    FaultKind.ofWireName(injection.get("kind").text()),
                    injection.get("operation").text(),
                    injection.get("tables").list().stream().map(Json::text).toList(),
                    requestId.isPresent() ? Optional.of(requestId.text()) : Optional.empty());
        }
    }
}
