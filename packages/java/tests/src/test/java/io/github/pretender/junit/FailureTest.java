package io.github.pretender.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.github.pretender.PretenderLog;
import io.github.pretender.PretenderServer;
import io.github.pretender.samples.FailingSample;
import io.github.pretender.samples.FailingSetUpSample;
import io.github.pretender.samples.MisplacedSample;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

class FailureTest {
    @Test
    void theReportOfATestHasTheLogOfTheServerAndItsDatabaseIsDropped() {
        var failure = failures(FailingSample.class).get(0);
        assertEquals("on purpose", failure.getMessage());
        var log = (PretenderLog) failure.getSuppressed()[0];
        assertTrue(log.getMessage().startsWith("log of database t-FailingSample.fails-"), log.getMessage());
        assertTrue(log.getMessage().contains("ListTables"), log.getMessage());
        assertEquals(0, log.getStackTrace().length);
        var names = PretenderServer.shared().databases().stream().map(PretenderServer.DatabaseSummary::name).toList();
        assertTrue(names.stream().noneMatch(name -> name.startsWith("t-FailingSample.fails-")), names.toString());
    }

    @Test
    void theReportOfASetUpHasTheLogOfTheServer() {
        var failure = failures(FailingSetUpSample.class).get(0);
        assertTrue(failure.getSuppressed()[0].getMessage().contains("ListTables"), failure.getSuppressed()[0].getMessage());
    }

    @Test
    void aParameterOutsideOfTestsIsExplained() {
        var failure = failures(MisplacedSample.class).get(0);
        assertTrue(failure.getMessage().startsWith("the DynamoDbClient of `setUp` needs a database"), failure.getMessage());
        assertTrue(failure.getMessage().contains("use @Pretender(lifecycle = PER_CLASS)"), failure.getMessage());
    }

    private static List<Throwable> failures(Class<?> sample) {
        return EngineTestKit.engine("junit-jupiter")
                .configurationParameter("junit.jupiter.execution.parallel.enabled", "false")
                .selectors(selectClass(sample))
                .execute()
                .allEvents()
                .failed()
                .map(Event::getPayload)
                .map(payload -> (TestExecutionResult) payload.orElseThrow())
                .map(result -> result.getThrowable().orElseThrow())
                .toList();
    }
}
