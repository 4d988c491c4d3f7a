package io.github.pretender.spring;

import java.net.URI;
import java.util.Map;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.CommandLineRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** An application that makes its own client, and writes an item when it starts. */
@Configuration
class Shop {
    @Bean
    DynamoDbClient client(@Value("${shop.dynamodb}") String endpoint, @Value("${pretender.region}") String region) {
        return DynamoDbClient.builder()
                .endpointOverride(URI.create(endpoint))
                .region(Region.of(region))
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("any", "any")))
                .build();
    }

    @Bean
    CommandLineRunner writer(DynamoDbClient client) {
        return arguments -> client.putItem(put -> put.tableName("letters").item(Map.of("id", AttributeValue.fromS("started"))));
    }
}
