package io.github.pretender.testcontainers;

import io.github.pretender.PretenderDatabase;
import io.github.pretender.PretenderServer;
import java.net.URI;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

/**
 * A server in a container, for projects that start everything that way.
 *
 * <p>Without Docker, {@link PretenderServer#start()} starts the program itself, which takes much less time.
 */
public class PretenderContainer extends GenericContainer<PretenderContainer> {
    /** The port in the container. */
    public static final int PORT = 8000;

    /**
     * Creates a container, which is not started yet.
     *
     * @param image such as {@code pretender:0.1.0}
     */
    public PretenderContainer(String image) {
        this(DockerImageName.parse(image));
    }

    /**
     * Creates a container, which is not started yet.
     *
     * @param image the image
     */
    public PretenderContainer(DockerImageName image) {
        super(image);
        withExposedPorts(PORT);
        withEnv("PRETENDER_HOST", "0.0.0.0");
        withEnv("PRETENDER_PORT", Integer.toString(PORT));
        withEnv("PRETENDER_DB", ":memory:");
        withEnv("PRETENDER_CONTROL", "true");
        withEnv("PRETENDER_DATABASES", "true");
        waitingFor(Wait.forHttp("/_pretender/ready").forPort(PORT));
    }

    /**
     * Returns the address of the server.
     *
     * @return such as {@code http://localhost:32768}
     */
    public URI getEndpoint() {
        return URI.create("http://" + getHost() + ":" + getMappedPort(PORT));
    }

    /**
     * Returns the server.
     *
     * @return the server; to close it does not stop the container
     */
    public PretenderServer server() {
        return PretenderServer.at(getEndpoint());
    }

    /**
     * Opens a new database.
     *
     * @return the database; to close it drops it
     */
    public PretenderDatabase database() {
        return server().database();
    }
}
