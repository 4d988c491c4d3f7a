package io.github.pretender.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Gives each test method an empty DynamoDB database of its own.
 *
 * <pre>{@code
 * @Pretender
 * class OrderTest {
 *     @Test
 *     void placesAnOrder(DynamoDbClient client, PretenderDatabase database) { ... }
 * }
 * }</pre>
 *
 * <p>Parameters of test methods, of {@code @BeforeEach} and {@code @AfterEach} methods and, from JUnit 5.12 on, of constructors can be:
 * {@link io.github.pretender.PretenderDatabase}, {@code DynamoDbClient}, {@code DynamoDbStreamsClient}, {@code DynamoDbAsyncClient},
 * {@code DynamoDbStreamsAsyncClient}, {@code DynamoDbEnhancedClient}, {@code DynamoDbEnhancedAsyncClient} and
 * {@link io.github.pretender.PretenderServer}. All parameters of a test belong to the same database. Parameters with an annotation of their own are
 * left to other extensions.
 *
 * <p>All tests of a Java process share one server for each combination of {@link #schema}, {@link #seed} and {@link #options}, also if they run
 * in parallel. If {@code PRETENDER_ENDPOINT} is set, they use the server there instead. Files and options are refused then: give them to
 * that server.
 *
 * <p>An annotation of a method or nested class replaces that of the class around it. If a test fails, what the server has logged meanwhile is in
 * its report, as a suppressed {@link io.github.pretender.PretenderLog}.
 */
@Documented
@Inherited
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(PretenderExtension.class)
public @interface Pretender {
    /**
     * Files with the tables that each database starts with.
     *
     * @return as for {@link io.github.pretender.ServerOptions#schema}
     */
    String[] schema() default {};

    /**
     * Files with the items that each database starts with.
     *
     * @return as for {@link io.github.pretender.ServerOptions#seed}
     */
    String[] seed() default {};

    /**
     * Arguments of {@code pretender serve}.
     *
     * @return such as {@code {"--shards", "4"}}
     */
    String[] options() default {};

    /**
     * How long a database is used.
     *
     * @return {@code PER_METHOD} for a database for each test, or {@code PER_CLASS} for one for all tests of the class, which
     *     {@code @BeforeAll} and {@code @AfterAll} methods can have, too
     */
    Lifecycle lifecycle() default Lifecycle.PER_METHOD;
}
