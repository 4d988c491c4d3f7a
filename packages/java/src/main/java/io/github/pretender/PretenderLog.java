package io.github.pretender;

/** What the server has logged during a test that failed. As a suppressed exception of the failure, it appears in the reports of all tools. */
public final class PretenderLog extends Exception {
    private static final long serialVersionUID = 1;
    /** How much of the log is shown, in characters: a report has to stay readable. */
    private static final int MAX_LENGTH = 20_000;

    private PretenderLog(String text) {
        // A stack trace would only show the test framework.
        super(text, null, false, false);
    }

    /**
     * Adds what the server has logged since a database was opened to a failure, if it has logged anything.
     *
     * @param failure the exception of a test
     * @param database the database of the test
     */
    public static void addTo(Throwable failure, PretenderDatabase database) {
        String log = database.log().strip();
        if (!log.isEmpty()) {
            String shown = log.length() <= MAX_LENGTH ? log : "..." + log.substring(log.length() - MAX_LENGTH);
            failure.addSuppressed(new PretenderLog("log of " + database + ":\n" + shown));
        }
    }
}
