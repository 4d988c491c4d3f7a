import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.StreamsSchedulerFactory;
import com.amazonaws.services.dynamodbv2.streamsadapter.model.DynamoDBStreamsProcessRecordsInput;
import com.amazonaws.services.dynamodbv2.streamsadapter.polling.DynamoDBStreamsPollingConfig;
import com.amazonaws.services.dynamodbv2.streamsadapter.processor.DynamoDBStreamsShardRecordProcessor;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.Record;
import software.amazon.awssdk.services.dynamodb.model.ScalarAttributeType;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.awssdk.services.dynamodb.model.StreamViewType;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;

/**
 * Reads a stream with the Kinesis client library and AWS's DynamoDB Streams adapter, while it is written to and its
 * shards are split; see ../../../../README.md.
 */
public final class Client {
    private static final URI ENDPOINT = URI.create(System.getenv("ENDPOINT"));
    private static final String TABLE = "clients-kinesis";
    private static final int WRITES = 600;

    private static final StaticCredentialsProvider LOGIN =
            StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test"));

    /** The name of one stream record. */
    private record Change(String event, String id, int version) {}

    /** What the processors of all shards have seen. */
    private final List<Change> seen = new ArrayList<>();

    private final Map<String, Integer> versions = new HashMap<>();
    private final Set<String> endedShards = new HashSet<>();
    private final List<String> complaints = Collections.synchronizedList(new ArrayList<>());

    public static void main(String[] arguments) throws Exception {
        // The adapter reports every step.
        Logger.getLogger("").setLevel(Level.WARNING);
        new Client().run();
        // The library leaves threads behind that would keep the program alive.
        System.exit(0);
    }

    private void run() throws Exception {
        var dynamodb = DynamoDbClient.builder()
                .endpointOverride(ENDPOINT)
                .region(Region.US_EAST_1)
                .credentialsProvider(LOGIN)
                .build();
        var streams = DynamoDbStreamsClient.builder()
                .endpointOverride(ENDPOINT)
                .region(Region.US_EAST_1)
                .credentialsProvider(LOGIN)
                .build();
        dynamodb.createTable(table -> table.tableName(TABLE)
                .keySchema(key -> key.attributeName("id").keyType(KeyType.HASH))
                .attributeDefinitions(definition ->
                        definition.attributeName("id").attributeType(ScalarAttributeType.S))
                .billingMode(BillingMode.PAY_PER_REQUEST)
                .streamSpecification(stream ->
                        stream.streamEnabled(true).streamViewType(StreamViewType.NEW_AND_OLD_IMAGES)));
        dynamodb.waiter().waitUntilTableExists(table -> table.tableName(TABLE));
        String arn = dynamodb.describeTable(table -> table.tableName(TABLE)).table().latestStreamArn();

        Scheduler scheduler = scheduler(arn, streams);
        var thread = new Thread(scheduler, "scheduler");
        thread.setDaemon(true);
        thread.start();

        Set<Change> written = new HashSet<>();
        Map<String, Integer> current = new HashMap<>();
        for (int number = 0; number < WRITES; number++) {
            if (number == WRITES / 3 || number == 2 * WRITES / 3) {
                // Only a split that meets a consumer at work shows anything.
                int expected = written.size() / 2;
                await("half of the records", () -> count() >= expected);
                ctl("shards", "split", arn, openShard(streams, arn));
            }
            written.add(write(dynamodb, current, number));
            TimeUnit.MILLISECONDS.sleep(10);
        }

        int expected = written.size();
        await("all records", () -> count() >= expected);
        // Time for a record to come twice.
        TimeUnit.SECONDS.sleep(2);
        scheduler.startGracefulShutdown().get(60, TimeUnit.SECONDS);

        synchronized (seen) {
            if (!complaints.isEmpty()) {
                throw new IllegalStateException(String.join("; ", complaints));
            }
            Set<Change> distinct = new HashSet<>(seen);
            System.out.printf(
                    "{\"client\":\"kinesis\",\"written\":%d,\"seen\":%d,\"duplicates\":%d,\"missing\":%d,"
                            + "\"unexpected\":%d,\"shards\":%d,\"ended\":%d}%n",
                    written.size(),
                    seen.size(),
                    seen.size() - distinct.size(),
                    written.stream().filter(change -> !distinct.contains(change)).count(),
                    distinct.stream().filter(change -> !written.contains(change)).count(),
                    shards(streams, arn).size(),
                    endedShards.size());
        }
    }

