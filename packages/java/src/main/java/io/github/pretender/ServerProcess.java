package io.github.pretender;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/** A running server, which ends when this process ends: it holds the other end of the server's standard input. */
final class ServerProcess {
    private static final long START_SECONDS = 30;
    private static final long STOP_SECONDS = 10;
    private static final List<String> ARGUMENTS = List.of(
            "serve", "--port", "0", "--host", "127.0.0.1", "--db", ":memory:", "--control", "--databases", "--announce", "json",
            "--stop-on-stdin-close");

    /** The only settings that it takes from the environment. */
    private static final Set<String> VARIABLES = Set.of("PRETENDER_LOG_LEVEL", "PRETENDER_LOG_FORMAT", "PRETENDER_CONTROL_TOKEN");
    /** "Text file busy", as different versions of Java report it. */
    private static final Pattern BUSY = Pattern.compile("error[=:] ?26\\b");

    private final Process process;
    private final ServerLog log;
    private final URI url;
    private final String region;

    private ServerProcess(Process process, ServerLog log, Json announcement) {
        this.process = process;
        this.log = log;
        this.url = URI.create(announcement.get("url").text());
        this.region = announcement.get("region").text();
    }

    /**
     * Starts a server and waits until it is ready.
     *
     * @throws PretenderException if it does not start, with its log, or if its version is not that of this package
     */
    static ServerProcess start(ServerOptions options, Map<String, String> environment) {
        Path program = Program.find(environment);
        ServerLog log = null;
        Process process = null;
        try {
            log = ServerLog.create();
            process = spawn(program, options, environment, log);
            log.unlink();
            var announcement = announcement(process);
            checkVersion(announcement);
            return new ServerProcess(process, log, announcement);
        } catch (IOException | IllegalArgumentException | PretenderException error) {
            if (process != null) {
                process.destroyForcibly();
            }
            String said = "";
            if (log != null) {
                said = log.read(0).strip();
                log.close();
            }
            String reason = error instanceof PretenderException ? error.getMessage() : error.toString();
            throw new PretenderException("cannot start " + program + ": " + reason + (said.isEmpty() ? "" : "\n" + said), error);
        }
    }

    private static Process spawn(Path program, ServerOptions options, Map<String, String> environment, ServerLog log) throws IOException {
        var command = new ArrayList<String>();
        command.add(program.toString());
        command.addAll(ARGUMENTS);
        command.addAll(options.arguments());
        var builder = new ProcessBuilder(command).redirectError(log.redirect());
        builder.environment().clear();
        builder.environment().putAll(environment);
        // The server has no use for credentials and profiles, and templates could pick up their region. Settings for another server, such as
        // PRETENDER_SNAPSHOT, could keep this one from starting.
        builder.environment().keySet().removeIf(
                name -> name.startsWith("AWS_") || name.startsWith("PRETENDER_") && !VARIABLES.contains(name));
        for (int attempt = 1; ; attempt++) {
            try {
                return builder.start();
            } catch (IOException error) {
                // A process that another thread is just starting still holds the file that we unpacked.
                if (attempt == 20 || !BUSY.matcher(String.valueOf(error.getMessage())).find()) {
                    throw error;
                }
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new PretenderException("interrupted while starting the server", interrupted);
        }
    }

    /** Reads the line of JSON that the server prints when it is ready. */
    private static Json announcement(Process process) {
        var line = new CompletableFuture<String>();
        var reader = new Thread(
                () -> {
                    try {
                        var output = new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8);
                        line.complete(new BufferedReader(output).readLine());
                    } catch (IOException error) {
                        line.completeExceptionally(error);
                    }
                },
                "pretender-start");
        reader.setDaemon(true);
        reader.start();
        String text;
        try {
            text = line.get(START_SECONDS, TimeUnit.SECONDS);
            if (text == null) {
                process.waitFor(STOP_SECONDS, TimeUnit.SECONDS);
                throw new PretenderException("it ended" + (process.isAlive() ? "" : " with code " + process.exitValue()));
            }
        } catch (TimeoutException late) {
            throw new PretenderException("it did not announce itself within " + START_SECONDS + " s", late);
        } catch (ExecutionException error) {
            throw new PretenderException("its output cannot be read: " + error.getCause(), error);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new PretenderException("interrupted while starting the server", interrupted);
        }
        try {
            return Json.parse(text);
        } catch (IllegalArgumentException notJson) {
            throw new PretenderException("its first line should be JSON, but is `" + text + "`", notJson);
        }
    }

    private static void checkVersion(Json announcement) {
        String version = announcement.get("version").text();
        String expected = Program.packageVersion();
        if (!version.equals(expected)) {
            throw new PretenderException("its version is " + version + ", but the package's is " + expected
                    + ": use the program of the package, or install the same version of both");
        }
    }

    URI url() {
        return url;
    }

    String region() {
        return region;
    }

    long pid() {
        return process.pid();
    }

    ServerLog log() {
        return log;
    }

    /** Stops the server and deletes its log. */
    void stop() {
        try {
            process.getOutputStream().close();
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException error) {
            process.destroyForcibly();
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        log.close();
    }
}
