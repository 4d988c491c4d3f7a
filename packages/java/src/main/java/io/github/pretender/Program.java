package io.github.pretender;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/** Finds the program {@code pretender}. */
final class Program {
    private static final String RESOURCES = "io/github/pretender/";

    private Program() {}

    /** Returns the version of this package, which is also the version of the program that it needs. */
    static String packageVersion() {
        return properties("package.properties")
                .orElseThrow(() -> new PretenderException("the jar of pretender is damaged: it has no package.properties"))
                .getProperty("version");
    }

    /**
     * Finds the program: {@code PRETENDER_BIN}, the one in the jar for this platform, or the one on the {@code PATH}.
     *
     * @throws PretenderException if there is none
     */
    static Path find(Map<String, String> environment) {
        String chosen = environment.getOrDefault("PRETENDER_BIN", "");
        if (!chosen.isEmpty()) {
            // A name alone is that of a program on the PATH, as in a shell.
            boolean isName = Path.of(chosen).getNameCount() == 1 && !Path.of(chosen).isAbsolute();
            return Optional.of(Path.of(chosen))
                    .filter(Program::isProgram)
                    .or(() -> isName ? onPath(chosen, environment) : Optional.empty())
                    .map(Path::toAbsolutePath)
                    .orElseThrow(() -> new PretenderException("PRETENDER_BIN is not a program: " + chosen));
        }
        String platform = platform();
        return packaged(platform, environment)
                .or(() -> onPath(fileName(), environment))
                .orElseThrow(() -> new PretenderException("the program pretender was not found: add the dependency "
                        + "io.github.pretender-db:pretender:" + packageVersion() + " with the classifier " + platform
                        + ", put the program on the PATH, or set PRETENDER_BIN"));
    }

    /** Returns the classifier of the jar with the program for this machine, such as {@code linux-x86_64}. */
    static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        String name = system.startsWith("mac") ? "macos" : system.startsWith("windows") ? "windows" : "linux";
        return name + "-" + switch (processor) {
            case "amd64", "x86_64" -> "x86_64";
            case "arm64", "aarch64" -> "aarch64";
            default -> processor;
        };
    }

    static String fileName() {
        return File.separatorChar == '\\' ? "pretender.exe" : "pretender";
    }

    private static Optional<Path> packaged(String platform, Map<String, String> environment) {
        String folder = platform + "/";
        return properties(folder + "program.properties").map(description -> {
            var program = new PackagedProgram(
                    description.getProperty("sha256"),
                    Long.parseLong(description.getProperty("size")),
                    () -> resource(folder + fileName()));
            return program.unpack(PackagedProgram.cache(environment));
        });
    }

    private static boolean isProgram(Path path) {
        return Files.isRegularFile(path) && Files.isExecutable(path);
    }

    private static Optional<Path> onPath(String name, Map<String, String> environment) {
        for (String folder : environment.getOrDefault("PATH", "").split(File.pathSeparator)) {
            Path candidate = Path.of(folder, name);
            if (!folder.isEmpty() && isProgram(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    /** Opens a resource; returns {@code null} if there is none. */
    private static InputStream resource(String name) {
        // A class finds only the resources of its own module, but the program is in another jar.
        return Program.class.getClassLoader().getResourceAsStream(RESOURCES + name);
    }

    private static Optional<Properties> properties(String name) {
        try (InputStream stream = resource(name)) {
            if (stream == null) {
                return Optional.empty();
            }
            var properties = new Properties();
            properties.load(stream);
            return Optional.of(properties);
        } catch (IOException error) {
            throw new PretenderException("cannot read " + name + " in the jar of pretender", error);
        }
    }
}
