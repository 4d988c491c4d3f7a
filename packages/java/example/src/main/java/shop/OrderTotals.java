package shop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;
import software.amazon.awssdk.services.dynamodb.model.ExpiredIteratorException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.LimitExceededException;
import software.amazon.awssdk.services.dynamodb.model.Record;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.awssdk.services.dynamodb.model.ShardIteratorType;
import software.amazon.awssdk.services.dynamodb.model.TrimmedDataAccessException;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** Follows the stream of orders, and keeps the total of each customer. */
public final class OrderTotals {
    private final DynamoDbStreamsClient streams;
    private final String streamArn;
    private final OrderStore orders;
    private final State state;
    /** Where to read on, by shard. Iterators are not worth storing: they expire after 15 minutes. */
    private final Map<String, String> iterators = new HashMap<>();
    private int handled;
    private int rebuilds;

    /** What a consumer stores, so that the next one continues. An application writes it to a table. */
    public static final class State {
        /** What each order adds to the total of its customer. To apply a record twice does no harm. */
        private final Map<String, Order> orders = new HashMap<>();
        /** The sequence number of the last record that was handled, by shard. */
        private final Map<String, String> checkpoints = new HashMap<>();
        /** Shards that were read to their end. */
        private final Set<String> finished = new HashSet<>();
        private boolean isComplete;

        public State() {}

        /** What another consumer reads back after it was stored. */
        public State(State stored) {
            orders.putAll(stored.orders);
            checkpoints.putAll(stored.checkpoints);
            finished.addAll(stored.finished);
            isComplete = stored.isComplete;
        }
    }

    public OrderTotals(DynamoDbStreamsClient streams, String streamArn, OrderStore orders, State state) {
        this.streams = streams;
        this.streamArn = streamArn;
        this.orders = orders;
        this.state = state;
    }

    /** Returns the total of each customer. */
    public Map<String, Long> totals() {
        var totals = new TreeMap<String, Long>();
        state.orders.values().forEach(order -> totals.merge(order.customer(), order.total(), Long::sum));
        return totals;
    }

    /** Returns how many records this consumer has handled. */
    public int handled() {
        return handled;
    }

    /** Returns how often it has read the whole table: at the first start, and when it has missed records. */
    public int rebuilds() {
        return rebuilds;
    }

    /** Reads all records that are there. */
    public void poll() {
        boolean isDone;
        do {
            isDone = true;
            List<Shard> shards = shards();
            var listed = new HashSet<>(shards.stream().map(Shard::shardId).toList());
            if (!state.isComplete || missesShards(listed)) {
                rebuild();
            }
            state.finished.retainAll(listed);
            for (Shard shard : shards) {
                String parent = shard.parentShardId();
                boolean isReady = parent == null || !listed.contains(parent) || state.finished.contains(parent);
                if (isReady && !state.finished.contains(shard.shardId()) && drain(shard.shardId())) {
                    state.finished.add(shard.shardId());
                    isDone = false;
                }
            }
        } while (!isDone || !state.isComplete);
    }

    /** Says whether a shard has disappeared before it was read to its end. */
    private boolean missesShards(Set<String> listed) {
        return state.checkpoints.keySet().stream().anyMatch(shard -> !listed.contains(shard) && !state.finished.contains(shard));
    }

    /** Reads the table, and then the records from the oldest on, which lead to the same totals. */
    private void rebuild() {
        rebuilds++;
        iterators.clear();
        state.checkpoints.clear();
        state.finished.clear();
        state.orders.clear();
        orders.all().forEach(order -> state.orders.put(order.id(), order));
        state.isComplete = true;
    }

    /** Reads a shard; returns whether it was read to its end, which only a closed shard has. */
    private boolean drain(String shardId) {
        try {
            while (true) {
                String iterator = iterators.containsKey(shardId) ? iterators.get(shardId) : iterator(shardId);
                GetRecordsResponse page = streams.getRecords(get -> get.shardIterator(iterator));
                page.records().forEach(record -> handle(shardId, record));
                if (page.nextShardIterator() == null) {
                    iterators.remove(shardId);
                    return true;
                }
                iterators.put(shardId, page.nextShardIterator());
                if (page.records().isEmpty()) {
                    return false;
                }
            }
        } catch (ExpiredIteratorException expired) {
            iterators.remove(shardId);
            return drain(shardId);
        } catch (TrimmedDataAccessException | ResourceNotFoundException lost) {
            state.isComplete = false;
            return false;
        } catch (LimitExceededException throttled) {
            // Another consumer reads the shard, too. The next poll goes on here.
            return false;
        } catch (DynamoDbException error) {
            if (error.isThrottlingException()) {
                return false;
            }
            throw error;
        }
    }

    private String iterator(String shardId) {
        String checkpoint = state.checkpoints.get(shardId);
        return streams.getShardIterator(get -> get.streamArn(streamArn)
                        .shardId(shardId)
                        .shardIteratorType(checkpoint == null ? ShardIteratorType.TRIM_HORIZON : ShardIteratorType.AFTER_SEQUENCE_NUMBER)
                        .sequenceNumber(checkpoint))
                .shardIterator();
    }

    private void handle(String shardId, Record record) {
        String id = record.dynamodb().keys().get("id").s();
        if (record.dynamodb().hasNewImage()) {
            state.orders.put(id, Order.of(record.dynamodb().newImage()));
        } else {
            state.orders.remove(id);
        }
        state.checkpoints.put(shardId, record.dynamodb().sequenceNumber());
        handled++;
    }

    private List<Shard> shards() {
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
}