    private Scheduler scheduler(String arn, DynamoDbStreamsClient streams) {
        var adapter = new AmazonDynamoDBStreamsAdapterClient(streams, Region.US_EAST_1);
        var leases = DynamoDbAsyncClient.builder()
                .endpointOverride(ENDPOINT)
                .region(Region.US_EAST_1)
                .credentialsProvider(LOGIN)
                .build();
        var cloudWatch = CloudWatchAsyncClient.builder()
                .endpointOverride(ENDPOINT)
                .region(Region.US_EAST_1)
                .credentialsProvider(LOGIN)
                .build();
        var beginning =
                InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
        var configs = new ConfigsBuilder(
                StreamsSchedulerFactory.createSingleStreamTracker(arn, beginning),
                "clients-kinesis-leases",
                adapter,
                leases,
                cloudWatch,
                "worker",
                Processor::new);
        // Tuned for a test: leases of new shards are taken at once, not after half a minute.
        var leaseManagement = configs.leaseManagementConfig()
                .failoverTimeMillis(2_000)
                .shardSyncIntervalMillis(2_000)
                .leaseAssignmentIntervalMillis(500L);
        leaseManagement.workerUtilizationAwareAssignmentConfig().disableWorkerMetrics(true);
        var polling = new DynamoDBStreamsPollingConfig(arn, adapter);
        polling.idleTimeBetweenReadsInMillis(250);
        polling.maxRecords(50);
        return StreamsSchedulerFactory.createScheduler(
                configs.checkpointConfig(),
                configs.coordinatorConfig().parentShardPollIntervalMillis(500),
                leaseManagement,
                configs.lifecycleConfig(),
                configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
                configs.processorConfig(),
                configs.retrievalConfig().retrievalSpecificConfig(polling),
                adapter);
    }

    /** Puts, updates or deletes one of fifty items; returns the name of the record that must follow. */
    private static Change write(DynamoDbClient dynamodb, Map<String, Integer> current, int number) {
        // An item that was deleted comes back under a new name, so that a name stands for one history.
        String id = "item-" + number % 50 + "-" + number / 200;
        Integer version = current.get(id);
        var key = Map.of("id", AttributeValue.fromS(id));
        if (version == null) {
            current.put(id, 1);
            dynamodb.putItem(put -> put.tableName(TABLE)
                    .item(Map.of("id", AttributeValue.fromS(id), "version", AttributeValue.fromN("1"))));
            return new Change("INSERT", id, 1);
        }
        if (number % 200 >= 150) {
            dynamodb.deleteItem(delete -> delete.tableName(TABLE).key(key));
            return new Change("REMOVE", id, version);
        }
        current.put(id, version + 1);
        dynamodb.updateItem(update -> update.tableName(TABLE)
                .key(key)
                .updateExpression("ADD version :one")
                .expressionAttributeValues(Map.of(":one", AttributeValue.fromN("1"))));
        return new Change("MODIFY", id, version + 1);
    }

    private static List<Shard> shards(DynamoDbStreamsClient streams, String arn) {
        return streams.describeStream(describe -> describe.streamArn(arn)).streamDescription().shards();
    }

    private static String openShard(DynamoDbStreamsClient streams, String arn) {
        return shards(streams, arn).stream()
                .filter(shard -> shard.sequenceNumberRange().endingSequenceNumber() == null)
                .findFirst()
                .orElseThrow()
                .shardId();
    }

    private int count() {
        synchronized (seen) {
            return seen.size();
        }
    }

    private void await(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
        while (!condition.getAsBoolean() && complaints.isEmpty()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException(what + " did not come in two minutes; seen " + count());
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    /** Gives the server a command through its control interface. */
    private static void ctl(String... arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(System.getenv("PRETENDER"), "ctl", "--endpoint", ENDPOINT.toString()));
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

    /** Notes the records of one shard. */
    private final class Processor implements DynamoDBStreamsShardRecordProcessor {
        private String shardId;

        @Override
        public void initialize(InitializationInput input) {
            shardId = input.shardId();
        }

        @Override
        public void processRecords(DynamoDBStreamsProcessRecordsInput input) {
            synchronized (seen) {
                input.records().forEach(record -> note(record.getRecord()));
            }
            checkpoint(input.checkpointer());
        }

        private void note(Record record) {
            Map<String, AttributeValue> item = record.dynamodb().hasNewImage()
                    ? record.dynamodb().newImage()
                    : record.dynamodb().oldImage();
            String id = item.get("id").s();
            int version = Integer.parseInt(item.get("version").n());
            Integer before = versions.put(id, version);
            if (before != null && version < before) {
                complaints.add(id + ": version " + version + " after " + before);
            }
            seen.add(new Change(record.eventNameAsString(), id, version));
        }

        @Override
        public void leaseLost(LeaseLostInput input) {}

        @Override
        public void shardEnded(ShardEndedInput input) {
            synchronized (seen) {
                endedShards.add(shardId);
            }
            checkpoint(input.checkpointer());
        }

        @Override
        public void shutdownRequested(ShutdownRequestedInput input) {
            checkpoint(input.checkpointer());
        }

        private void checkpoint(RecordProcessorCheckpointer checkpointer) {
            try {
                checkpointer.checkpoint();
            } catch (InvalidStateException | ShutdownException error) {
                synchronized (seen) {
                    complaints.add("checkpoint of " + shardId + ": " + error);
                }
            }
        }
    }
}
