package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pretender.FaultKind;
import io.github.pretender.PretenderDatabase;
import io.github.pretender.junit.Pretender;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

@Pretender(schema = "template.yml")
class OrderTotalsTest {
    private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");

    private final OrderTotals.State state = new OrderTotals.State();
    private final DynamoDbStreamsClient streams;
    private final String streamArn;
    private final OrderStore store;
    private final OrderTotals totals;

    OrderTotalsTest(DynamoDbClient client, DynamoDbStreamsClient streams) {
        this.streams = streams;
        streamArn = client.describeTable(describe -> describe.tableName("orders")).table().latestStreamArn();
        store = new OrderStore(client);
        totals = new OrderTotals(streams, streamArn, store, state);
    }

    /** The first poll reads the table: what comes after it must come from the stream. */
    @BeforeEach
    void start() {
        store.stock("tea", 100);
        totals.poll();
    }

    @Test
    void theConsumerComputesTotals() {
        place("o1", "ann", 10);
        place("o2", "bob", 5);
        place("o3", "ann", 1);
        store.ship("o1");
        store.delete("o2");
        totals.poll();
        assertEquals(Map.of("ann", 11L), totals.totals());
        assertEquals(5, totals.handled());
    }

    @Test
    void theConsumerContinuesFromItsCheckpointAfterARestart() {
        place("o1", "ann", 10);
        totals.poll();
        var stored = new OrderTotals.State(state);
        place("o2", "ann", 5);
        // The first consumer goes on, but ends before it stores anything.
        totals.poll();

        var restarted = new OrderTotals(streams, streamArn, store, stored);
        restarted.poll();
        assertEquals(Map.of("ann", 15L), restarted.totals());
        assertEquals(1, restarted.handled());
        assertEquals(0, restarted.rebuilds());
    }

    @Test
    void theConsumerSurvivesAnExpiredIterator(PretenderDatabase database) {
        place("o1", "ann", 10);
        totals.poll();
        database.clock().advance(Duration.ofMinutes(16));
        place("o2", "ann", 5);
        totals.poll();
        assertEquals(Map.of("ann", 15L), totals.totals());
        assertEquals(2, totals.handled());
        assertEquals(1, totals.rebuilds());
    }

    @Test
    void theConsumerReadsEachRecordOnceAcrossASplit(PretenderDatabase database) {
        for (int i = 0; i < 20; i++) {
            place("before-" + i, "ann", 1);
        }
        database.shards().split("orders");
        for (int i = 0; i < 20; i++) {
            place("after-" + i, "bob", 1);
            store.ship("before-" + i);
        }
        totals.poll();
        assertEquals(Map.of("ann", 20L, "bob", 20L), totals.totals());
        assertEquals(60, totals.handled());
        assertEquals(1, totals.rebuilds());
    }

    @Test
    void theConsumerRecoversFromTrimmedRecords(PretenderDatabase database) {
        place("o1", "ann", 10);
        totals.poll();
        place("o2", "ann", 5);
        store.delete("o1");
        database.clock().advance(Duration.ofHours(25));
        place("o3", "bob", 1);
        totals.poll();
        assertEquals(Map.of("ann", 5L, "bob", 1L), totals.totals());
        assertEquals(2, totals.rebuilds());
    }

    @Test
    void throttledReadsLoseNoRecords(PretenderDatabase database) {
        place("o1", "ann", 10);
        place("o2", "ann", 5);
        database.faults().add(FaultKind.LIMIT_EXCEEDED, fault -> fault.operation("GetRecords").times(1));
        totals.poll();
        totals.poll();
        assertEquals(1, database.faults().injections().size());
        assertEquals(Map.of("ann", 15L), totals.totals());
        assertEquals(2, totals.handled());
    }

    private void place(String id, String customer, long total) {
        store.place(new Order(id, customer, NOON, "tea", total));
    }
}
