package io.github.pretender.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/**
 * Sets the system properties with which code that makes its own clients, as {@code DynamoDbClient.create()} does, uses the database of the test.
 *
 * <p>Properties belong to the whole Java process, so JUnit does not run tests with this annotation at the same time as each other, or as other
 * tests that lock {@link Resources#SYSTEM_PROPERTIES}. Tests without it run meanwhile: they must not make clients of their own.
 *
 * <p>The properties are set before the test instance is created (from JUnit 5.12 on; else before the {@code @BeforeEach} methods), and restored
 * after the test. With a database for the class, they are also set for {@code @BeforeAll} and {@code @AfterAll} methods.
 */
@Documented
@Inherited
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ResourceLock(Resources.SYSTEM_PROPERTIES)
@ExtendWith(PretenderExtension.class)
public @interface PretenderProperties {}
