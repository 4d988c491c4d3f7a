package io.github.pretender;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A running server, which ends when this process ends: it holds the other end of the server's standard input. */
final class ServerProcess {
    private static final long START_SECONDS = 30;
    private static final long STOP_SECONDS = 10;
    private static final List<String> ARGUMENTS = List.of(
            "serve", "--port", "0", "--host", "127.0.0.1", "--db", ":memory:", "--control", "--databases", "--announce", "json",
            "--stop-on-stdin-close");

    private final Process process;
    private final ServerLog log;
    private final Json announcement;

    private ServerProcess(Process process, ServerLog log, Json announcement) {
        this.process = process;
        this.log = log;
        this.announcement = announcement;
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
            var server = new ServerProcess(process, log, announcement(process));
            server.checkVersion(program);
            return server;
        } catch (IOException | PretenderException error) {
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
        // The server has no use for credentials and profiles, and templates could pick up their region.
        builder.environment().keySet().removeIf(name -> name.startsWith("AWS_"));
        for (int attempt = 1; ; attempt++) {
            try {
                return builder.start();
            } catch (IOException error) {
                // Error 26 is "text file busy": a process that another thread is just starting still holds the file that we unpacked.
                if (attempt == 20 || !String.valueOf(error.getMessage()).contains("error=26,")) {
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
        try {
            String text = line.get(START_SECONDS, TimeUnit.SECONDS);
            if (text == null) {
                process.waitFor(STOP_SECONDS, TimeUnit.SECONDS);
                throw new PretenderException("it ended" + (process.isAlive() ? "" : " with code " + process.exitValue()));
            }
            return Json.parse(text);
        } catch (TimeoutException | ExecutionException | IllegalArgumentException error) {
            throw new PretenderException("it did not announce itself within " + START_SECONDS + " s: " + error, error);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new PretenderException("interrupted while starting the server", interrupted);
        }
    }

    private void checkVersion(Path program) {
        String version = announcement.get("version").text();
        String expected = Program.packageVersion();
        if (!version.equals(expected)) {
            throw new PretenderException("its version is " + version + ", but the package's is " + expected
                    + ": use the program of the package, or install the same version of both");
        }
    }

    Json announcement() {
        return announcement;
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
