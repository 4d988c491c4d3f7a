package shop;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.CancellationReason;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.TransactionCanceledException;

/** Orders, and the stock that they reserve. */
public final class OrderStore {
    private final DynamoDbClient client;

    public OrderStore(DynamoDbClient client) {
        this.client = client;
    }

    /** Places an order and reserves one piece of its product; does both or neither. */
    public void place(Order order) {
        try {
            client.transactWriteItems(write -> write.transactItems(
                    action -> action.put(put -> put.tableName("orders")
                            .item(order.toItem())
                            .conditionExpression("attribute_not_exists(id)")),
                    action -> action.update(update -> update.tableName("stock")
                            .key(Map.of("product", text(order.product())))
                            .updateExpression("SET pieces = pieces - :one")
                            .conditionExpression("pieces >= :one")
                            .expressionAttributeValues(Map.of(":one", number(1))))));
        } catch (TransactionCanceledException canceled) {
            List<CancellationReason> reasons = canceled.cancellationReasons();
            if (reasons.get(0).code().equals("ConditionalCheckFailed")) {
                throw new ShopException("the order " + order.id() + " exists already");
            }
            if (reasons.get(1).code().equals("ConditionalCheckFailed")) {
                throw new ShopException("the product " + order.product() + " is sold out");
            }
            throw canceled;
        }
    }

    public Optional<Order> find(String id) {
        var answer = client.getItem(get -> get.tableName("orders").key(Map.of("id", text(id))).consistentRead(true));
        return answer.hasItem() ? Optional.of(Order.of(answer.item())) : Optional.empty();
    }

    public void ship(String id) {
        try {
            client.updateItem(update -> update.tableName("orders")
                    .key(Map.of("id", text(id)))
                    .updateExpression("SET #state = :shipped")
                    .conditionExpression("attribute_exists(id)")
                    .expressionAttributeNames(Map.of("#state", "state"))
                    .expressionAttributeValues(Map.of(":shipped", text("shipped"))));
        } catch (ConditionalCheckFailedException unknown) {
            throw new ShopException("there is no order " + id);
        }
    }

    public void delete(String id) {
        client.deleteItem(delete -> delete.tableName("orders").key(Map.of("id", text(id))));
    }

    public List<Order> all() {
        return client.scanPaginator(scan -> scan.tableName("orders").consistentRead(true)).items().stream().map(Order::of).toList();
    }

    public void stock(String product, int pieces) {
        client.putItem(put -> put.tableName("stock").item(Map.of("product", text(product), "pieces", number(pieces))));
    }

    public int inStock(String product) {
        var answer = client.getItem(get -> get.tableName("stock").key(Map.of("product", text(product))).consistentRead(true));
        return answer.hasItem() ? Integer.parseInt(answer.item().get("pieces").n()) : 0;
    }

    private static AttributeValue text(String value) {
        return AttributeValue.fromS(value);
    }

    private static AttributeValue number(int value) {
        return AttributeValue.fromN(Integer.toString(value));
    }
}
