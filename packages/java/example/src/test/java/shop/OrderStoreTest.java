package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.pretender.PretenderDatabase;
import io.github.pretender.junit.Pretender;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbEnhancedClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

@Pretender(schema = "template.yml")
class OrderStoreTest {
    private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");

    private OrderStore store;

    @BeforeEach
    void open(DynamoDbClient client) {
        store = new OrderStore(client);
        store.stock("tea", 10);
    }

    @Test
    void placesAnOrderAndReadsIt() {
        var order = new Order("o1", "ann", NOON, "tea", 42);
        store.place(order);
        assertEquals(Optional.of(order), store.find("o1"));
    }

    @Test
    void refusesTheSameOrderTwice() {
        var order = new Order("o1", "ann", NOON, "tea", 42);
        store.place(order);
        var refused = assertThrows(ShopException.class, () -> store.place(order));
        assertEquals("the order o1 exists already", refused.getMessage());
    }

    @Test
    void shipsAnOrder() {
        store.place(new Order("o1", "ann", NOON, "tea", 42));
        store.ship("o1");
        assertEquals("shipped", store.find("o1").orElseThrow().state());
    }

    @Test
    void cannotShipAnUnknownOrder() {
        var refused = assertThrows(ShopException.class, () -> store.ship("o1"));
        assertEquals("there is no order o1", refused.getMessage());
        assertEquals(Optional.empty(), store.find("o1"));
    }

    @Test
    void listsTheOrdersOfACustomerByDate(DynamoDbEnhancedClient enhanced) {
        store.place(new Order("o1", "ann", NOON.plusSeconds(60), "tea", 1));
        store.place(new Order("o2", "bob", NOON, "tea", 2));
        store.place(new Order("o3", "ann", NOON, "tea", 3));
        assertEquals(List.of("o3", "o1"), ids(new CustomerOrders(enhanced).of("ann")));
    }

    @Test
    void pagesThroughTheOrdersOfACustomer(DynamoDbEnhancedClient enhanced) {
        for (int i = 1; i <= 5; i++) {
            store.place(new Order("o" + i, "ann", NOON.plusSeconds(i), "tea", i));
        }
        var orders = new CustomerOrders(enhanced);
        var first = orders.page("ann", 2, null);
        var second = orders.page("ann", 2, first.next());
        var third = orders.page("ann", 2, second.next());
        assertEquals(List.of("o1", "o2"), ids(first.orders()));
        assertEquals(List.of("o3", "o4"), ids(second.orders()));
        assertEquals(List.of("o5"), ids(third.orders()));
        assertNull(third.next());
    }

    @Test
    void placingReservesStockInOneTransaction() {
        store.place(new Order("o1", "ann", NOON, "tea", 42));
        assertEquals(9, store.inStock("tea"));
    }

    @Test
    void aSoldOutProductCancelsTheTransactionAndChangesNothing() {
        store.stock("cups", 0);
        var refused = assertThrows(ShopException.class, () -> store.place(new Order("o1", "ann", NOON, "cups", 42)));
        assertEquals("the product cups is sold out", refused.getMessage());
        assertEquals(Optional.empty(), store.find("o1"));
        assertEquals(0, store.inStock("cups"));
    }

    @Test
    void eachTestStartsWithAnEmptyDatabase(DynamoDbClient client) {
        assertEquals(List.of("orders", "stock"), client.listTables().tableNames());
        assertEquals(List.of(), store.all());
    }

    @Test
    void aSnapshotBringsBackTheSeededOrders(PretenderDatabase database) {
        var seeded = new Order("o1", "ann", NOON, "tea", 42);
        store.place(seeded);
        database.snapshots().save("seeded");
        store.ship("o1");
        store.place(new Order("o2", "bob", NOON, "tea", 1));

        database.snapshots().restore("seeded");
        assertEquals(List.of(seeded), store.all());
        assertEquals(9, store.inStock("tea"));
    }

    private static List<String> ids(List<OrderRow> orders) {
        return orders.stream().map(OrderRow::getId).toList();
    }
}
