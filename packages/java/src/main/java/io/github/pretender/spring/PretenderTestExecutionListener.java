package io.github.pretender.spring;

import io.github.pretender.PretenderDatabase;
import io.github.pretender.PretenderLog;
import org.springframework.test.context.TestContext;
import org.springframework.test.context.TestContextAnnotationUtils;
import org.springframework.test.context.TestExecutionListener;

/** Restores the database of a context before each test method, and reports the server's log. Spring finds it by {@code spring.factories}. */
final class PretenderTestExecutionListener implements TestExecutionListener {
    PretenderTestExecutionListener() {}

    @Override
    public void beforeTestMethod(TestContext test) {
        var annotation = annotation(test);
        if (annotation == null || !annotation.restore()) {
            return;
        }
        PretenderDatabase database = database(test);
        database.faults().clear();
        database.clock().run();
        database.snapshots().restoreWithClock(PretenderContextCustomizerFactory.SNAPSHOT);
    }

    @Override
    public void afterTestExecution(TestContext test) {
        if (annotation(test) != null && test.getTestException() != null) {
            PretenderLog.addTo(test.getTestException(), database(test));
        }
    }

    private static AutoConfigurePretender annotation(TestContext test) {
        return TestContextAnnotationUtils.findMergedAnnotation(test.getTestClass(), AutoConfigurePretender.class);
    }

    private static PretenderDatabase database(TestContext test) {
        return test.getApplicationContext().getBean(PretenderDatabase.class);
    }
}
