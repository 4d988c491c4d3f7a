package shop;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** An order; {@code expires} is {@code null} if it is kept for ever. */
public record Order(String id, String customer, Instant placed, String product, long total, String state, Instant expires) {
    public Order(String id, String customer, Instant placed, String product, long total) {
        this(id, customer, placed, product, total, "placed", null);
    }

    public Order expiringAt(Instant time) {
        return new Order(id, customer, placed, product, total, state, time);
    }

    static Order of(Map<String, AttributeValue> item) {
        return new Order(
                item.get("id").s(),
                item.get("customer").s(),
                Instant.parse(item.get("placed").s()),
                item.get("product").s(),
                Long.parseLong(item.get("total").n()),
                item.get("state").s(),
                item.containsKey("expires") ? Instant.ofEpochSecond(Long.parseLong(item.get("expires").n())) : null);
    }

    Map<String, AttributeValue> toItem() {
        var item = new HashMap<String, AttributeValue>();
        item.put("id", AttributeValue.fromS(id));
        item.put("customer", AttributeValue.fromS(customer));
        item.put("placed", AttributeValue.fromS(placed.toString()));
        item.put("product", AttributeValue.fromS(product));
        item.put("total", AttributeValue.fromN(Long.toString(total)));
        item.put("state", AttributeValue.fromS(state));
        if (expires != null) {
            item.put("expires", AttributeValue.fromN(Long.toString(expires.getEpochSecond())));
        }
        return item;
    }
}
