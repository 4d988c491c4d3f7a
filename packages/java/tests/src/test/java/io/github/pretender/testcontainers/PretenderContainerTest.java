package io.github.pretender.testcontainers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pretender.PretenderServer;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.utility.DockerImageName;

/** What can be tested without Docker: the configuration, and what the container says about a server that runs elsewhere. */
class PretenderContainerTest {
    @TempDir
    private Path folder;

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
    void aServerWithItsEnvironmentHasDatabases() throws Exception {
        Path ready = folder.resolve("ready");
        try (var configured = new PretenderContainer("pretender:0.1.0")) {
            var program = ProcessHandle.of(PretenderServer.shared().pid().orElseThrow()).orElseThrow().info().command().orElseThrow();
            var builder = new ProcessBuilder(program, "serve", "--ready-file", ready.toString(), "--stop-on-stdin-close");
            builder.environment().putAll(configured.getEnvMap());
            builder.environment().putAll(Map.of("PRETENDER_HOST", "127.0.0.1", "PRETENDER_PORT", "0"));
            var process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
            try (var output = process.inputReader()) {
                output.readLine();
                URI endpoint = URI.create(Files.readString(ready).strip());
                try (var container = new Elsewhere(endpoint.getPort()); var database = container.database()) {
                    assertEquals(endpoint, container.getEndpoint());
                    assertEquals(List.of(), database.client().listTables().tableNames());
                    assertEquals(List.of(database.name()), container.server().databases().stream().map(one -> one.name()).toList());
                }
            } finally {
                process.getOutputStream().close();
            }
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
