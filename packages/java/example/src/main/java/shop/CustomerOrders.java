package shop;

import java.util.List;
import java.util.Map;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbEnhancedClient;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbIndex;
import software.amazon.awssdk.enhanced.dynamodb.Key;
import software.amazon.awssdk.enhanced.dynamodb.TableSchema;
import software.amazon.awssdk.enhanced.dynamodb.model.QueryConditional;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Lists the orders of a customer, with the enhanced client. */
public final class CustomerOrders {
    private final DynamoDbIndex<OrderRow> index;

    public CustomerOrders(DynamoDbEnhancedClient client) {
        this.index = client.table("orders", TableSchema.fromBean(OrderRow.class)).index("by-customer");
    }

    /** A page of orders; {@code next} is {@code null} on the last one. */
    public record Page(List<OrderRow> orders, Map<String, AttributeValue> next) {}

    /** Returns all orders of a customer, the oldest first. */
    public List<OrderRow> of(String customer) {
        return index.query(ofCustomer(customer)).stream().flatMap(page -> page.items().stream()).toList();
    }

    /** Returns a page of the orders of a customer; {@code from} is the {@code next} of the page before, or {@code null}. */
    public Page page(String customer, int limit, Map<String, AttributeValue> from) {
        var page = index.query(query -> query.queryConditional(ofCustomer(customer)).limit(limit).exclusiveStartKey(from))
                .iterator()
                .next();
        return new Page(page.items(), page.lastEvaluatedKey());
    }

    private static QueryConditional ofCustomer(String customer) {
        return QueryConditional.keyEqualTo(Key.builder().partitionValue(customer).build());
    }
}
