package io.github.pretender.junit;

import io.github.pretender.ServerOptions;
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
        Optional<Pretender> found = Optional.empty();
        Class<?> owner = context.getRequiredTestClass();
        boolean usesProperties = false;
        // Not the enclosing classes: a nested class can be inherited, and is then in the context of the class that inherits it.
        for (var around = Optional.of(context); around.isPresent(); around = around.get().getParent()) {
            var element = around.get().getElement();
            usesProperties |= AnnotationSupport.isAnnotated(element, PretenderProperties.class);
            if (found.isEmpty()) {
                found = AnnotationSupport.findAnnotation(element, Pretender.class);
                owner = found.isPresent() ? around.get().getRequiredTestClass() : owner;
            }
        }
        if (found.isEmpty()) {
            // Only PretenderProperties, or @ExtendWith(PretenderExtension.class).
            return new Settings(ServerOptions.DEFAULT, false, usesProperties, owner);
        }
        Pretender pretender = found.get();
        var options = ServerOptions.DEFAULT.schema(pretender.schema()).seed(pretender.seed()).with(pretender.options());
        return new Settings(options, pretender.lifecycle() == Lifecycle.PER_CLASS, usesProperties, owner);
    }
}
