package io.github.pretender.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pretender.PretenderDatabase;
import io.github.pretender.PretenderServer;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbEnhancedAsyncClient;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbEnhancedClient;
import software.amazon.awssdk.enhanced.dynamodb.TableSchema;
import software.amazon.awssdk.enhanced.dynamodb.document.DocumentTableSchema;
import software.amazon.awssdk.enhanced.dynamodb.document.EnhancedDocument;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsAsyncClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

class PretenderExtensionTest {
    static List<String> tables(DynamoDbClient client) {
        return client.listTables().tableNames();
    }

    static void create(DynamoDbClient client) {
        client.createTable(table -> table.tableName("letters")
                .billingMode("PAY_PER_REQUEST")
                .keySchema(key -> key.attributeName("id").keyType("HASH"))
                .attributeDefinitions(attribute -> attribute.attributeName("id").attributeType("S"))
                .streamSpecification(stream -> stream.streamEnabled(true).streamViewType("KEYS_ONLY")));
    }

    @Retention(RetentionPolicy.RUNTIME)
    @interface Other {}

    static class OtherResolver implements ParameterResolver {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.isAnnotated(Other.class);
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return null;
        }
    }

    @Nested
    @Pretender
    class EachTest {
        private static final Set<String> NAMES = ConcurrentHashMap.newKeySet();

        private final PretenderDatabase ofConstructor;
        private PretenderDatabase ofSetUp;

        EachTest(PretenderDatabase database) {
            ofConstructor = database;
        }

        @BeforeEach
        void setUp(PretenderDatabase database, DynamoDbClient client) {
            ofSetUp = database;
            assertEquals(List.of(), tables(client));
            create(client);
        }

        @RepeatedTest(20)
        void hasADatabaseOfItsOwn(PretenderDatabase database) {
            assertTrue(NAMES.add(database.name()), "the database was used already");
            assertEquals(List.of("letters"), tables(database.client()));
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void hasADatabaseForEachArgument(int argument, PretenderDatabase database) {
            assertTrue(NAMES.add(database.name()), "the database was used already");
        }

        @Test
        void allParametersBelongToTheSameDatabase(
                PretenderDatabase database,
                PretenderServer server,
                DynamoDbClient client,
                DynamoDbAsyncClient asyncClient,
                DynamoDbStreamsClient streams,
                DynamoDbStreamsAsyncClient asyncStreams,
                DynamoDbEnhancedClient enhanced,
                DynamoDbEnhancedAsyncClient asyncEnhanced) {
            assertSame(ofConstructor, database);
            assertSame(ofSetUp, database);
            assertSame(server, database.server());
            assertSame(client, database.client());
            assertTrue(database.name().matches("t-EachTest\\.allParametersBelongToTheSameDatabase-[0-9a-f]{12}"), database.name());
            assertEquals(List.of("letters"), asyncClient.listTables().join().tableNames());
            assertEquals(1, streams.listStreams().streams().size());
            assertEquals(1, asyncStreams.listStreams().join().streams().size());
            DocumentTableSchema schema = TableSchema.documentSchemaBuilder()
                    .addIndexPartitionKey("$PRIMARY_INDEX", "id", software.amazon.awssdk.enhanced.dynamodb.AttributeValueType.S)
                    .attributeConverterProviders(software.amazon.awssdk.enhanced.dynamodb.AttributeConverterProvider.defaultProvider())
                    .build();
            enhanced.table("letters", schema).putItem(EnhancedDocument.fromJson("{\"id\": \"a\"}"));
            var key = software.amazon.awssdk.enhanced.dynamodb.Key.builder().partitionValue("a").build();
            assertEquals("a", asyncEnhanced.table("letters", schema).getItem(key).join().getString("id"));
        }

        @Test
        @ExtendWith(OtherResolver.class)
        void aParameterWithAnAnnotationBelongsToAnotherExtension(@Other DynamoDbClient other, DynamoDbClient own) {
            assertNull(other);
            assertEquals(List.of("letters"), tables(own));
        }

        @AfterEach
        void tearDown(DynamoDbClient client) {
            assertEquals(List.of("letters"), tables(client));
        }

        @Nested
        class InAnotherClass {
            @Test
            void alsoHasADatabaseOfItsOwn(PretenderDatabase database) {
                assertSame(ofSetUp, database);
                assertTrue(NAMES.add(database.name()), "the database was used already");
            }
        }
    }

    @Nested
    @Pretender(lifecycle = Lifecycle.PER_CLASS)
    @TestMethodOrder(MethodOrderer.OrderAnnotation.class)
    @Execution(ExecutionMode.SAME_THREAD)
    class AllTests {
        private static String name;

        private final PretenderDatabase ofConstructor;

        AllTests(PretenderDatabase database) {
            ofConstructor = database;
        }

        @BeforeAll
        static void create(PretenderDatabase database) {
            name = database.name();
            PretenderExtensionTest.create(database.client());
        }

        @Test
        @Order(1)
        void writes(PretenderDatabase database) {
            assertEquals(name, database.name());
            assertSame(ofConstructor, database);
            database.client().deleteTable(table -> table.tableName("letters"));
        }

        @Test
        @Order(2)
        void seesWhatTheFirstHasWritten(PretenderDatabase database) {
            assertEquals(name, database.name());
            assertEquals(List.of(), tables(database.client()));
        }

        @Test
        @Order(3)
        @Pretender
        void canHaveItsOwn(PretenderDatabase database) {
            assertSame(ofConstructor, database);
            assertNotEquals(name, database.name());
        }

        @Nested
        class InAnotherClass {
            @Test
            void seesTheSame(PretenderDatabase database) {
                assertEquals(name, database.name());
            }
        }
    }

    @Nested
    @Pretender(schema = "classpath:tables.json", seed = "classpath:letters.json", options = {"--region", "eu-west-1"})
    class WithTables {
        @RepeatedTest(3)
        void startsWithItems(DynamoDbClient client, PretenderDatabase database) {
            assertEquals(2, client.scan(scan -> scan.tableName("letters")).count());
            client.deleteItem(delete -> delete.tableName("letters")
                    .key(java.util.Map.of("id", software.amazon.awssdk.services.dynamodb.model.AttributeValue.fromS("a"))));
            assertEquals("eu-west-1", database.region());
            assertNotEquals(PretenderServer.shared().endpoint(), database.server().endpoint());
        }

        @Test
        @Pretender
        void aMethodCanHaveOtherOptions(DynamoDbClient client) {
            assertEquals(List.of(), tables(client));
        }
    }
}
