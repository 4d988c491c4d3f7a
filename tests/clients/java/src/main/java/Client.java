import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.ExpiredIteratorException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.Record;
import software.amazon.awssdk.services.dynamodb.model.ScalarAttributeType;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.awssdk.services.dynamodb.model.ShardIteratorType;
import software.amazon.awssdk.services.dynamodb.model.StreamDescription;
import software.amazon.awssdk.services.dynamodb.model.StreamViewType;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** Writes to a table and reads its stream to the end with the AWS SDK for Java; see ../../../../README.md. */
public final class Client {
    private static final String ENDPOINT = System.getenv("ENDPOINT");
    private static final String TABLE = "clients-java";
    private static final int ITEMS = 100;

    private final DynamoDbClient dynamodb;
    private final DynamoDbStreamsClient streams;

    /** The name of one stream record. */
    private record Change(String event, String id, int version) {}

    private Client(DynamoDbClient dynamodb, DynamoDbStreamsClient streams) {
        this.dynamodb = dynamodb;
        this.streams = streams;
    }

    public static void main(String[] arguments) throws Exception {
        var login = StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test"));
        try (var dynamodb = DynamoDbClient.builder()
                        .endpointOverride(URI.create(ENDPOINT))
                        .region(Region.US_EAST_1)
                        .credentialsProvider(login)
                        .build();
                var streams = DynamoDbStreamsClient.builder()
                        .endpointOverride(URI.create(ENDPOINT))
                        .region(Region.US_EAST_1)
                        .credentialsProvider(login)
                        .build()) {
            new Client(dynamodb, streams).run();
        }
    }

    private void run() throws Exception {
        dynamodb.createTable(table -> table.tableName(TABLE)
                .keySchema(key -> key.attributeName("id").keyType(KeyType.HASH))
                .attributeDefinitions(definition ->
                        definition.attributeName("id").attributeType(ScalarAttributeType.S))
                .billingMode(BillingMode.PAY_PER_REQUEST)
                .streamSpecification(stream ->
                        stream.streamEnabled(true).streamViewType(StreamViewType.NEW_AND_OLD_IMAGES)));
        dynamodb.waiter().waitUntilTableExists(table -> table.tableName(TABLE));
        String arn = dynamodb.describeTable(table -> table.tableName(TABLE)).table().latestStreamArn();
        if (streams.listStreams(list -> list.tableName(TABLE)).streams().stream()
                .noneMatch(stream -> stream.streamArn().equals(arn))) {
            throw new IllegalStateException("ListStreams does not list " + arn);
        }

        var writer = new Writer();
        var reader = new Reader(arn);
        writer.round("first");
        String first = reader.shards().get(0).shardId();
        String iterator = reader.iterator(first);
        for (int page = 0; page < 3; page++) {
            iterator = reader.page(first, iterator).nextShardIterator();
        }
        String kept = iterator;

        ctl("shards", "split", arn, first);
        ctl("clock", "advance", "16m");
        try {
            streams.getRecords(get -> get.shardIterator(kept));
            throw new IllegalStateException("an iterator of 16 minutes was accepted");
        } catch (ExpiredIteratorException expected) {
            reader.expired++;
        }

        writer.round("second");
        int shards = reader.drainAll();

        Set<Change> written = new HashSet<>(writer.written);
        Set<Change> seen = new HashSet<>(reader.seen);
        System.out.printf(
                "{\"client\":\"java\",\"written\":%d,\"seen\":%d,\"duplicates\":%d,\"missing\":%d,"
                        + "\"unexpected\":%d,\"shards\":%d,\"expired\":%d}%n",
                writer.written.size(),
                reader.seen.size(),
                reader.seen.size() - seen.size(),
                written.stream().filter(change -> !seen.contains(change)).count(),
                seen.stream().filter(change -> !written.contains(change)).count(),
                shards,
                reader.expired);
    }

