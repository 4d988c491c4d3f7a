package io.github.pretender.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pretender.PretenderDatabase;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

class PretenderPropertiesTest {
    @Nested
    @PretenderProperties
    class EachTest {
        private static final AtomicInteger RUNNING = new AtomicInteger();

        // Field initializers are code that makes its own clients, too.
        private final DynamoDbClient client = DynamoDbClient.create();
        private final DynamoDbStreamsClient streams = DynamoDbStreamsClient.create();

        @RepeatedTest(5)
        void usesTheDatabaseOfTheTest(PretenderDatabase database) {
            assertEquals(1, RUNNING.incrementAndGet(), "another test with these properties runs at the same time");
            PretenderExtensionTest.create(client);
            assertEquals(List.of("letters"), database.client().listTables().tableNames());
            assertEquals("letters", streams.listStreams().streams().get(0).tableName());
            assertEquals(database.endpoint().toString(), System.getProperty("aws.endpointUrl"));
            RUNNING.decrementAndGet();
        }
    }

    @Nested
    @PretenderProperties
    @Pretender(lifecycle = Lifecycle.PER_CLASS)
    class AllTests {
        private static DynamoDbClient client;

        @BeforeAll
        static void open() {
            client = DynamoDbClient.create();
            PretenderExtensionTest.create(client);
        }

        @RepeatedTest(2)
        void useTheDatabaseOfTheClass(PretenderDatabase database) {
            assertEquals(List.of("letters"), database.client().listTables().tableNames());
            assertEquals(List.of("letters"), DynamoDbClient.create().listTables().tableNames());
        }

        @AfterAll
        static void check() {
            assertEquals(List.of("letters"), DynamoDbClient.create().listTables().tableNames());
        }
    }

    @Nested
    @ResourceLock(Resources.SYSTEM_PROPERTIES)
    class Afterwards {
        @Test
        void propertiesAreAsBefore() {
            Properties before = (Properties) System.getProperties().clone();
            System.setProperty("aws.region", "eu-central-1");
            System.setProperty("aws.profile", "mine");
            System.clearProperty("aws.accessKeyId");
            try {
                var events = org.junit.platform.testkit.engine.EngineTestKit.engine("junit-jupiter")
                        .selectors(org.junit.platform.engine.discovery.DiscoverySelectors.selectClass(
                                io.github.pretender.samples.PropertiesSample.class))
                        .execute()
                        .testEvents();
                events.assertStatistics(count -> count.succeeded(1).failed(1));
                assertEquals("eu-central-1", System.getProperty("aws.region"));
                assertEquals("mine", System.getProperty("aws.profile"));
                assertNull(System.getProperty("aws.accessKeyId"));
                assertTrue(System.getProperties().keySet().stream().noneMatch(name -> name.toString().startsWith("aws.endpointUrl")));
            } finally {
                System.setProperties(before);
            }
        }
    }
}
