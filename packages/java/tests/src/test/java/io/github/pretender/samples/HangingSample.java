package io.github.pretender.samples;

import io.github.pretender.PretenderDatabase;
import io.github.pretender.junit.Pretender;
import org.junit.jupiter.api.Test;

@Pretender
public class HangingSample {
    @Test
    void hangs(PretenderDatabase database) throws Exception {
        database.clock().now();
        System.out.println(database.server().pid().getAsLong());
        System.out.println(new ProcessBuilder("sleep", "60").start().pid());
        Thread.sleep(60_000);
    }
}
