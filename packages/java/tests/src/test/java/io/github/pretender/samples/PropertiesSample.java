package io.github.pretender.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.github.pretender.junit.PretenderProperties;
import org.junit.jupiter.api.Test;

@PretenderProperties
public class PropertiesSample {
    PropertiesSample() {
        assertEquals("us-east-1", System.getProperty("aws.region"));
    }

    @Test
    void succeeds() {
        assertEquals("pretender", System.getProperty("aws.accessKeyId"));
        assertNull(System.getProperty("aws.profile"));
    }

    @Test
    void fails() {
        throw new AssertionError("on purpose");
    }
}
