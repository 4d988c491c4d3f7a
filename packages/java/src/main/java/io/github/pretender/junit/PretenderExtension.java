package io.github.pretender.junit;

import io.github.pretender.PretenderLog;
import io.github.pretender.PretenderServer;
import java.util.UUID;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestInstanceFactoryContext;
import org.junit.jupiter.api.extension.TestInstancePreConstructCallback;

/** The extension behind {@link Pretender} and {@link PretenderProperties}. */
public final class PretenderExtension
        implements ParameterResolver,
                TestInstancePreConstructCallback,
                BeforeAllCallback,
                BeforeEachCallback,
                AfterEachCallback,
                AfterAllCallback,
                TestExecutionExceptionHandler,
                LifecycleMethodExecutionExceptionHandler {
    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(PretenderExtension.class);

    /** Creates the extension, which JUnit does. */
    public PretenderExtension() {}

    /** Asks JUnit for the context of the test when its constructor is called, not for that of its class. */
    @Override
    public ExtensionContextScope getTestInstantiationExtensionContextScope(ExtensionContext rootContext) {
        return ExtensionContextScope.TEST_METHOD;
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        // One with an annotation, such as @Mock or @Autowired, is for another extension.
        return Parameters.isKnown(parameter.getParameter().getType()) && parameter.getParameter().getAnnotations().length == 0;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        var settings = Settings.of(context);
        if (Parameters.isServer(type)) {
            return PretenderServer.shared(settings.options());
        }
        if (!hasDatabase(settings, context)) {
            throw new ParameterResolutionException("the " + type.getSimpleName() + " of `" + parameter.getDeclaringExecutable().getName()
                    + "` needs a database, but each test has its own, and this is called outside of tests (a constructor needs JUnit 5.12): "
                    + "use @Pretender(lifecycle = PER_CLASS), or a parameter of the test method or of @BeforeEach");
        }
        return Parameters.of(type, database(settings, context).database());
    }

    @Override
    public void preConstructTestInstance(TestInstanceFactoryContext factory, ExtensionContext context) {
        useProperties(context);
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        useProperties(context);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        useProperties(context);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        restoreProperties(context);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        restoreProperties(context);
    }

    private static void useProperties(ExtensionContext context) {
        var settings = Settings.of(context);
        if (settings.usesProperties() && hasDatabase(settings, context)) {
            database(settings, context).useProperties();
        }
    }

    private static void restoreProperties(ExtensionContext context) {
        var settings = Settings.of(context);
        // Those of a class remain until its last test is over.
        boolean isOver = !settings.isPerClass() || isOwner(settings, context);
        if (settings.usesProperties() && isOver && hasDatabase(settings, context)) {
            database(settings, context).restoreProperties();
        }
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        throw withLog(context, failure);
    }

    @Override
    public void handleBeforeAllMethodExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        throw withLog(context, failure);
    }

    @Override
    public void handleBeforeEachMethodExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        throw withLog(context, failure);
    }

    @Override
    public void handleAfterEachMethodExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        throw withLog(context, failure);
    }

    @Override
    public void handleAfterAllMethodExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        throw withLog(context, failure);
    }

    private static Throwable withLog(ExtensionContext context, Throwable failure) {
        var settings = Settings.of(context);
        var used = !hasDatabase(settings, context) ? null : store(settings, context).get(key(settings), TestDatabase.class);
        if (used != null) {
            PretenderLog.addTo(failure, used.database());
        }
        return failure;
    }

    /** Says whether there can be a database in this context: that of a test, or that of a class and everything in it. */
    private static boolean hasDatabase(Settings settings, ExtensionContext context) {
        return settings.isPerClass() || context.getTestMethod().isPresent();
    }

    private static TestDatabase database(Settings settings, ExtensionContext context) {
        return store(settings, context).getOrComputeIfAbsent(key(settings), key -> open(settings, context), TestDatabase.class);
    }

    private static TestDatabase open(Settings settings, ExtensionContext context) {
        String test = settings.isPerClass()
                ? settings.owner().getSimpleName()
                : context.getRequiredTestClass().getSimpleName() + "." + context.getRequiredTestMethod().getName();
        String readable = test.replaceAll("[^A-Za-z0-9._-]", "_");
        String unique = UUID.randomUUID().toString().substring(24);
        // A name has at most 64 characters. The first must be a letter or a digit, which a name in Java need not be.
        String name = "t-" + readable.substring(0, Math.min(readable.length(), 49)) + "-" + unique;
        return new TestDatabase(PretenderServer.shared(settings.options()).database(name));
    }

    /** A database of a class and one of a method in it are different, although a method finds what its class has stored. */
    private static Object key(Settings settings) {
        return settings.isPerClass() ? settings.owner() : "test";
    }

    private static ExtensionContext.Store store(Settings settings, ExtensionContext context) {
        ExtensionContext at = context;
        while (settings.isPerClass() && !isOwner(settings, at)) {
            at = at.getParent().orElseThrow(() -> new IllegalStateException("no context of " + settings.owner()));
        }
        return at.getStore(NAMESPACE);
    }

    private static boolean isOwner(Settings settings, ExtensionContext context) {
        return context.getElement().filter(settings.owner()::equals).isPresent();
    }
}
