package io.github.pretender.samples;

import io.github.pretender.junit.Pretender;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

@Pretender
public class FailingSample {
    @Test
    void fails(DynamoDbClient client) {
        client.listTables();
        throw new IllegalStateException("on purpose");
    }
}
