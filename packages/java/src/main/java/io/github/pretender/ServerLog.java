package io.github.pretender;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The file that a server logs to. */
final class ServerLog implements AutoCloseable {
    private final Path path;
    /** Not a channel: those close when a thread that reads is interrupted, as JUnit does with a test that takes too long. */
    private final RandomAccessFile file;

    private ServerLog(Path path, RandomAccessFile file) {
        this.path = path;
        this.file = file;
    }

    static ServerLog create() throws IOException {
        Path path = Files.createTempFile("pretender-", ".log");
        path.toFile().deleteOnExit();
        return new ServerLog(path, new RandomAccessFile(path.toFile(), "r"));
    }

    ProcessBuilder.Redirect redirect() {
        return ProcessBuilder.Redirect.appendTo(path.toFile());
    }

    /** Removes the name of the file, after the server has opened it: so nothing remains of it, even if both processes are killed. */
    void unlink() {
        // Windows does not remove the name of an open file. There it goes when this process ends.
        path.toFile().delete();
    }

    /** Returns its length, in bytes. */
    synchronized long size() {
        try {
            return file.length();
        } catch (IOException closed) {
            return 0;
        }
    }

    /** Returns the text from a byte on. */
    synchronized String read(long from) {
        try {
            var bytes = new byte[(int) Math.max(0, file.length() - from)];
            file.seek(from);
            file.readFully(bytes);
            return new String(bytes, StandardCharsets.UTF_8);
        } catch (IOException closed) {
            return "";
        }
    }

    @Override
    public synchronized void close() {
        try {
            file.close();
        } catch (IOException error) {
            // Nothing was written to it, so nothing is lost.
        }
        path.toFile().delete();
    }
}
