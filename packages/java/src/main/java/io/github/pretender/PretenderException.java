package io.github.pretender;

/** Reports that the server could not be found, started or reached, or that it gave an answer that makes no sense. */
public class PretenderException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /**
     * Creates an exception.
     *
     * @param message what happened, and what to do
     */
    public PretenderException(String message) {
        super(message);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param message what happened, and what to do
     * @param cause what made it happen
     */
    public PretenderException(String message, Throwable cause) {
        super(message, cause);
    }
}
