package io.github.pretender;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerTest {
    @TempDir
    private Path folder;

    @Test
    void aServerRunsUntilItIsClosed() throws Exception {
        var server = PretenderServer.start();
        long pid = server.pid().orElseThrow();
        assertTrue(ProcessHandle.of(pid).orElseThrow().isAlive());
        assertEquals("us-east-1", server.region());
        server.close();
        assertTrue(Fork.ends(pid));
    }

    @Test
    void databasesAreApartAndClosingDropsThem() {
        try (var server = PretenderServer.start()) {
            var first = server.database("first");
            var second = server.database();
            Tables.create(first, "letters");
            assertEquals(List.of("letters"), first.client().listTables().tableNames());
            assertEquals(List.of(), second.client().listTables().tableNames());
            assertEquals(List.of(first.name(), second.name()), names(server));
            assertTrue(server.databases().get(0).idle().toSeconds() < 60);

            first.close();
            assertEquals(List.of(second.name()), names(server));
            assertEquals(List.of(), server.database("first").client().listTables().tableNames());
        }
    }

    @Test
    void databasesBeginWithSchemaAndSeed() {
        var options = ServerOptions.DEFAULT.schema("classpath:tables.json").seed("letters=classpath:letters.json").with("--region", "eu-west-1");
        try (var server = PretenderServer.start(options)) {
            assertEquals("eu-west-1", server.region());
            for (int i = 0; i < 2; i++) {
                var database = server.database();
                assertEquals(2, database.client().scan(scan -> scan.tableName("letters")).count());
                database.client().deleteItem(delete -> delete.tableName("letters").key(Tables.item("id", "a")));
                assertEquals("eu-west-1", database.client().serviceClientConfiguration().region().id());
            }
        }
    }

    @Test
    void oneServerIsSharedForTheSameOptions() {
        var options = ServerOptions.DEFAULT.with("--shards", "2");
        var server = PretenderServer.shared(options);
        assertSame(server, PretenderServer.shared(ServerOptions.DEFAULT.with("--shards", "2")));
        assertNotEquals(server.endpoint(), PretenderServer.shared().endpoint());
        server.close();
        try (var next = PretenderServer.shared(options)) {
            assertNotEquals(server.pid(), next.pid(), "a closed server is not shared any more");
        }
    }

    @Test
    void anotherServerCanBeUsed() {
        try (var server = PretenderServer.start()) {
            try (var same = PretenderServer.at(URI.create(server.endpoint() + "/"))) {
                assertEquals(server.endpoint(), same.endpoint());
                assertEquals(server.region(), same.region());
                assertTrue(same.pid().isEmpty());
                assertEquals("", same.log());
            }
            assertDoesNotThrow(server::databases, "it still runs");
        }
    }

    @Test
    void aServerWithoutDatabasesIsRefused() throws Exception {
        var command = List.of(
                Program.find(System.getenv()).toString(), "serve", "--port", "0", "--db", ":memory:", "--announce", "json", "--stop-on-stdin-close");
        var process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try (var output = process.inputReader()) {
            URI url = URI.create(Json.parse(output.readLine()).get("url").text());
            var error = assertThrows(PretenderException.class, () -> PretenderServer.at(url));
            assertTrue(error.getMessage().endsWith("was started without `--control`: tests need `--control --databases`"), error.getMessage());
        } finally {
            process.getOutputStream().close();
        }
    }

    @Test
    void anotherServiceAtTheAddressIsReported() throws Exception {
        var service = com.sun.net.httpserver.HttpServer.create(new java.net.InetSocketAddress("127.0.0.1", 0), 0);
        service.createContext("/", exchange -> {
            exchange.sendResponseHeaders(404, 4);
            exchange.getResponseBody().write("lost".getBytes());
            exchange.close();
        });
        service.start();
        try {
            URI url = URI.create("http://127.0.0.1:" + service.getAddress().getPort());
            var error = assertThrows(ControlException.class, () -> PretenderServer.at(url));
            assertEquals("`version` was answered with status 404: lost", error.getMessage());
        } finally {
            service.stop(0);
        }
    }

    @Test
    void aServerOfAnotherVersionIsRefused() throws Exception {
        var service = com.sun.net.httpserver.HttpServer.create(new java.net.InetSocketAddress("127.0.0.1", 0), 0);
        service.createContext("/_pretender/version", exchange -> {
            byte[] answer = "{\"control\":true,\"databases\":true,\"version\":\"99.1.2\",\"region\":\"us-east-1\"}".getBytes();
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        service.start();
        try {
            URI url = URI.create("http://127.0.0.1:" + service.getAddress().getPort());
            var error = assertThrows(PretenderException.class, () -> PretenderServer.at(url));
            assertTrue(error.getMessage().contains("is 99.1.2, but the package's is " + Program.packageVersion()), error.getMessage());
        } finally {
            service.stop(0);
        }
    }

    @Test
    void aServerThatDoesNotAnswerIsReported() {
        var error = assertThrows(PretenderException.class, () -> PretenderServer.at(URI.create("http://127.0.0.1:1")));
        assertTrue(error.getMessage().startsWith("the server at http://127.0.0.1:1/_pretender/ gave no answer"), error.getMessage());
    }

    @Test
    void aFailedStartShowsWhatTheProgramSays() {
        var options = ServerOptions.DEFAULT.with("--region", "nowhere");
        var error = assertThrows(PretenderException.class, () -> PretenderServer.start(options));
        assertTrue(error.getMessage().contains("it ended with code 2"), error.getMessage());
        assertTrue(error.getMessage().contains("not a region"), error.getMessage());
    }

    @Test
    void aSharedServerThatDoesNotStartIsTriedOnce() throws Exception {
        Path schema = folder.resolve("later.json");
        var options = ServerOptions.DEFAULT.schema(schema.toString());
        assertThrows(PretenderException.class, () -> PretenderServer.shared(options));
        Files.copy(Path.of(getClass().getResource("/tables.json").toURI()), schema);
        var error = assertThrows(PretenderException.class, () -> PretenderServer.shared(options));
        assertTrue(error.getMessage().contains("is not started again: cannot start"), error.getMessage());
        PretenderServer.start(options).close();
    }

    @Test
    void theLogCanBeReadAfterAThreadWasInterrupted() throws Exception {
        try (var server = PretenderServer.start(ServerOptions.DEFAULT.with("--log-level", "info"))) {
            server.database().clock().now();
            server.database().client().listTables();
            var interrupted = new Thread(() -> {
                Thread.currentThread().interrupt();
                server.log();
            });
            interrupted.start();
            interrupted.join();
            assertTrue(server.log().contains("ListTables"), server.log());
        }
    }

    @Test
    void namesOfDatabasesAreChecked() {
        var server = PretenderServer.shared();
        for (String name : List.of("", "a/b", "-a", "ü", "a".repeat(65))) {
            assertThrows(IllegalArgumentException.class, () -> server.database(name), name);
        }
        assertDoesNotThrow(() -> server.database("a".repeat(64)).close());
    }

    @Test
    void theChosenProgramIsUsed() throws Exception {
        Path chosen = script("exit 3");
        assertEquals(chosen, Program.find(Map.of("PRETENDER_BIN", chosen.toString())));
        var missing = folder.resolve("missing").toString();
        var error = assertThrows(PretenderException.class, () -> Program.find(Map.of("PRETENDER_BIN", missing)));
        assertEquals("PRETENDER_BIN is not a program: " + missing, error.getMessage());
        assertThrows(PretenderException.class, () -> Program.find(Map.of("PRETENDER_BIN", folder.toString())));
        assertEquals(chosen, Program.find(Map.of("PRETENDER_BIN", "script", "PATH", "/missing:" + folder)));
        assertThrows(PretenderException.class, () -> Program.find(Map.of("PRETENDER_BIN", "./script", "PATH", folder.toString())));
    }

    @Test
    void theProgramOfThePackageIsUnpacked() {
        Path program = Program.find(Map.of("XDG_CACHE_HOME", folder.toString(), "PATH", "/bin"));
        assertTrue(program.startsWith(folder) && Files.isExecutable(program), program.toString());
    }

    @Test
    void anotherVersionIsRefused() throws Exception {
        var other = script("echo '{\"url\":\"http://127.0.0.1:1\",\"version\":\"99.1.2\",\"region\":\"us-east-1\"}'; cat");
        var error = assertThrows(PretenderException.class, () -> start(other, Map.of()));
        assertTrue(error.getMessage().contains("its version is 99.1.2, but the package's is " + Program.packageVersion()), error.getMessage());
    }

    @Test
    void anIncompleteAnnouncementEndsTheProgram() throws Exception {
        var pid = folder.resolve("pid");
        var answers = Map.of(
                "{\"version\":\"" + Program.packageVersion() + "\"}", "instead of a String",
                "ready", "its first line should be JSON, but is `ready`");
        for (var answer : answers.entrySet()) {
            var program = script("echo $$ > " + pid + "; echo '" + answer.getKey() + "'; exec sleep 60");
            var error = assertThrows(PretenderException.class, () -> start(program, Map.of()));
            assertTrue(error.getMessage().contains(answer.getValue()), error.getMessage());
            assertTrue(Fork.ends(Long.parseLong(Files.readString(pid).strip())), "it still runs");
        }
    }

    @Test
    void theProgramGetsNoCredentialsAndAllOtherVariables() throws Exception {
        var prints = script("env >&2");
        var environment = Map.of("AWS_ACCESS_KEY_ID", "real", "AWS_PROFILE", "real", "PRETENDER_LOG_LEVEL", "info", "PRETENDER_SNAPSHOT", "none", "OTHER", "1");
        var error = assertThrows(PretenderException.class, () -> start(prints, environment));
        assertTrue(error.getMessage().contains("PRETENDER_LOG_LEVEL=info"), error.getMessage());
        assertTrue(error.getMessage().contains("OTHER=1"), error.getMessage());
        assertFalse(error.getMessage().contains("AWS_"), error.getMessage());
        assertFalse(error.getMessage().contains("PRETENDER_SNAPSHOT"), error.getMessage());
    }

    private static ServerProcess start(Path program, Map<String, String> more) {
        var environment = new HashMap<>(System.getenv());
        environment.put("PRETENDER_BIN", program.toString());
        environment.putAll(more);
        return ServerProcess.start(ServerOptions.DEFAULT, environment);
    }

    private Path script(String text) throws Exception {
        Path script = Files.writeString(folder.resolve("script"), "#!/bin/sh\n" + text + "\n");
        return Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    }

    private static List<String> names(PretenderServer server) {
        return server.databases().stream().map(PretenderServer.DatabaseSummary::name).sorted().toList();
    }
}
