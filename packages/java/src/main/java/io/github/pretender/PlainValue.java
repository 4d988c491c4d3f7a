package io.github.pretender;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Converts attribute values to plain ones that can be compared: numbers of equal value are equal, bytes are compared by content. */
final class PlainValue {
    /** Stands for {@code null}, which many collections do not take. */
    private static final Object NULL = new Object() {
        @Override
        public String toString() {
            return "null";
        }
    };

    private PlainValue() {}

    /** Converts an item; its attributes are sorted by name, since the SDK's order is accidental. */
    static Map<String, Object> ofItem(Map<String, AttributeValue> item) {
        var plain = new TreeMap<String, Object>();
        item.forEach((name, value) -> plain.put(name, of(value)));
        return plain;
    }

    /** Converts a value of an expected change, or refuses it with {@code IllegalArgumentException}. */
    static Object of(Object value) {
        if (value == null) {
            return NULL;
        } else if (value instanceof AttributeValue attribute) {
            return ofAttribute(attribute);
        } else if (value instanceof String || value instanceof Boolean) {
            return value;
        } else if (value instanceof Number) {
            return number(value.toString());
        } else if (value instanceof byte[] bytes) {
            return ByteBuffer.wrap(bytes.clone());
        } else if (value instanceof SdkBytes bytes) {
            return ByteBuffer.wrap(bytes.asByteArray());
        } else if (value instanceof Set<?> elements) {
            return set(elements);
        } else if (value instanceof Collection<?> elements) {
            return elements.stream().map(PlainValue::of).toList();
        } else if (value instanceof Map<?, ?> members) {
            var plain = new LinkedHashMap<String, Object>();
            members.forEach((name, member) -> plain.put((String) name, of(member)));
            return plain;
        }
        throw new IllegalArgumentException("not a plain value of an attribute: " + value.getClass().getName());
    }

    private static Object ofAttribute(AttributeValue value) {
        return switch (value.type()) {
            case S -> value.s();
            case N -> number(value.n());
            case B -> of(value.b());
            case BOOL -> value.bool();
            case NUL -> NULL;
            case SS -> set(value.ss());
            case NS -> value.ns().stream().map(PlainValue::number).collect(Collectors.toCollection(LinkedHashSet::new));
            case BS -> set(value.bs());
            case L -> value.l().stream().map(PlainValue::ofAttribute).toList();
            case M -> ofItem(value.m());
            case UNKNOWN_TO_SDK_VERSION -> throw new IllegalArgumentException("an attribute of an unknown type: " + value);
        };
    }

    private static Set<Object> set(Collection<?> elements) {
        return elements.stream().map(PlainValue::of).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private static BigDecimal number(String text) {
        return new BigDecimal(text).stripTrailingZeros();
    }

    /** Shows a plain value: texts in quotes, numbers without an exponent, bytes in base64. */
    static String shown(Object value) {
        if (value instanceof String text) {
            return '"' + text + '"';
        } else if (value instanceof BigDecimal number) {
            return number.toPlainString();
        } else if (value instanceof ByteBuffer bytes) {
            return "bytes " + Base64.getEncoder().encodeToString(bytes.array());
        } else if (value instanceof List<?> elements) {
            return elements.stream().map(PlainValue::shown).collect(Collectors.joining(", ", "[", "]"));
        } else if (value instanceof Set<?> elements) {
            return elements.stream().map(PlainValue::shown).collect(Collectors.joining(", ", "set(", ")"));
        } else if (value instanceof Map<?, ?> members) {
            return members.entrySet().stream()
                    .map(member -> member.getKey() + "=" + shown(member.getValue()))
                    .collect(Collectors.joining(", ", "{", "}"));
        }
        return value.toString();
    }
}
