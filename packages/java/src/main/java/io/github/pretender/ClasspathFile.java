package io.github.pretender;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;

/** Finds files that tests name as {@code classpath:NAME}. */
final class ClasspathFile {
    private static final String PREFIX = "classpath:";

    private ClasspathFile() {}

    /** Replaces {@code classpath:NAME}, also behind {@code TABLE=}, by the path of the file. Other texts stay as they are. */
    static String resolve(String text) {
        int equals = text.indexOf("=" + PREFIX);
        String table = equals < 0 ? "" : text.substring(0, equals + 1);
        String file = text.substring(table.length());
        return file.startsWith(PREFIX) ? table + path(file.substring(PREFIX.length())) : text;
    }

    private static Path path(String name) {
        URL url = loader().getResource(name);
        if (url == null) {
            throw new PretenderException("there is no `" + name + "` on the class path");
        }
        // The server reads files itself, and it cannot read those inside a jar.
        if (!url.getProtocol().equals("file")) {
            throw new PretenderException("`" + name + "` is not a file: " + url);
        }
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException error) {
            throw new PretenderException("`" + url + "` is not a valid URL", error);
        }
    }

    private static ClassLoader loader() {
        var loader = Thread.currentThread().getContextClassLoader();
        return loader == null ? ClasspathFile.class.getClassLoader() : loader;
    }
}
