package io.github.pretender;

import java.util.Map;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.ScalarAttributeType;
import software.amazon.awssdk.services.dynamodb.model.StreamViewType;

/** Tables and items for tests. */
final class Tables {
    private Tables() {}

    /** Creates a table with the key {@code id} and a stream. */
    static void create(PretenderDatabase database, String name) {
        database.client().createTable(table -> table.tableName(name)
                .billingMode(BillingMode.PAY_PER_REQUEST)
                .keySchema(key -> key.attributeName("id").keyType(KeyType.HASH))
                .attributeDefinitions(attribute -> attribute.attributeName("id").attributeType(ScalarAttributeType.S))
                .streamSpecification(stream -> stream.streamEnabled(true).streamViewType(StreamViewType.NEW_AND_OLD_IMAGES)));
    }

    static Map<String, AttributeValue> item(String name, String value) {
        return Map.of(name, AttributeValue.fromS(value));
    }

    static void put(PretenderDatabase database, String table, String id) {
        database.client().putItem(put -> put.tableName(table).item(item("id", id)));
    }
}
