package io.github.pretender.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.github.pretender.PretenderDatabase;
import io.github.pretender.PretenderLog;
import io.github.pretender.PretenderServer;
import io.github.pretender.samples.SharedContextSample;
import io.github.pretender.samples.SpringSample;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.core.env.Environment;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

@SpringBootTest(classes = Shop.class, properties = {"shop.dynamodb=${pretender.endpoint}", "spring.main.banner-mode=off"})
@AutoConfigurePretender(schema = "classpath:tables.json", seed = "classpath:letters.json")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Execution(ExecutionMode.SAME_THREAD)
class AutoConfigurePretenderTest {
    @Autowired
    private DynamoDbClient client;

    @Autowired
    private PretenderDatabase database;

    @Autowired
    private Environment environment;

    @Test
    @Order(1)
    void theApplicationUsesTheDatabase() {
        assertEquals(3, count());
        client.putItem(put -> put.tableName("letters").item(Map.of("id", AttributeValue.fromS("x"))));
        assertEquals(4, database.client().scan(scan -> scan.tableName("letters")).count());
        database.faults().add(io.github.pretender.FaultKind.INTERNAL_ERROR);
        database.clock().hold();
        database.clock().advance(Duration.ofDays(7));
    }

    @Test
    @Order(2)
    void eachTestBeginsAsTheFirst() {
        assertEquals(3, count(), "the two that were seeded, and the one that the application has written at its start");
        assertEquals(List.of(), database.faults().list());
        assertFalse(database.clock().state().held());
        assertTrue(Duration.between(database.clock().now(), Instant.now()).abs().toMinutes() < 5);
    }

    @Test
    @Order(3)
    void springCloudAwsIsConfigured() {
        String endpoint = database.endpoint().toString();
        assertEquals(endpoint, environment.getProperty("spring.cloud.aws.dynamodb.endpoint"));
        assertEquals("us-east-1", environment.getProperty("spring.cloud.aws.dynamodb.region"));
        assertEquals("us-east-1", environment.getProperty("spring.cloud.aws.region.static"));
        assertEquals("pretender", environment.getProperty("spring.cloud.aws.credentials.access-key"));
        assertEquals("pretender", environment.getProperty("spring.cloud.aws.credentials.secret-key"));
    }

    @Test
    @Order(4)
    void otherContextsHaveOtherDatabasesWhichGoWithThem() {
        var events = EngineTestKit.engine("junit-jupiter").selectors(selectClass(SpringSample.class)).execute().testEvents();
        var failure = events.failed().stream().findFirst().orElseThrow().getPayload(TestExecutionResult.class).orElseThrow();
        var log = failure.getThrowable().orElseThrow().getSuppressed()[0];
        assertEquals(PretenderLog.class, log.getClass());
        String name = failure.getThrowable().orElseThrow().getMessage();
        assertTrue(log.getMessage().contains(name), log.getMessage());
        var names = PretenderServer.shared().databases().stream().map(PretenderServer.DatabaseSummary::name).toList();
        assertFalse(names.contains(name), "its context was closed: " + names);
    }

    @Test
    @Order(5)
    void whatAClassWritesBeforeItsTestsIsNotKept() {
        EngineTestKit.engine("junit-jupiter")
                .configurationParameter("junit.jupiter.execution.parallel.enabled", "false")
                .selectors(selectClass(SharedContextSample.First.class), selectClass(SharedContextSample.Second.class))
                .execute()
                .testEvents()
                .assertStatistics(count -> count.succeeded(2));
    }

    private int count() {
        return client.scan(scan -> scan.tableName("letters")).count();
    }
}
