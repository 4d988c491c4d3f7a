package io.github.pretender;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.core.client.builder.SdkAsyncClientBuilder;
import software.amazon.awssdk.core.client.builder.SdkSyncClientBuilder;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsAsyncClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** The clients of one database, each created when it is first asked for. */
final class Clients implements AutoCloseable {
    private final URI endpoint;
    private final String region;
    private final List<SdkClient> created = new ArrayList<>();
    private DynamoDbClient dynamoDb;
    private DynamoDbStreamsClient streams;
    private DynamoDbAsyncClient dynamoDbAsync;
    private DynamoDbStreamsAsyncClient streamsAsync;

    Clients(URI endpoint, String region) {
        this.endpoint = endpoint;
        this.region = region;
    }

    synchronized DynamoDbClient dynamoDb() {
        if (dynamoDb == null) {
            dynamoDb = add(sync(DynamoDbClient.builder()).build());
        }
        return dynamoDb;
    }

    synchronized DynamoDbStreamsClient streams() {
        if (streams == null) {
            streams = add(sync(DynamoDbStreamsClient.builder()).build());
        }
        return streams;
    }

    synchronized DynamoDbAsyncClient dynamoDbAsync() {
        if (dynamoDbAsync == null) {
            dynamoDbAsync = add(async(DynamoDbAsyncClient.builder()).build());
        }
        return dynamoDbAsync;
    }

    synchronized DynamoDbStreamsAsyncClient streamsAsync() {
        if (streamsAsync == null) {
            streamsAsync = add(async(DynamoDbStreamsAsyncClient.builder()).build());
        }
        return streamsAsync;
    }

    @Override
    public synchronized void close() {
        created.forEach(SdkClient::close);
        created.clear();
    }

    private <C extends SdkClient> C add(C client) {
        created.add(client);
        return client;
    }

    private <B extends SdkSyncClientBuilder<B, ?> & AwsClientBuilder<B, ?>> B sync(B builder) {
        HttpClients.sync().ifPresent(builder::httpClient);
        return common(builder);
    }

    private <B extends SdkAsyncClientBuilder<B, ?> & AwsClientBuilder<B, ?>> B async(B builder) {
        HttpClients.async().ifPresent(builder::httpClient);
        return common(builder);
    }

    /** Sets everything that the SDK would otherwise take from the user's profile, environment and system properties. */
    private <B extends AwsClientBuilder<B, ?>> B common(B builder) {
        var credentials = AwsBasicCredentials.create(PretenderDatabase.CREDENTIAL, PretenderDatabase.CREDENTIAL);
        var noProfiles = ProfileFile.aggregator().build();
        return builder.endpointOverride(endpoint)
                .region(Region.of(region))
                .credentialsProvider(StaticCredentialsProvider.create(credentials))
                .dualstackEnabled(false)
                .fipsEnabled(false)
                .overrideConfiguration(configuration -> configuration.defaultProfileFile(noProfiles));
    }
}
