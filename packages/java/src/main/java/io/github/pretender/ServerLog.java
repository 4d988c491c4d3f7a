package io.github.pretender;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The file that a server logs to. */
final class ServerLog implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;

    private ServerLog(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    static ServerLog create() throws IOException {
        Path path = Files.createTempFile("pretender-", ".log");
        path.toFile().deleteOnExit();
        return new ServerLog(path, FileChannel.open(path, StandardOpenOption.READ));
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
    long size() {
        try {
            return channel.size();
        } catch (IOException closed) {
            return 0;
        }
    }

    /** Returns the text from a byte on. */
    String read(long from) {
        try {
            var bytes = ByteBuffer.allocate((int) Math.max(0, channel.size() - from));
            while (bytes.hasRemaining() && channel.read(bytes, from + bytes.position()) >= 0) {
                // A read may return only a part.
            }
            return new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
        } catch (IOException closed) {
            return "";
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException error) {
            // Nothing was written to it, so nothing is lost.
        }
        path.toFile().delete();
    }
}
