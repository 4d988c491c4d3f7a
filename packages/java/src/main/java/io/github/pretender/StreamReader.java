package io.github.pretender;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.dynamodb.model.ExpiredIteratorException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.Record;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.awssdk.services.dynamodb.model.ShardIteratorType;
import software.amazon.awssdk.services.dynamodb.model.TrimmedDataAccessException;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** Reads what is new in the latest stream of a table. */
final class StreamReader {
    private final DynamoDbStreamsClient streams;
    private final String streamArn;
    /** The last sequence number that was read of each shard. */
    private final Map<String, String> checkpoints = new HashMap<>();
    /** Closed shards that were read to their end. */
    private final Set<String> finished = new HashSet<>();
    /** The parent of each shard that has one. */
    private final Map<String, String> parents = new HashMap<>();

    /** A record, and the shard in which it was. */
    record ReadRecord(Record record, String shardId) {}

    StreamReader(PretenderDatabase database, String table) {
        this.streams = database.streamsClient();
        this.streamArn = database.client().describeTable(describe -> describe.tableName(table)).table().latestStreamArn();
        if (streamArn == null) {
            throw new IllegalArgumentException("the table `" + table + "` has no stream");
        }
    }

    /** Returns all records since the last call, those of a parent before those of its children. */
    List<ReadRecord> poll() {
        var found = new ArrayList<ReadRecord>();
        boolean hasProgress;
        do {
            hasProgress = false;
            List<Shard> shards = describe();
            Set<String> listed = shards.stream().map(Shard::shardId).collect(Collectors.toSet());
            for (Shard shard : shards) {
                String parent = shard.parentShardId();
                if (parent != null) {
                    parents.put(shard.shardId(), parent);
                }
                boolean isReady = parent == null || !listed.contains(parent) || finished.contains(parent);
                if (isReady && !finished.contains(shard.shardId()) && drain(shard.shardId(), found)) {
                    // Its children can be read now, and may not have been listed before.
                    finished.add(shard.shardId());
                    hasProgress = true;
                }
            }
        } while (hasProgress);
        return found;
    }

    /** Says whether a record is certainly earlier than one that was read after it. Records of shards side by side have no order. */
    boolean isBefore(ReadRecord earlier, ReadRecord later) {
        String shardId = later.shardId();
        while (shardId != null && !shardId.equals(earlier.shardId())) {
            shardId = parents.get(shardId);
        }
        return shardId != null;
    }

    private List<Shard> describe() {
        var shards = new ArrayList<Shard>();
        String start = null;
        do {
            String from = start;
            var page = streams.describeStream(describe -> describe.streamArn(streamArn).exclusiveStartShardId(from)).streamDescription();
            shards.addAll(page.shards());
            start = page.lastEvaluatedShardId();
        } while (start != null);
        return shards;
    }

    /** Reads a shard up to now; returns whether it is closed and was read to its end. */
    private boolean drain(String shardId, List<ReadRecord> found) {
        String iterator = iterator(shardId);
        while (iterator != null) {
            GetRecordsResponse page;
            try {
                String from = iterator;
                page = streams.getRecords(get -> get.shardIterator(from));
            } catch (ExpiredIteratorException | TrimmedDataAccessException moved) {
                // The clock was moved since the iterator was made; the next poll goes on.
                return false;
            }
            if (page.records().isEmpty() && page.nextShardIterator() != null) {
                return false;
            }
            for (Record record : page.records()) {
                checkpoints.put(shardId, record.dynamodb().sequenceNumber());
                found.add(new ReadRecord(record, shardId));
            }
            iterator = page.nextShardIterator();
        }
        return true;
    }

    private String iterator(String shardId) {
        String checkpoint = checkpoints.get(shardId);
        if (checkpoint != null) {
            try {
                return streams.getShardIterator(get -> get.streamArn(streamArn)
                                .shardId(shardId)
                                .shardIteratorType(ShardIteratorType.AFTER_SEQUENCE_NUMBER)
                                .sequenceNumber(checkpoint))
                        .shardIterator();
            } catch (TrimmedDataAccessException trimmed) {
                // The records after it are trimmed as well: what is left begins at the trim horizon.
            }
        }
        return streams.getShardIterator(
                        get -> get.streamArn(streamArn).shardId(shardId).shardIteratorType(ShardIteratorType.TRIM_HORIZON))
                .shardIterator();
    }
}
