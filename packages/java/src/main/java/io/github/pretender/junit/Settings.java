package io.github.pretender.junit;

import io.github.pretender.ServerOptions;
import java.lang.annotation.Annotation;
import java.util.Optional;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * What the annotations around a test say.
 *
 * @param options what its server is started with
 * @param isPerClass whether its database is used by all tests of a class
 * @param usesProperties whether system properties lead to its database
 * @param owner the class whose tests share the database, if they share one
 */
record Settings(ServerOptions options, boolean isPerClass, boolean usesProperties, Class<?> owner) {

    static Settings of(ExtensionContext context) {
        Class<?> testClass = context.getRequiredTestClass();
        var found = context.getTestMethod().flatMap(method -> AnnotationSupport.findAnnotation(method, Pretender.class));
        Class<?> owner = testClass;
        while (found.isEmpty() && owner != null) {
            found = AnnotationSupport.findAnnotation(owner, Pretender.class);
            owner = found.isPresent() ? owner : owner.getEnclosingClass();
        }
        boolean usesProperties = context.getTestMethod().flatMap(method -> find(method, PretenderProperties.class)).isPresent()
                || isAround(testClass, PretenderProperties.class);
        if (found.isEmpty()) {
            // Only PretenderProperties, or @ExtendWith(PretenderExtension.class).
            return new Settings(ServerOptions.DEFAULT, false, usesProperties, testClass);
        }
        Pretender pretender = found.get();
        var options = ServerOptions.DEFAULT.schema(pretender.schema()).seed(pretender.seed()).with(pretender.options());
        return new Settings(options, pretender.lifecycle() == Lifecycle.PER_CLASS, usesProperties, owner);
    }

    private static boolean isAround(Class<?> testClass, Class<? extends Annotation> type) {
        for (Class<?> around = testClass; around != null; around = around.getEnclosingClass()) {
            if (AnnotationSupport.isAnnotated(around, type)) {
                return true;
            }
        }
        return false;
    }

    private static <A extends Annotation> Optional<A> find(java.lang.reflect.Method method, Class<A> type) {
        return AnnotationSupport.findAnnotation(method, type);
    }
}
