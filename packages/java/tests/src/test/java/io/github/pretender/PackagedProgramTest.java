package io.github.pretender;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackagedProgramTest {
    private static final byte[] CONTENT = "the program".repeat(100_000).getBytes();

    @TempDir
    private Path cache;

    @Test
    void unpacksOnce() throws Exception {
        Path program = program(CONTENT).unpack(Optional.of(cache));
        assertEquals(cache.resolve(hash(CONTENT)).resolve("pretender"), program);
        assertArrayEquals(CONTENT, Files.readAllBytes(program));
        assertTrue(Files.isExecutable(program));

        var unread = new PackagedProgram(hash(CONTENT), CONTENT.length, () -> {
            throw new AssertionError("it was unpacked again");
        });
        assertEquals(program, unread.unpack(Optional.of(cache)));
    }

    @Test
    void otherContentHasAnotherPath() throws Exception {
        byte[] other = "another program".getBytes();
        Path first = program(CONTENT).unpack(Optional.of(cache));
        Path second = program(other).unpack(Optional.of(cache));
        assertArrayEquals(CONTENT, Files.readAllBytes(first));
        assertArrayEquals(other, Files.readAllBytes(second));
    }

    @Test
    void manyCanUnpackAtTheSameTime() throws Exception {
        int threads = 8;
        var start = new CyclicBarrier(threads);
        Callable<Path> unpack = () -> {
            start.await();
            Path program = program(CONTENT).unpack(Optional.of(cache));
            // Whoever has the path may run it: it must be complete already.
            assertEquals(CONTENT.length, Files.size(program));
            assertTrue(Files.isExecutable(program));
            return program;
        };
        var pool = Executors.newFixedThreadPool(threads);
        var paths = new ArrayList<Path>();
        for (var future : pool.invokeAll(java.util.Collections.nCopies(threads, unpack))) {
            paths.add(future.get());
        }
        pool.shutdown();
        Path program = cache.resolve(hash(CONTENT)).resolve("pretender");
        assertEquals(java.util.Collections.nCopies(threads, program), paths);
        assertArrayEquals(CONTENT, Files.readAllBytes(program));
        assertEquals(List.of(program), files(program.getParent()), "nothing else is left");
    }

    @Test
    void anIncompleteFileIsReplaced() throws Exception {
        Path folder = Files.createDirectories(cache.resolve(hash(CONTENT)));
        Files.write(folder.resolve("pretender"), Arrays.copyOf(CONTENT, 10));
        assertArrayEquals(CONTENT, Files.readAllBytes(program(CONTENT).unpack(Optional.of(cache))));
    }

    @Test
    void aFileWithOtherContentIsReplaced() throws Exception {
        Path program = program(CONTENT).unpack(Optional.of(cache));
        byte[] other = CONTENT.clone();
        other[17]++;
        Files.write(program, other);
        assertArrayEquals(CONTENT, Files.readAllBytes(program(CONTENT).unpack(Optional.of(cache))));
    }

    @Test
    void whatAKilledProcessHasLeftIsRemoved() throws Exception {
        Path folder = Files.createDirectories(cache.resolve(hash(CONTENT)));
        Path stale = Files.createTempFile(folder, "unpacking-", null);
        Files.setLastModifiedTime(stale, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        Path inUse = Files.createTempFile(folder, "unpacking-", null);
        program(CONTENT).unpack(Optional.of(cache));
        assertFalse(Files.exists(stale));
        assertTrue(Files.exists(inUse));
    }

    @Test
    void aDamagedProgramIsRefused() throws Exception {
        byte[] damaged = CONTENT.clone();
        damaged[17]++;
        var program = new PackagedProgram(hash(CONTENT), CONTENT.length, () -> new ByteArrayInputStream(damaged));
        var error = assertThrows(PretenderException.class, () -> program.unpack(Optional.of(cache)));
        assertTrue(error.getMessage().contains("the program in the jar is damaged"), error.getMessage());
        assertEquals(List.of(), files(cache.resolve(hash(CONTENT))));
    }

    @Test
    void withoutACacheItUsesATemporaryFolder() throws Exception {
        Path occupied = Files.writeString(cache.resolve("occupied"), "not a folder");
        for (Optional<Path> none : List.of(Optional.of(occupied), Optional.<Path>empty())) {
            Path program = program(CONTENT).unpack(none);
            assertFalse(program.startsWith(cache));
            assertArrayEquals(CONTENT, Files.readAllBytes(program));
            Files.delete(program);
            Files.delete(program.getParent());
        }
    }

    @Test
    void theCacheIsInTheUsersOwnFolder() {
        assertEquals(Optional.of(cache.resolve("pretender")), PackagedProgram.cache(Map.of("XDG_CACHE_HOME", cache.toString())));
        Path usual = Path.of(System.getProperty("user.home"), ".cache", "pretender");
        assertEquals(Optional.of(usual), PackagedProgram.cache(Map.of()));
        assertEquals(Optional.of(usual), PackagedProgram.cache(Map.of("XDG_CACHE_HOME", "relative")));
    }

    private static PackagedProgram program(byte[] content) throws Exception {
        return new PackagedProgram(hash(content), content.length, () -> new ByteArrayInputStream(content));
    }

    private static String hash(byte[] content) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    }

    private static List<Path> files(Path folder) throws Exception {
        try (var files = Files.list(folder)) {
            return files.toList();
        }
    }
}
