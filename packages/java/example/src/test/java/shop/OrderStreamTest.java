package shop;

import static io.github.pretender.Change.insert;
import static io.github.pretender.Change.modify;
import static io.github.pretender.Change.remove;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pretender.FaultKind;
import io.github.pretender.PretenderDatabase;
import io.github.pretender.junit.Pretender;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

@Pretender(schema = "template.yml")
class OrderStreamTest {
    private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");

    private OrderStore store;

    @BeforeEach
    void open(DynamoDbClient client) {
        store = new OrderStore(client);
        store.stock("tea", 10);
    }

    @Test
    void theStreamHasAllChangesInOrderWithBothImages(PretenderDatabase database) {
        var changes = database.changes("orders");
        store.place(new Order("o1", "ann", NOON, "tea", 42));
        store.ship("o1");
        store.delete("o1");

        var records = changes.expect(
                insert("id", "o1").with("state", "placed").with("total", 42),
                modify("id", "o1").with("state", "shipped"),
                remove("id", "o1").with("state", "shipped"));
        assertEquals("placed", records.get(1).dynamodb().oldImage().get("state").s());
        assertEquals("shipped", records.get(1).dynamodb().newImage().get("state").s());
    }

    @Test
    void aWriteThatChangesNothingMakesNoRecord(PretenderDatabase database) {
        store.place(new Order("o1", "ann", NOON, "tea", 42));
        store.ship("o1");
        var changes = database.changes("orders");
        store.ship("o1");
        store.delete("o2");
        changes.expect();
    }

    @Test
    void aThrottledWriteIsRetriedAndRecordedOnce(PretenderDatabase database) {
        var changes = database.changes("orders");
        database.faults().add(FaultKind.THROUGHPUT_EXCEEDED, fault -> fault.operation("TransactWriteItems").times(2));
        store.place(new Order("o1", "ann", NOON, "tea", 42));

        assertEquals(2, database.faults().injections().size());
        changes.expect(insert("id", "o1"));
        assertEquals(9, store.inStock("tea"));
    }

    @Test
    void anExpiredOrderIsRemovedAndTheRecordNamesTheService(PretenderDatabase database) {
        database.clock().set(NOON);
        var changes = database.changes("orders");
        store.place(new Order("o1", "ann", NOON, "tea", 42).expiringAt(NOON.plusSeconds(3600)));
        database.clock().advance(Duration.ofHours(2));

        assertEquals(Optional.empty(), store.find("o1"));
        var records = changes.expect(insert("id", "o1"), remove("id", "o1").with("total", 42));
        assertEquals("Service", records.get(1).userIdentity().type());
        assertEquals("dynamodb.amazonaws.com", records.get(1).userIdentity().principalId());
    }
}
