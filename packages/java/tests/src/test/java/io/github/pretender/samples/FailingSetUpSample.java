package io.github.pretender.samples;

import io.github.pretender.junit.Pretender;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

@Pretender
public class FailingSetUpSample {
    @BeforeEach
    void setUp(DynamoDbClient client) {
        client.listTables();
        throw new IllegalStateException("on purpose");
    }

    @Test
    void isNotReached() {}
}
