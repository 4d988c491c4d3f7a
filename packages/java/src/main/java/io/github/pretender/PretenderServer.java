package io.github.pretender;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A server, which holds any number of databases in memory.
 *
 * <p>A server that was started from here ends when this Java process ends, also if the process is killed. It can be used from several threads.
 */
public final class PretenderServer implements AutoCloseable {
    private static final Map<ServerOptions, PretenderServer> SHARED = new ConcurrentHashMap<>();
    /** Why a shared server could not be started: a hundred tests need not try it a hundred times. */
    private static final Map<ServerOptions, PretenderException> FAILED = new ConcurrentHashMap<>();

    private final URI endpoint;
    private final String region;
    private final ControlClient control;
    /** {@code null} for a server that something else has started. */
    private final ServerProcess process;

    private PretenderServer(URI endpoint, String region, ServerProcess process) {
        this.endpoint = endpoint;
        this.region = region;
        this.control = new ControlClient(endpoint);
        this.process = process;
    }

    /**
     * Starts a server whose databases start empty.
     *
     * @return the server, which answers already
     * @throws PretenderException if the program is not found, does not start or has another version than this package
     */
    public static PretenderServer start() {
        return start(ServerOptions.DEFAULT);
    }

    /**
     * Starts a server.
     *
     * @param options what to start it with
     * @return the server, which answers already
     * @throws PretenderException if the program is not found, does not start or has another version than this package
     */
    public static PretenderServer start(ServerOptions options) {
        var process = ServerProcess.start(options, System.getenv());
        return new PretenderServer(process.url(), process.region(), process);
    }

    /**
     * Uses a server that something else has started, with {@code --control} and {@code --databases}.
     *
     * @param endpoint its address, such as {@code http://127.0.0.1:8000}
     * @return the server; to close it does not stop it
     * @throws PretenderException if it does not answer, was started without these options, or has another version than this package
     */
    public static PretenderServer at(URI endpoint) {
        String text = endpoint.toString();
        URI base = URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
        Json about = new ControlClient(base).get("version");
        for (String option : List.of("control", "databases")) {
            if (!Boolean.TRUE.equals(about.get(option).value())) {
                throw new PretenderException("the server at " + base + " was started without `--" + option + "`: tests need `--control --databases`");
            }
        }
        String version = about.get("version").text();
        if (!version.equals(Program.packageVersion())) {
            throw new PretenderException("the version of the server at " + base + " is " + version + ", but the package's is "
                    + Program.packageVersion() + ": install the same version of both");
        }
        return new PretenderServer(base, about.get("region").text(), null);
    }

    /**
     * Returns the server that all code of this Java process shares: the one at {@code PRETENDER_ENDPOINT} if that variable is set, or else one
     * that is started by the first call with these options.
     *
     * <p>If {@code PRETENDER_ENDPOINT} is set, options are refused, because no server is started with them: give them to the server there. If a
     * server did not start, it is not tried again with the same options.
     *
     * @param options what to start it with
     * @return the server, which must not be closed
     * @throws PretenderException if it cannot be started or does not answer
     */
    public static PretenderServer shared(ServerOptions options) {
        return SHARED.computeIfAbsent(options, PretenderServer::shareOrStart);
    }

    /**
     * Returns the shared server whose databases start empty; see {@link #shared(ServerOptions)}.
     *
     * @return the server, which must not be closed
     * @throws PretenderException if it cannot be started or does not answer
     */
    public static PretenderServer shared() {
        return shared(ServerOptions.DEFAULT);
    }

    private static PretenderServer shareOrStart(ServerOptions options) {
        String endpoint = System.getenv("PRETENDER_ENDPOINT");
        if (endpoint != null && !endpoint.isEmpty()) {
            if (!options.arguments().isEmpty()) {
                throw new PretenderException("a server with the options " + options.arguments()
                        + " is needed, but PRETENDER_ENDPOINT is set, so none is started: give them to the server there");
            }
            return at(URI.create(endpoint.contains("://") ? endpoint : "http://" + endpoint));
        }
        var failure = FAILED.get(options);
        if (failure != null) {
            throw new PretenderException("the server did not start before, and is not started again: " + failure.getMessage(), failure);
        }
        try {
            return start(options);
        } catch (PretenderException error) {
            // A test that was interrupted says nothing about the next one.
            if (!Thread.currentThread().isInterrupted()) {
                FAILED.put(options, error);
            }
            throw error;
        }
    }

    /**
     * Opens a new database with a random name.
     *
     * @return the database; to close it drops it
     */
    public PretenderDatabase database() {
        return database("java-" + UUID.randomUUID());
    }

    /**
     * Opens the database with a name. The server creates it when it gets the first request for it.
     *
     * @param name 1 to 64 letters, digits, {@code -}, {@code _} and {@code .}, of which the first is a letter or a digit
     * @return the database; to close it drops it
     */
    public PretenderDatabase database(String name) {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")) {
            throw new IllegalArgumentException("`" + name + "` is not a name of a database: expected 1 to 64 letters, digits, `-`, `_` and `.`");
        }
        return new PretenderDatabase(this, name);
    }

    /**
     * Lists the databases.
     *
     * @return their names, and how long no request was made for each
     */
    public List<DatabaseSummary> databases() {
        return control.get("databases").get("databases").list().stream()
                .map(one -> new DatabaseSummary(
                        one.get("name").text(), Duration.ofMillis(Math.round(one.get("idle_seconds").real() * 1000))))
                .toList();
    }

    /**
     * Describes a database.
     *
     * @param name its name
     * @param idle how long no request was made for it; after an hour, the server drops it
     */
    public record DatabaseSummary(String name, Duration idle) {}

    /** Drops a database; returns whether it existed. */
    boolean drop(String name) {
        return control.post("databases/drop", Map.of("name", name)).get("dropped").bool();
    }

    /**
     * Returns the address of the server.
     *
     * @return such as {@code http://127.0.0.1:41234}
     */
    public URI endpoint() {
        return endpoint;
    }

    /**
     * Returns the region in ARNs.
     *
     * @return such as {@code us-east-1}
     */
    public String region() {
        return region;
    }

    /**
     * Returns the process ID.
     *
     * @return nothing for a server that something else has started
     */
    public OptionalLong pid() {
        return process == null ? OptionalLong.empty() : OptionalLong.of(process.pid());
    }

    /**
     * Returns what the server has logged. {@code PRETENDER_LOG_LEVEL=info} logs each call.
     *
     * @return an empty text for a server that something else has started
     */
    public String log() {
        return log(0);
    }

    /** Returns the log from a byte on. */
    String log(long from) {
        return process == null ? "" : process.log().read(from);
    }

    long logSize() {
        return process == null ? 0 : process.log().size();
    }

    /** Stops the server, unless something else has started it. */
    @Override
    public void close() {
        SHARED.values().remove(this);
        if (process != null) {
            process.stop();
        }
    }

    @Override
    public String toString() {
        return "pretender at " + endpoint;
    }
}
