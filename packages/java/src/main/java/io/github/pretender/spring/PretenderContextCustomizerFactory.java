package io.github.pretender.spring;

import io.github.pretender.PretenderDatabase;
import io.github.pretender.PretenderServer;
import io.github.pretender.ServerOptions;
import java.util.List;
import java.util.Map;
import org.springframework.beans.factory.support.BeanDefinitionBuilder;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.context.ApplicationEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.event.ContextRefreshedEvent;
import org.springframework.core.env.MapPropertySource;
import org.springframework.test.context.ContextConfigurationAttributes;
import org.springframework.test.context.ContextCustomizer;
import org.springframework.test.context.ContextCustomizerFactory;
import org.springframework.test.context.MergedContextConfiguration;
import org.springframework.test.context.TestContextAnnotationUtils;

/** Adds a database to the contexts of tests with {@link AutoConfigurePretender}. Spring finds it by {@code spring.factories}. */
final class PretenderContextCustomizerFactory implements ContextCustomizerFactory {
    /** The database as it was when its context had started. */
    static final String SNAPSHOT = "context-started";

    PretenderContextCustomizerFactory() {}

    @Override
    public ContextCustomizer createContextCustomizer(Class<?> testClass, List<ContextConfigurationAttributes> attributes) {
        var annotation = TestContextAnnotationUtils.findMergedAnnotation(testClass, AutoConfigurePretender.class);
        if (annotation == null) {
            return null;
        }
        return new Customizer(ServerOptions.DEFAULT
                .schema(annotation.schema())
                .seed(annotation.seed())
                .with(annotation.options()));
    }

    /** Equal for equal options, so that Spring can share a context between test classes. */
    private record Customizer(ServerOptions options) implements ContextCustomizer {
        @Override
        public void customizeContext(ConfigurableApplicationContext context, MergedContextConfiguration configuration) {
            PretenderDatabase database = PretenderServer.shared(options).database();
            context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("pretender", properties(database)));
            // A bean that can be closed is closed with its context, after the beans that use it. An application that makes beans only when
            // they are needed must not leave it out, or nothing would drop the database.
            var bean = BeanDefinitionBuilder.genericBeanDefinition(PretenderDatabase.class, () -> database).setLazyInit(false);
            ((BeanDefinitionRegistry) context.getBeanFactory()).registerBeanDefinition("pretenderDatabase", bean.getBeanDefinition());
            context.addApplicationListener((ApplicationListener<ApplicationEvent>) event -> {
                // Spring Boot's event comes after that of Spring, when the application's runners have ended. Not every project has its class.
                boolean isReady = event.getClass().getName().equals("org.springframework.boot.context.event.ApplicationReadyEvent");
                if (isReady || event instanceof ContextRefreshedEvent refreshed && refreshed.getApplicationContext() == context) {
                    database.snapshots().save(SNAPSHOT);
                }
            });
        }

        private static Map<String, Object> properties(PretenderDatabase database) {
            String endpoint = database.endpoint().toString();
            return Map.of(
                    "pretender.endpoint", endpoint,
                    "pretender.region", database.region(),
                    "pretender.access-key", PretenderDatabase.CREDENTIAL,
                    "pretender.secret-key", PretenderDatabase.CREDENTIAL,
                    "spring.cloud.aws.dynamodb.endpoint", endpoint,
                    "spring.cloud.aws.dynamodb.region", database.region(),
                    "spring.cloud.aws.region.static", database.region(),
                    "spring.cloud.aws.credentials.access-key", PretenderDatabase.CREDENTIAL,
                    "spring.cloud.aws.credentials.secret-key", PretenderDatabase.CREDENTIAL);
        }
    }
}
