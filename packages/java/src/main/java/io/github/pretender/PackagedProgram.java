package io.github.pretender;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** The program inside a jar, which is unpacked once into a cache. */
record PackagedProgram(String sha256, long size, Supplier<InputStream> content) {
    /** How files begin that are not complete yet. */
    private static final String PREFIX = "unpacking-";
    /** After this time, whoever was writing such a file has ended. */
    private static final Duration STALE = Duration.ofHours(1);

    /** Returns the folder for caches of this user, or nothing if the user has none. */
    static Optional<Path> cache(Map<String, String> environment) {
        Path home = Path.of(System.getProperty("user.home"));
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String folder = environment.getOrDefault(system.startsWith("windows") ? "LOCALAPPDATA" : "XDG_CACHE_HOME", "");
        if (!folder.isEmpty() && Path.of(folder).isAbsolute()) {
            return Optional.of(Path.of(folder, "pretender"));
        }
        Path caches = system.startsWith("mac") ? home.resolve("Library/Caches") : home.resolve(".cache");
        return home.isAbsolute() && Files.isDirectory(home) ? Optional.of(caches.resolve("pretender")) : Optional.empty();
    }

    /**
     * Returns the path of the unpacked program. It is in the cache, in a folder that is named after its content, or in a temporary folder if
     * the cache cannot be written to.
     */
    Path unpack(Optional<Path> cache) {
        if (cache.isPresent()) {
            try {
                return unpackInto(cache.get().resolve(sha256));
            } catch (IOException unusable) {
                // A home folder can be read-only, for example in a container.
            }
        }
        try {
            // Nobody else can write to this folder, in contrast to one with a fixed name.
            Path folder = Files.createTempDirectory("pretender-");
            // Java deletes in the opposite order, and a folder only if it is empty.
            folder.toFile().deleteOnExit();
            folder.resolve(Program.fileName()).toFile().deleteOnExit();
            return unpackInto(folder);
        } catch (IOException error) {
            throw new PretenderException("cannot unpack the program pretender: " + error, error);
        }
    }

    private Path unpackInto(Path folder) throws IOException {
        Path program = folder.resolve(Program.fileName());
        if (isComplete(program) && Files.isExecutable(program)) {
            return program;
        }
        Files.createDirectories(folder);
        removeStale(folder);
        // Several processes may unpack at the same time: each has a file of its own, and the move replaces a complete file by an equal one.
        Path unfinished = Files.createTempFile(folder, PREFIX, null);
        try {
            copyTo(unfinished);
            if (File.separatorChar == '/') {
                Files.setPosixFilePermissions(unfinished, PosixFilePermissions.fromString("rwx------"));
            }
            Files.move(unfinished, program, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException error) {
            // Windows does not replace a program that runs: another process has finished first, then.
            if (!isComplete(program)) {
                throw error;
            }
        } finally {
            Files.deleteIfExists(unfinished);
        }
        if (!Files.isExecutable(program)) {
            // It may be on a file system that is mounted with `noexec`.
            throw new IOException("programs in " + folder + " cannot be executed");
        }
        return program;
    }

    private boolean isComplete(Path program) throws IOException {
        if (!Files.isRegularFile(program) || Files.size(program) != size) {
            return false;
        }
        try (InputStream stream = Files.newInputStream(program)) {
            return sha256(stream, OutputStream.nullOutputStream()).equals(sha256);
        }
    }

    /** Removes what processes that were killed have left. */
    private static void removeStale(Path folder) throws IOException {
        var limit = FileTime.from(Instant.now().minus(STALE));
        try (var unfinished = Files.newDirectoryStream(folder, PREFIX + "*")) {
            for (Path file : unfinished) {
                try {
                    if (Files.getLastModifiedTime(file).compareTo(limit) < 0) {
                        Files.deleteIfExists(file);
                    }
                } catch (NoSuchFileException gone) {
                    // Another thread or process has finished it since it was listed.
                }
            }
        }
    }

    private void copyTo(Path file) throws IOException {
        String found;
        try (InputStream stream = content.get(); OutputStream copy = Files.newOutputStream(file)) {
            if (stream == null) {
                throw new IOException("the jar has no program");
            }
            found = sha256(stream, copy);
        }
        if (!found.equals(sha256)) {
            throw new IOException("the program in the jar is damaged: its SHA-256 is " + found + ", not " + sha256);
        }
    }

    /** Copies a stream, and returns the SHA-256 of its content. */
    private static String sha256(InputStream stream, OutputStream copy) throws IOException {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            new DigestInputStream(stream, digest).transferTo(copy);
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException("every Java has SHA-256", error);
        }
    }
}
