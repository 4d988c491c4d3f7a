package io.github.pretender.testcontainers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pretender.PretenderServer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.testcontainers.utility.DockerImageName;

/** What can be tested without Docker: the configuration, and what the container says about a server that runs elsewhere. */
class PretenderContainerTest {
    @Test
    void theContainerIsConfigured() {
        try (var container = new PretenderContainer("pretender:0.1.0")) {
            assertEquals(List.of(8000), container.getExposedPorts());
            assertEquals(
                    Map.of(
                            "PRETENDER_HOST", "0.0.0.0",
                            "PRETENDER_PORT", "8000",
                            "PRETENDER_DB", ":memory:",
                            "PRETENDER_CONTROL", "true",
                            "PRETENDER_DATABASES", "true"),
                    container.getEnvMap());
        }
    }

    @Test
    void itsEndpointHasDatabases() {
        try (var server = PretenderServer.start();
                var container = new Elsewhere(server.endpoint().getPort());
                var database = container.database()) {
            assertEquals(server.endpoint(), container.getEndpoint());
            assertEquals(List.of(), database.client().listTables().tableNames());
            assertEquals(1, server.databases().size());
        }
    }

    /** A container that seems to run. */
    private static final class Elsewhere extends PretenderContainer {
        private final int port;

        Elsewhere(int port) {
            super(DockerImageName.parse("pretender"));
            this.port = port;
        }

        @Override
        public String getHost() {
            return "127.0.0.1";
        }

        @Override
        public Integer getMappedPort(int originalPort) {
            assertEquals(8000, originalPort);
            return port;
        }
    }
}
