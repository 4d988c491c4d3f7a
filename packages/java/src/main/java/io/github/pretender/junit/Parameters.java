package io.github.pretender.junit;

import io.github.pretender.PretenderDatabase;
import io.github.pretender.PretenderServer;
import java.util.Map;
import java.util.function.Function;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbEnhancedAsyncClient;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbEnhancedClient;

/** The types of parameters that are made from a database. They are known by name, since a project need not have the enhanced client. */
final class Parameters {
    private static final String SDK = "software.amazon.awssdk.";

    private static final Map<String, Function<PretenderDatabase, Object>> TYPES = Map.of(
            PretenderDatabase.class.getName(), database -> database,
            SDK + "services.dynamodb.DynamoDbClient", PretenderDatabase::client,
            SDK + "services.dynamodb.DynamoDbAsyncClient", PretenderDatabase::asyncClient,
            SDK + "services.dynamodb.streams.DynamoDbStreamsClient", PretenderDatabase::streamsClient,
            SDK + "services.dynamodb.streams.DynamoDbStreamsAsyncClient", PretenderDatabase::streamsAsyncClient,
            SDK + "enhanced.dynamodb.DynamoDbEnhancedClient", Enhanced::client,
            SDK + "enhanced.dynamodb.DynamoDbEnhancedAsyncClient", Enhanced::asyncClient);

    private Parameters() {}

    static boolean isServer(Class<?> type) {
        return type == PretenderServer.class;
    }

    static boolean isKnown(Class<?> type) {
        return isServer(type) || TYPES.containsKey(type.getName());
    }

    static Object of(Class<?> type, PretenderDatabase database) {
        return TYPES.get(type.getName()).apply(database);
    }

    /** Loaded only if a test has such a parameter. */
    private static final class Enhanced {
        static Object client(PretenderDatabase database) {
            return DynamoDbEnhancedClient.builder().dynamoDbClient(database.client()).build();
        }

        static Object asyncClient(PretenderDatabase database) {
            return DynamoDbEnhancedAsyncClient.builder().dynamoDbClient(database.asyncClient()).build();
        }
    }
}
