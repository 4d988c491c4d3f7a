package io.github.pretender;

import java.util.ArrayList;
import java.util.List;

/**
 * What a server is started with. Each method returns a changed copy.
 *
 * <p>Every database of the server starts with the tables of {@link #schema} and the items of {@link #seed}.
 *
 * @param arguments arguments of {@code pretender serve}
 */
public record ServerOptions(List<String> arguments) {
    /** A server whose databases start empty, with the default settings. */
    public static final ServerOptions DEFAULT = new ServerOptions(List.of());

    /**
     * Creates options from arguments.
     *
     * @param arguments arguments of {@code pretender serve}
     */
    public ServerOptions {
        arguments = List.copyOf(arguments);
    }

    /**
     * Adds tables: a CloudFormation, SAM or CDK template, {@code serverless.yml}, the JSON of CreateTable, and more.
     *
     * @param files files or folders, each as a path or as {@code classpath:NAME}
     * @return the changed options
     */
    public ServerOptions schema(String... files) {
        return withFiles("--schema", files);
    }

    /**
     * Adds items.
     *
     * @param files files or folders, each as a path, as {@code classpath:NAME} or as {@code TABLE=} and one of these
     * @return the changed options
     */
    public ServerOptions seed(String... files) {
        return withFiles("--seed", files);
    }

    /**
     * Adds arguments of {@code pretender serve}, such as {@code "--shards", "4"}.
     *
     * @param more the arguments
     * @return the changed options
     */
    public ServerOptions with(String... more) {
        var all = new ArrayList<>(arguments);
        all.addAll(List.of(more));
        return new ServerOptions(all);
    }

    private ServerOptions withFiles(String option, String... files) {
        var options = this;
        for (String file : files) {
            options = options.with(option, ClasspathFile.resolve(file));
        }
        return options;
    }
}
