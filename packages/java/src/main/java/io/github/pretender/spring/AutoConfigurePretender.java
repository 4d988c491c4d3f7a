package io.github.pretender.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Gives the application context of a Spring test a DynamoDB database of its own.
 *
 * <pre>{@code
 * @SpringBootTest
 * @AutoConfigurePretender
 * class OrderServiceTest {
 *     @Autowired OrderService orders;
 *     @Autowired PretenderDatabase database;
 * }
 * }</pre>
 *
 * <p>The context gets these properties. The application, or {@code @SpringBootTest(properties = "app.dynamodb=${pretender.endpoint}")}, can
 * refer to them:
 *
 * <ul>
 *   <li>{@code pretender.endpoint}, {@code pretender.region}, {@code pretender.access-key}, {@code pretender.secret-key};
 *   <li>those of Spring Cloud AWS: {@code spring.cloud.aws.dynamodb.endpoint}, {@code spring.cloud.aws.dynamodb.region},
 *       {@code spring.cloud.aws.region.static}, {@code spring.cloud.aws.credentials.access-key} and
 *       {@code spring.cloud.aws.credentials.secret-key}.
 * </ul>
 *
 * <p>The bean {@code pretenderDatabase} is the database, with its clients, clock and faults.
 *
 * <p>Spring keeps contexts and shares them between test classes, and a context has one database. So that each test begins with the same data, the
 * database is saved when the context has started, and restored before each test method, with its clock and without faults. This also removes what
 * {@code @BeforeAll} methods have written. Test methods with the same context must not run at the same time.
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface AutoConfigurePretender {
    /**
     * Files with the tables that the database starts with.
     *
     * @return as for {@link io.github.pretender.ServerOptions#schema}
     */
    String[] schema() default {};

    /**
     * Files with the items that the database starts with.
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
     * Whether to restore the database before each test method.
     *
     * @return {@code false} for an application that keeps something about the database in memory, such as the iterators of a stream
     */
    boolean restore() default true;
}
