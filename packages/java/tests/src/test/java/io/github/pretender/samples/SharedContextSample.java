package io.github.pretender.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pretender.PretenderDatabase;
import io.github.pretender.spring.AutoConfigurePretender;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.context.junit.jupiter.SpringJUnitConfig;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Two classes with one context, of which each writes an item before its tests. */
public class SharedContextSample {
    @SpringJUnitConfig
    @AutoConfigurePretender(schema = "classpath:tables.json")
    abstract static class Cases {
        @BeforeAll
        static void write(@Autowired PretenderDatabase database) {
            database.client().putItem(put -> put.tableName("letters").item(Map.of("id", AttributeValue.fromS("a"))));
        }

        @Test
        void beginsAsTheContextHasStarted(@Autowired PretenderDatabase database) {
            assertEquals(List.of(), database.client().scan(scan -> scan.tableName("letters")).items());
        }
    }

    public static class First extends Cases {}

    public static class Second extends Cases {}
}
