package io.github.pretender;

import io.github.pretender.StreamReader.ReadRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import software.amazon.awssdk.services.dynamodb.model.Record;

/**
 * The changes of a table since {@link PretenderDatabase#changes} was called, read from its stream.
 *
 * <p>The stream is read as a consumer reads it: all shards, parents before their children. These reads meet no faults and use none up. If the table
 * is created again, or its stream is switched off and on, the changes in its next stream follow. If the stream has several shards side by side,
 * their records have no order among each other, and can come in any.
 *
 * <p>Not for use by several threads at the same time.
 */
public final class Changes {
    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(5);
    private static final long POLL_MILLIS = 20;

    private final String table;
    private final StreamReader reader;
    private final Duration timeout;
    /** Changes that were read and not yet expected. */
    private final List<ReadRecord> pending;

    Changes(PretenderDatabase database, String table) {
        this(table, new StreamReader(database, table), DEFAULT_TIMEOUT, new ArrayList<>());
        reader.poll();
    }

    private Changes(String table, StreamReader reader, Duration timeout, List<ReadRecord> pending) {
        this.table = table;
        this.reader = reader;
        this.timeout = timeout;
        this.pending = pending;
    }

    /**
     * Sets how long {@link #expect} waits for the changes.
     *
     * @param timeout how long; five seconds if it is not set
     * @return the same changes with this timeout
     */
    public Changes within(Duration timeout) {
        return new Changes(table, reader, timeout, pending);
    }

    /**
     * Waits for changes and compares: there must be these, in this order, and no others. The next call begins after them.
     *
     * <p>Changes that are trimmed cannot be compared: call this before the clock moves on by a day. If changes are missing in a shard that is still
     * there, this is reported. A closed shard disappears with its last record, which nobody can notice.
     *
     * @param expected the changes; none to check that there are none
     * @return the records of the changes
     * @throws AssertionError if other changes come, or not all within the timeout; it shows the difference
     * @throws PretenderException if changes were trimmed before they could be compared
     */
    public List<Record> expect(Change... expected) {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (true) {
            pending.addAll(reader.poll());
            boolean isHopeless = pending.stream().anyMatch(read -> Stream.of(expected).noneMatch(change -> change.matches(read.record())));
            if (pending.size() >= expected.length || isHopeless || System.nanoTime() >= deadline) {
                break;
            }
            pause();
        }
        var comparison = new Comparison(expected);
        if (!comparison.matches(List.copyOf(pending), List.of())) {
            var matched = comparison.longest;
            var remaining = pending.stream().filter(read -> !matched.contains(read)).toList();
            throw new AssertionError(difference(records(matched), remaining, expected));
        }
        pending.clear();
        return records(comparison.longest);
    }

    private static List<Record> records(List<ReadRecord> reads) {
        return reads.stream().map(ReadRecord::record).toList();
    }

    /** Looks for an order of the records that has the expected changes: if shards are side by side, several records can come next. */
    private final class Comparison {
        private final Change[] expected;
        /** Remaining records that do not match the remaining changes. Without them, many equal changes would take for ever. */
        private final Set<List<ReadRecord>> failed = new HashSet<>();
        /** The most records that were matched, in order. */
        private List<ReadRecord> longest = List.of();

        Comparison(Change... expected) {
            this.expected = expected;
        }

        boolean matches(List<ReadRecord> remaining, List<ReadRecord> matched) {
            if (matched.size() > longest.size()) {
                longest = matched;
            }
            if (matched.size() == expected.length) {
                return remaining.isEmpty();
            }
            if (failed.contains(remaining)) {
                return false;
            }
            for (ReadRecord read : remaining) {
                boolean isNext = remaining.stream().takeWhile(other -> other != read).noneMatch(other -> reader.isBefore(other, read));
                if (isNext && expected[matched.size()].matches(read.record())) {
                    var rest = remaining.stream().filter(other -> other != read).toList();
                    if (matches(rest, Stream.concat(matched.stream(), Stream.of(read)).toList())) {
                        return true;
                    }
                }
            }
            failed.add(remaining);
            return false;
        }
    }

    private String difference(List<Record> matched, List<ReadRecord> remaining, Change... expected) {
        var text = new StringBuilder("the changes of `" + table + "` are not as expected:");
        for (int i = 0; i < Math.max(expected.length, matched.size() + remaining.size()); i++) {
            text.append("\n  ").append(i + 1).append(". ");
            int other = i - matched.size();
            if (other < 0) {
                text.append("as expected:  ").append(Change.shown(matched.get(i)));
            } else if (i >= expected.length) {
                text.append("not expected: ").append(Change.shown(remaining.get(other).record()));
            } else if (other >= remaining.size()) {
                text.append("did not come: ").append(expected[i]);
            } else {
                text.append("expected:     ").append(expected[i]);
                text.append("\n     but came:     ").append(Change.shown(remaining.get(other).record()));
            }
        }
        return text.toString();
    }

    private static void pause() {
        try {
            Thread.sleep(POLL_MILLIS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new PretenderException("interrupted while waiting for changes", interrupted);
        }
    }
}
