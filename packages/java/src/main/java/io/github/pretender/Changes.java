package io.github.pretender;

import io.github.pretender.StreamReader.ReadRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import software.amazon.awssdk.services.dynamodb.model.Record;

/**
 * The changes of a table since {@link PretenderDatabase#changes} was called, read from its stream.
 *
 * <p>The stream is read as a consumer reads it: all shards, parents before their children. Faults of the Streams API affect these reads, too.
 * If the stream has several shards side by side, their records have no order among each other, and can come in any. Not for use by several threads at
 * the same time.
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
     * @param expected the changes; none to check that there are none
     * @return the records of the changes
     * @throws AssertionError if other changes come, or not all within the timeout; it shows the difference
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
        var remaining = new ArrayList<>(pending);
        var matched = new ArrayList<Record>();
        for (Change change : expected) {
            Optional<ReadRecord> next = next(remaining, change);
            if (next.isEmpty()) {
                throw new AssertionError(difference(matched, remaining, expected));
            }
            remaining.remove(next.get());
            matched.add(next.get().record());
        }
        if (!remaining.isEmpty()) {
            throw new AssertionError(difference(matched, remaining, expected));
        }
        pending.clear();
        return matched;
    }

    /** Finds a record that matches, and before which no other one must come. */
    private Optional<ReadRecord> next(List<ReadRecord> remaining, Change change) {
        return remaining.stream()
                .filter(read -> change.matches(read.record()))
                .filter(read -> remaining.stream().takeWhile(other -> other != read).noneMatch(other -> reader.isBefore(other, read)))
                .findFirst();
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
