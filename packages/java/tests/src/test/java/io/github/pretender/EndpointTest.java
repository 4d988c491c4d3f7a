package io.github.pretender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

/** Settings of the process in which the tests run, which a test cannot change: so each is tried in another process. */
class EndpointTest {
    /** Settings that lead the SDK elsewhere. */
    private static final Map<String, String> FOREIGN = Map.of(
            "AWS_PROFILE", "missing",
            "AWS_REGION", "eu-central-1",
            "AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1",
            "AWS_SESSION_TOKEN", "token",
            "HTTP_PROXY", "http://127.0.0.1:1",
            "AWS_USE_FIPS_ENDPOINT", "true");

    @Test
    void processesShareTheServerAtTheEndpoint() throws Exception {
        try (var server = PretenderServer.start()) {
            var environment = Map.of("PRETENDER_ENDPOINT", server.endpoint().toString());
            try (var first = Fork.start(PrintEndpoint.class, environment); var second = Fork.start(PrintEndpoint.class, environment)) {
                assertEquals(server.endpoint() + " without a process", first.line());
                assertEquals(server.endpoint() + " without a process", second.line());
            }
        }
    }

    @Test
    void theEndpointNeedsNoScheme() throws Exception {
        try (var server = PretenderServer.start();
                var fork = Fork.start(PrintEndpoint.class, Map.of("PRETENDER_ENDPOINT", "localhost:" + server.endpoint().getPort()))) {
            assertEquals("http://localhost:" + server.endpoint().getPort() + " without a process", fork.line());
        }
    }

    @Test
    void optionsAreRefusedForTheServerAtTheEndpoint() throws Exception {
        try (var server = PretenderServer.start();
                var fork = Fork.start(ShareWithOptions.class, Map.of("PRETENDER_ENDPOINT", server.endpoint().toString()))) {
            assertEquals(
                    "a server with the options [--shards, 2] is needed, but PRETENDER_ENDPOINT is set, so none is started: "
                            + "give them to the server there",
                    fork.line());
        }
    }

    @Test
    void commandsCarryTheToken() throws Exception {
        try (var server = PretenderServer.start(ServerOptions.DEFAULT.with("--control-token", "secret"))) {
            var error = assertThrows(ControlException.class, server::databases);
            assertEquals(401, error.status());
            var environment = Map.of("PRETENDER_ENDPOINT", server.endpoint().toString(), "PRETENDER_CONTROL_TOKEN", "secret");
            try (var fork = Fork.start(PrintEndpoint.class, environment)) {
                assertEquals(server.endpoint() + " without a process", fork.line());
            }
        }
    }

    @Test
    void clientsIgnoreProfilesProxiesAndEndpointsOfTheUser() throws Exception {
        String[] options = {
            "-Dhttp.proxyHost=127.0.0.1", "-Dhttp.proxyPort=1", "-Daws.profile=missing", "-Daws.useDualstackEndpoint=true",
            "-Daws.endpointUrl=http://127.0.0.1:1"
        };
        try (var fork = Fork.start(UseAllClients.class, FOREIGN, options)) {
            assertEquals("[letters] [letters] 1 1 us-east-1", fork.line());
            assertEquals(0, fork.process().waitFor());
        }
    }

    @Test
    void ownClientsUseThePropertiesWhateverTheEnvironmentSays() throws Exception {
        try (var fork = Fork.start(UseOwnClients.class, FOREIGN)) {
            assertEquals("[letters] true", fork.line());
        }
    }

    @Test
    void anotherProgramUsesTheDatabase() throws Exception {
        try (var server = PretenderServer.start(); var database = server.database()) {
            Tables.create(database, "letters");
            var environment = new HashMap<>(FOREIGN);
            environment.remove("HTTP_PROXY");
            database.applyTo(environment);
            assertEquals(database.environment(), environment);
        }
    }

    static final class UseOwnClients {
        public static void main(String[] arguments) {
            try (var database = PretenderServer.shared().database()) {
                database.systemProperties().forEach(System::setProperty);
                Tables.create(database, "letters");
                try (var client = DynamoDbClient.create(); var async = DynamoDbAsyncClient.create()) {
                    var tables = client.listTables().tableNames();
                    System.out.println(tables + " " + tables.equals(async.listTables().join().tableNames()));
                }
            }
        }
    }

    static final class ShareWithOptions {
        public static void main(String[] arguments) {
            try {
                PretenderServer.shared(ServerOptions.DEFAULT.with("--shards", "2"));
            } catch (PretenderException error) {
                System.out.println(error.getMessage());
            }
        }
    }

    static final class PrintEndpoint {
        public static void main(String[] arguments) {
            var server = PretenderServer.shared();
            try (var database = server.database()) {
                database.clock().now();
            }
            System.out.println(server.endpoint() + (server.pid().isPresent() ? "" : " without a process"));
        }
    }

    static final class UseAllClients {
        public static void main(String[] arguments) {
            try (var database = PretenderServer.shared().database()) {
                Tables.create(database, "letters");
                System.out.println(database.client().listTables().tableNames()
                        + " " + database.asyncClient().listTables().join().tableNames()
                        + " " + database.streamsClient().listStreams().streams().size()
                        + " " + database.streamsAsyncClient().listStreams().join().streams().size()
                        + " " + database.region());
            }
        }
    }
}
