package io.github.pretender.samples;

import io.github.pretender.PretenderDatabase;
import io.github.pretender.spring.AutoConfigurePretender;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.junit.jupiter.SpringJUnitConfig;

@SpringJUnitConfig
@AutoConfigurePretender
@DirtiesContext
public class SpringSample {
    @Autowired
    private PretenderDatabase database;

    @Test
    void fails() {
        database.client().listTables();
        throw new IllegalStateException(database.name());
    }
}
