package io.github.pretender.junit;

import io.github.pretender.PretenderDatabase;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A database that JUnit keeps for a test or a class, and closes after it. */
// JUnit before 5.13 closes only what implements CloseableResource, later versions only need AutoCloseable.
@SuppressWarnings("deprecation")
final class TestDatabase implements ExtensionContext.Store.CloseableResource, AutoCloseable {
    private final PretenderDatabase database;
    private PropertiesInUse properties;

    TestDatabase(PretenderDatabase database) {
        this.database = database;
    }

    PretenderDatabase database() {
        return database;
    }

    /** Sets the system properties, unless they are set already. */
    void useProperties() {
        if (properties == null) {
            properties = PropertiesInUse.of(database);
        }
    }

    void restoreProperties() {
        if (properties != null) {
            properties.restore();
            properties = null;
        }
    }

    @Override
    public void close() {
        // If a constructor has failed, there was no callback that could have restored them.
        restoreProperties();
        database.close();
    }
}
