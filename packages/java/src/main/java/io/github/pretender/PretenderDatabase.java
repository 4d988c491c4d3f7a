package io.github.pretender;

import java.io.File;
import java.net.URI;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsAsyncClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/**
 * A database of its own: with its own tables, clock, faults and snapshots. To close it drops it.
 *
 * <p>Its clients are created when they are first asked for, and closed with it. It can be used from several threads.
 */
public final class PretenderDatabase implements AutoCloseable {
    /** The access key ID and the secret that its clients use; the server takes any. */
    public static final String CREDENTIAL = "pretender";

    /** A file that has nothing in it. */
    private static final String NO_FILE = File.separatorChar == '\\' ? "NUL" : "/dev/null";

    private final PretenderServer server;
    private final String name;
    private final URI endpoint;
    private final ControlClient control;
    private final Clients clients;
    private final long logStart;

    PretenderDatabase(PretenderServer server, String name) {
        this.server = server;
        this.name = name;
        this.endpoint = URI.create(server.endpoint() + "/db/" + name);
        this.control = new ControlClient(endpoint);
        this.clients = new Clients(endpoint, server.region());
        this.logStart = server.logSize();
    }

    /**
     * Returns the server that has this database.
     *
     * @return the server
     */
    public PretenderServer server() {
        return server;
    }

    /**
     * Returns the name of the database.
     *
     * @return the name
     */
    public String name() {
        return name;
    }

    /**
     * Returns the address for clients of DynamoDB and of DynamoDB Streams.
     *
     * @return such as {@code http://127.0.0.1:41234/db/orders}
     */
    public URI endpoint() {
        return endpoint;
    }

    /**
     * Returns the region for clients.
     *
     * @return such as {@code us-east-1}
     */
    public String region() {
        return server.region();
    }

    /**
     * Returns a client.
     *
     * @return the same client in each call
     */
    public DynamoDbClient client() {
        return clients.dynamoDb();
    }

    /**
     * Returns a client of DynamoDB Streams.
     *
     * @return the same client in each call
     */
    public DynamoDbStreamsClient streamsClient() {
        return clients.streams();
    }

    /**
     * Returns an asynchronous client.
     *
     * @return the same client in each call
     */
    public DynamoDbAsyncClient asyncClient() {
        return clients.dynamoDbAsync();
    }

    /**
     * Returns an asynchronous client of DynamoDB Streams.
     *
     * @return the same client in each call
     */
    public DynamoDbStreamsAsyncClient streamsAsyncClient() {
        return clients.streamsAsync();
    }

    /**
     * Returns the clock of the database.
     *
     * @return the commands that show and move it
     */
    public PretenderClock clock() {
        return new PretenderClock(control);
    }

    /**
     * Returns the faults of the database.
     *
     * @return the commands that add, list and remove them
     */
    public Faults faults() {
        return new Faults(control);
    }

    /**
     * Returns the snapshots of the database.
     *
     * @return the commands that save, restore, list and delete them
     */
    public Snapshots snapshots() {
        return new Snapshots(control);
    }

    /**
     * Returns the shards of the streams of the database.
     *
     * @return the commands that list, rotate and split them
     */
    public Shards shards() {
        return new Shards(control);
    }

    /**
     * Removes all records of a stream, as retention does after 24 hours.
     *
     * @param tableOrStream the name of a table, or the ARN of a stream
     * @return what was removed
     * @throws ControlException if the table does not exist or has no stream
     */
    public Shards.Trimmed trim(String tableOrStream) {
        return shards().trim(tableOrStream);
    }

    /**
     * Removes the records of a stream that are older than a record.
     *
     * @param tableOrStream the name of a table, or the ARN of a stream
     * @param sequenceNumber the sequence number of the first record to keep
     * @return what was removed
     * @throws ControlException if the table does not exist or has no stream, or if the text is not a sequence number
     */
    public Shards.Trimmed trimBefore(String tableOrStream, String sequenceNumber) {
        return shards().trimBefore(tableOrStream, sequenceNumber);
    }

    /** Removes all tables, items and streams. */
    public void reset() {
        control.post("reset", Map.of());
    }

    /**
     * Removes all items and stream records of a table. The table itself remains.
     *
     * @param table the name of the table
     * @throws ControlException if the table does not exist
     */
    public void reset(String table) {
        control.post("reset", Map.of("table", table));
    }

    /**
     * Watches the stream of a table from now on: the changes that follow can be compared with those that a test expects.
     *
     * @param table the name of the table
     * @return the changes after this call
     */
    public Changes changes(String table) {
        return new Changes(this, table);
    }

    /**
     * Returns the system properties with which code that makes its own clients uses this database.
     *
     * @return values by the name of the property
     */
    public Map<String, String> systemProperties() {
        var properties = new TreeMap<String, String>();
        properties.put("aws.accessKeyId", CREDENTIAL);
        properties.put("aws.secretAccessKey", CREDENTIAL);
        properties.put("aws.region", region());
        for (String service : new String[] {"", "DynamoDb", "DynamoDbStreams"}) {
            properties.put("aws.endpointUrl" + service, endpoint.toString());
        }
        // The environment and the user's profile may have these. The server has one address only.
        properties.put("aws.useFipsEndpoint", "false");
        properties.put("aws.useDualstackEndpoint", "false");
        properties.put("aws.configFile", NO_FILE);
        properties.put("aws.sharedCredentialsFile", NO_FILE);
        String direct = System.getProperty("http.nonProxyHosts", "localhost|127.*|[::1]");
        properties.put("http.nonProxyHosts", direct + "|" + endpoint.getHost());
        return properties;
    }

    /**
     * Returns the environment with which another program uses this database. {@link #applyTo} also removes what would lead it elsewhere.
     *
     * @return values by the name of the variable
     */
    public Map<String, String> environment() {
        var variables = new TreeMap<String, String>();
        variables.put("AWS_ACCESS_KEY_ID", CREDENTIAL);
        variables.put("AWS_SECRET_ACCESS_KEY", CREDENTIAL);
        variables.put("AWS_REGION", region());
        variables.put("AWS_DEFAULT_REGION", region());
        for (String service : new String[] {"", "_DYNAMODB", "_DYNAMODB_STREAMS"}) {
            variables.put("AWS_ENDPOINT_URL" + service, endpoint.toString());
        }
        return variables;
    }

    /**
     * Changes an environment so that a program with it uses this database: {@code database.applyTo(processBuilder.environment())}. Other sources
     * of credentials and endpoints are removed.
     *
     * @param variables values by the name of the variable
     */
    public void applyTo(Map<String, String> variables) {
        variables.keySet().removeIf(name -> name.startsWith("AWS_"));
        variables.putAll(environment());
    }

    /**
     * Returns what the server has logged since the database was opened, without its lines about calls to other databases.
     *
     * @return an empty text for a server that something else has started
     */
    public String log() {
        return server.log(logStart)
                .lines()
                .filter(line -> !line.contains(" database=") || line.contains(" database=" + name + " "))
                .collect(Collectors.joining("\n"));
    }

    /** Closes the clients and drops the database with everything in it. */
    @Override
    public void close() {
        clients.close();
        server.drop(name);
    }

    @Override
    public String toString() {
        return "database " + name + " of " + server;
    }
}
