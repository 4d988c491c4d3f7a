package io.github.pretender;

/** Reports that the server refused a command of the control API. Its message is the server's. */
public class ControlException extends PretenderException {
    private static final long serialVersionUID = 1;

    /** The HTTP status. */
    private final int status;

    ControlException(int status, String message) {
        super(message);
        this.status = status;
    }

    /**
     * Returns the HTTP status of the answer.
     *
     * @return 400 for an invalid command, 401 for a missing token, 404 if the table, stream, shard, fault or snapshot does not exist, 500 if
     *     the command failed
     */
    public int status() {
        return status;
    }
}
