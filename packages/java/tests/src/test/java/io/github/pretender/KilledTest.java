package io.github.pretender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.github.pretender.samples.HangingSample;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The server ends with the process that runs the tests. */
class KilledTest {
    @Test
    void theServerEndsWhenTheTestsAreKilled(@TempDir Path temporary) throws Exception {
        try (var fork = Fork.start(RunHangingSample.class, Map.of(), "-Djava.io.tmpdir=" + temporary)) {
            long server = Long.parseLong(fork.line());
            long child = Long.parseLong(fork.line());
            assertTrue(ProcessHandle.of(server).orElseThrow().isAlive());
            try {
                assertEquals(0, new ProcessBuilder("kill", "-9", Long.toString(fork.process().pid())).start().waitFor());
                assertEquals(128 + 9, fork.process().waitFor());
                assertTrue(Fork.ends(server), "the server still runs");
                assertTrue(ProcessHandle.of(child).orElseThrow().isAlive(), "a child of the tests that lives on must not hold the server");
                try (var left = Files.list(temporary)) {
                    assertEquals(List.of(), left.filter(file -> file.getFileName().toString().startsWith("pretender-")).toList());
                }
            } finally {
                ProcessHandle.of(child).ifPresent(ProcessHandle::destroyForcibly);
            }
        }
    }

    @Test
    void theServerEndsWhenTheTestsEnd() throws Exception {
        try (var fork = Fork.start(StartAndReturn.class, Map.of())) {
            long server = Long.parseLong(fork.line());
            assertEquals(0, fork.process().waitFor());
            assertTrue(Fork.ends(server), "the server still runs");
        }
    }

    /** Runs a test that starts a server and another program, prints their process IDs, and hangs. */
    static final class RunHangingSample {
        public static void main(String[] arguments) {
            LauncherFactory.create().execute(
                    LauncherDiscoveryRequestBuilder.request().selectors(selectClass(HangingSample.class)).build());
        }
    }

    /** Uses a server and does not stop it. */
    static final class StartAndReturn {
        public static void main(String[] arguments) {
            var database = PretenderServer.shared().database();
            database.clock().now();
            System.out.println(database.server().pid().getAsLong());
        }
    }
}
