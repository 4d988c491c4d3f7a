package io.github.pretender.samples;

import io.github.pretender.junit.Pretender;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

@Pretender
public class MisplacedSample {
    @BeforeAll
    static void setUp(DynamoDbClient client) {
        client.listTables();
    }

    @Test
    void isNotReached() {}
}
