package io.github.pretender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** Settings of the process in which the tests run, which a test cannot change: so each is tried in another process. */
class EndpointTest {
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
        var environment = Map.of(
                "AWS_PROFILE", "missing",
                "AWS_REGION", "eu-central-1",
                "AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1",
                "AWS_SESSION_TOKEN", "token",
                "HTTP_PROXY", "http://127.0.0.1:1",
                "AWS_USE_FIPS_ENDPOINT", "true");
        String[] options = {
            "-Dhttp.proxyHost=127.0.0.1", "-Dhttp.proxyPort=1", "-Daws.profile=missing", "-Daws.useDualstackEndpoint=true",
            "-Daws.endpointUrl=http://127.0.0.1:1"
        };
        try (var fork = Fork.start(UseAllClients.class, environment, options)) {
            assertEquals("[letters] [letters] 1 1 us-east-1", fork.line());
            assertEquals(0, fork.process().waitFor());
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
