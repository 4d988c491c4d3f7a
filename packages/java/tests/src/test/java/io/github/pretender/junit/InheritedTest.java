package io.github.pretender.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.pretender.PretenderDatabase;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance.Lifecycle;

/** Nested classes have the settings of the class that inherits them, not those of the class that they are written in. */
class InheritedTest {
    abstract static class Cases {
        private final String region;
        private final String database;

        Cases(String region, PretenderDatabase database) {
            this.region = region;
            this.database = database.name();
        }

        @Nested
        class Inner {
            @Test
            void usesTheSettingsOfTheClassThatInherits(PretenderDatabase own) {
                assertEquals(region, own.region());
                assertEquals(database, own.name());
            }
        }
    }

    @Nested
    @Pretender(options = {"--region", "eu-west-1"})
    class ForEachTest extends Cases {
        ForEachTest(PretenderDatabase database) {
            super("eu-west-1", database);
        }
    }

    @Nested
    @Pretender(options = {"--region", "eu-west-2"}, lifecycle = Lifecycle.PER_CLASS)
    class ForTheClass extends Cases {
        ForTheClass(PretenderDatabase database) {
            super("eu-west-2", database);
        }
    }
}