    /** Gives the server a command through its control interface. */
    private static void ctl(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(System.getenv("PRETENDER"), "ctl", "--endpoint", ENDPOINT));
        command.addAll(List.of(arguments));
        int status = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start()
                .waitFor();
        if (status != 0) {
            throw new IOException(String.join(" ", command) + " ended with " + status);
        }
    }

    private static AttributeValue text(String value) {
        return AttributeValue.fromS(value);
    }

    private static AttributeValue number(int value) {
        return AttributeValue.fromN(Integer.toString(value));
    }

    /** Writes items and keeps the names of the records that must follow. */
    private final class Writer {
        private final Map<String, Integer> versions = new HashMap<>();
        private final List<Change> written = new ArrayList<>();

        private int note(String event, String id) {
            int version = versions.merge(id, 1, Integer::sum);
            written.add(new Change(event, id, version));
            return version;
        }

        void put(String id) {
            int version = note(versions.containsKey(id) ? "MODIFY" : "INSERT", id);
            dynamodb.putItem(put -> put.tableName(TABLE)
                    .item(Map.of("id", text(id), "version", number(version), "text", text("put"))));
        }

        void update(String id) {
            note("MODIFY", id);
            dynamodb.updateItem(update -> update.tableName(TABLE)
                    .key(Map.of("id", text(id)))
                    .updateExpression("SET #t = :text ADD version :one")
                    .expressionAttributeNames(Map.of("#t", "text"))
                    .expressionAttributeValues(Map.of(":text", text("updated"), ":one", number(1))));
        }

        void delete(String id) {
            written.add(new Change("REMOVE", id, versions.remove(id)));
            dynamodb.deleteItem(delete -> delete.tableName(TABLE).key(Map.of("id", text(id))));
        }

        /** Puts items of its own, updates every second one of all, deletes every fifth of its own. */
        void round(String name) {
            for (int item = 0; item < ITEMS; item++) {
                put(name + "-" + item);
            }
            List<String> all = new ArrayList<>(new TreeSet<>(versions.keySet()));
            for (int at = 0; at < all.size(); at += 2) {
                update(all.get(at));
            }
            for (int item = 0; item < ITEMS; item += 5) {
                delete(name + "-" + item);
            }
        }
    }

    /** Reads the shards of one stream, parents before children. */
    private final class Reader {
        private final String arn;
        private final List<Change> seen = new ArrayList<>();
        /** The last sequence number seen of each shard. */
        private final Map<String, String> last = new HashMap<>();
        private final Map<String, Integer> versions = new HashMap<>();
        private int expired;

        Reader(String arn) {
            this.arn = arn;
        }

        /** Describes the stream, one shard a page. */
        List<Shard> shards() {
            List<Shard> shards = new ArrayList<>();
            String start = null;
            do {
                String from = start;
                StreamDescription description = streams.describeStream(
                                describe -> describe.streamArn(arn).limit(1).exclusiveStartShardId(from))
                        .streamDescription();
                shards.addAll(description.shards());
                start = description.lastEvaluatedShardId();
            } while (start != null);
            return shards;
        }

        /** Returns an iterator behind the last record seen of the shard, or at its beginning. */
        String iterator(String shardId) {
            String behind = last.get(shardId);
            return streams.getShardIterator(get -> get.streamArn(arn)
                            .shardId(shardId)
                            .shardIteratorType(behind == null
                                    ? ShardIteratorType.TRIM_HORIZON
                                    : ShardIteratorType.AFTER_SEQUENCE_NUMBER)
                            .sequenceNumber(behind))
                    .shardIterator();
        }

        /** Reads one page. */
        GetRecordsResponse page(String shardId, String iterator) {
            GetRecordsResponse answer = streams.getRecords(get -> get.shardIterator(iterator).limit(7));
            for (Record record : answer.records()) {
                last.put(shardId, record.dynamodb().sequenceNumber());
                Map<String, AttributeValue> item = record.dynamodb().hasNewImage()
                        ? record.dynamodb().newImage()
                        : record.dynamodb().oldImage();
                String id = item.get("id").s();
                int version = Integer.parseInt(item.get("version").n());
                Integer before = versions.put(id, version);
                if (before != null && version < before) {
                    throw new IllegalStateException(id + ": version " + version + " after " + before);
                }
                seen.add(new Change(record.eventNameAsString(), id, version));
            }
            return answer;
        }

        /** Reads a closed shard to its end, an open one until it has been empty three times. */
        void drain(String shardId) {
            String iterator = iterator(shardId);
            int empty = 0;
            while (iterator != null && empty < 3) {
                try {
                    GetRecordsResponse answer = page(shardId, iterator);
                    iterator = answer.nextShardIterator();
                    empty = answer.records().isEmpty() ? empty + 1 : 0;
                } catch (ExpiredIteratorException expected) {
                    expired++;
                    iterator = iterator(shardId);
                }
            }
        }

        /** Reads every shard, a parent before its children; returns how many there are. */
        int drainAll() {
            Set<String> finished = new HashSet<>();
            while (true) {
                Map<String, Shard> waiting = new HashMap<>();
                for (Shard shard : shards()) {
                    if (!finished.contains(shard.shardId())) {
                        waiting.put(shard.shardId(), shard);
                    }
                }
                if (waiting.isEmpty()) {
                    return finished.size();
                }
                for (Shard shard : waiting.values()) {
                    if (!waiting.containsKey(shard.parentShardId())) {
                        drain(shard.shardId());
                        finished.add(shard.shardId());
                    }
                }
            }
        }
    }
}
