package io.github.pretender;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;
import software.amazon.awssdk.services.dynamodb.model.ExpiredIteratorException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.Record;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.awssdk.services.dynamodb.model.ShardIteratorType;
import software.amazon.awssdk.services.dynamodb.model.TrimmedDataAccessException;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** Reads what is new in the streams of a table: it has another one after it was created again, or its stream was switched off and on. */
final class StreamReader {
    /** Faults are for the code under test. If they met these reads, an empty page could pass for the end of the stream. */
    private static final Consumer<AwsRequestOverrideConfiguration.Builder> NO_FAULTS =
            configuration -> configuration.putHeader("X-Pretender-Faults", "off");
    /** How often an iterator may expire before it is used, which needs a clock that runs very fast. */
    private static final int MAX_EXPIRED = 100;

    private final DynamoDbStreamsClient streams;
    private final String table;
    /** The last sequence number that was read of each shard. */
    private final Map<String, String> checkpoints = new HashMap<>();
    /** Closed shards that were read to their end. */
    private final Set<String> finished = new HashSet<>();
    /** The parent of each shard that has one. */
    private final Map<String, String> parents = new HashMap<>();
    /** Whether records have been read: before that, it does not matter which ones are trimmed already. */
    private boolean hasStarted;

    /** A record, and where it was. Each is equal only to itself: to compare the content would take long. */
    record ReadRecord(Record record, String streamArn, String shardId) {
        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    StreamReader(PretenderDatabase database, String table) {
        this.streams = database.streamsClient();
        this.table = table;
        var description = database.client().describeTable(describe -> describe.tableName(table).overrideConfiguration(NO_FAULTS)).table();
        if (description.latestStreamArn() == null) {
            throw new IllegalArgumentException("the table `" + table + "` has no stream");
        }
    }

    /**
     * Returns all records since the last call, those of a parent before those of its children.
     *
     * @throws PretenderException if records were trimmed before they were read
     */
    List<ReadRecord> poll() {
        var found = new ArrayList<ReadRecord>();
        for (String streamArn : list()) {
            boolean hasProgress;
            do {
                hasProgress = false;
                List<Shard> shards = describe(streamArn);
                Set<String> listed = shards.stream().map(Shard::shardId).collect(Collectors.toSet());
                // A snapshot that was restored opens shards again.
                shards.stream().filter(StreamReader::isOpen).map(Shard::shardId).forEach(finished::remove);
                for (Shard shard : shards) {
                    String parent = shard.parentShardId();
                    if (parent != null) {
                        parents.put(shard.shardId(), parent);
                    }
                    boolean isReady = parent == null || !listed.contains(parent) || finished.contains(parent);
                    if (isReady && !finished.contains(shard.shardId()) && drain(streamArn, shard, found)) {
                        // Its children can be read now, and may not have been listed before.
                        finished.add(shard.shardId());
                        hasProgress = true;
                    }
                }
            } while (hasProgress);
        }
        hasStarted = true;
        return found;
    }

    /** Says whether a record is certainly earlier than one that was read after it. Records of shards side by side have no order. */
    boolean isBefore(ReadRecord earlier, ReadRecord later) {
        String shardId = later.shardId();
        while (shardId != null && !shardId.equals(earlier.shardId())) {
            shardId = parents.get(shardId);
        }
        return shardId != null || !earlier.streamArn().equals(later.streamArn());
    }

    /** Returns the ARNs of the streams, the oldest first: they end with the time at which the stream was enabled. */
    private List<String> list() {
        var arns = new ArrayList<String>();
        String start = null;
        do {
            String from = start;
            var page = streams.listStreams(list -> list.tableName(table).exclusiveStartStreamArn(from).overrideConfiguration(NO_FAULTS));
            page.streams().forEach(stream -> arns.add(stream.streamArn()));
            start = page.lastEvaluatedStreamArn();
        } while (start != null);
        arns.sort(null);
        return arns;
    }

    private List<Shard> describe(String streamArn) {
        var shards = new ArrayList<Shard>();
        String start = null;
        do {
            String from = start;
            var page = streams.describeStream(
                            describe -> describe.streamArn(streamArn).exclusiveStartShardId(from).overrideConfiguration(NO_FAULTS))
                    .streamDescription();
            shards.addAll(page.shards());
            start = page.lastEvaluatedShardId();
        } while (start != null);
        return shards;
    }

    private static boolean isOpen(Shard shard) {
        return shard.sequenceNumberRange().endingSequenceNumber() == null;
    }

    /** Reads a shard up to now; returns whether it is closed and was read to its end. */
    private boolean drain(String streamArn, Shard shard, List<ReadRecord> found) {
        String iterator = iterator(streamArn, shard);
        int expired = 0;
        while (iterator != null) {
            GetRecordsResponse page;
            try {
                String from = iterator;
                page = streams.getRecords(get -> get.shardIterator(from).overrideConfiguration(NO_FAULTS));
            } catch (ExpiredIteratorException | TrimmedDataAccessException moved) {
                // The clock was moved since the iterator was made.
                if (++expired == MAX_EXPIRED) {
                    throw moved;
                }
                iterator = iterator(streamArn, shard);
                continue;
            }
            for (Record record : page.records()) {
                checkpoints.put(shard.shardId(), record.dynamodb().sequenceNumber());
                found.add(new ReadRecord(record, streamArn, shard.shardId()));
            }
            if (page.records().isEmpty() && isOpen(shard) && page.nextShardIterator() != null) {
                return false;
            }
            iterator = page.nextShardIterator();
        }
        return true;
    }

    /** Returns an iterator behind what was read of a shard. */
    private String iterator(String streamArn, Shard shard) {
        String checkpoint = checkpoints.get(shard.shardId());
        try {
            if (checkpoint != null) {
                return iterator(streamArn, shard, ShardIteratorType.AFTER_SEQUENCE_NUMBER, checkpoint);
            } else if (hasStarted) {
                return iterator(streamArn, shard, ShardIteratorType.AFTER_SEQUENCE_NUMBER, beforeFirst(shard));
            }
        } catch (TrimmedDataAccessException trimmed) {
            throw new PretenderException(
                    "changes of the table `" + table + "` were trimmed before they could be compared: "
                            + "compare them before the clock moves on by a day, and before a trim or a reset",
                    trimmed);
        } catch (DynamoDbException error) {
            // A shard that never had a record has no such number.
            if (!error.awsErrorDetails().errorCode().equals("ValidationException")) {
                throw error;
            }
        }
        return iterator(streamArn, shard, ShardIteratorType.TRIM_HORIZON, null);
    }

    private String iterator(String streamArn, Shard shard, ShardIteratorType type, String number) {
        return streams.getShardIterator(get -> get.streamArn(streamArn)
                        .shardId(shard.shardId())
                        .shardIteratorType(type)
                        .sequenceNumber(number)
                        .overrideConfiguration(NO_FAULTS))
                .shardIterator();
    }

    /**
     * Returns a number between the opening of a shard and its first record. To read on there fails if a record was trimmed, while to read on at the
     * opening is the same as at the trim horizon.
     */
    private static String beforeFirst(Shard shard) {
        return new BigInteger(shard.sequenceNumberRange().startingSequenceNumber()).add(BigInteger.ONE).toString();
    }
}
