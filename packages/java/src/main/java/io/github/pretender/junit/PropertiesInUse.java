package io.github.pretender.junit;

import io.github.pretender.PretenderDatabase;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** System properties that are set for a database, until they are closed. */
final class PropertiesInUse {
    /** Properties that would take precedence over the credentials, or name a profile. */
    private static final List<String> REMOVED = List.of("aws.sessionToken", "aws.profile");

    /** The values before, {@code null} for those that were not set. */
    private final Map<String, String> before = new HashMap<>();

    private PropertiesInUse() {}

    static PropertiesInUse of(PretenderDatabase database) {
        var used = new PropertiesInUse();
        database.systemProperties().forEach((name, value) -> used.before.put(name, System.setProperty(name, value)));
        REMOVED.forEach(name -> used.before.put(name, System.clearProperty(name)));
        return used;
    }

    void restore() {
        before.forEach((name, value) -> {
            if (value == null) {
                System.clearProperty(name);
            } else {
                System.setProperty(name, value);
            }
        });
    }
}
