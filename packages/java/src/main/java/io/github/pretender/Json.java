package io.github.pretender;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/**
 * A JSON value: enough JSON for the control API, so that a test project gets no JSON library from here.
 *
 * <p>A value is a {@code Map}, a {@code List}, a {@code String}, a {@code BigDecimal}, a {@code Boolean} or {@code null}.
 */
record Json(Object value) {
    /** Deeper nesting is refused, so that a text cannot overflow the stack. */
    private static final int MAX_DEPTH = 100;

    /** Parses a text, or throws {@code IllegalArgumentException} with the place where it is not JSON. */
    static Json parse(String text) {
        var parser = new Parser(text);
        Object value = parser.value(0);
        if (parser.peek() != Parser.END) {
            throw parser.unexpected();
        }
        return new Json(value);
    }

    /** Writes maps, collections, texts, numbers, booleans and {@code null}. */
    static String write(Object value) {
        if (value instanceof Map<?, ?> members) {
            var text = new StringJoiner(",", "{", "}");
            members.forEach((name, member) -> text.add(quoted(name.toString()) + ":" + write(member)));
            return text.toString();
        }
        if (value instanceof Collection<?> elements) {
            var text = new StringJoiner(",", "[", "]");
            elements.forEach(element -> text.add(write(element)));
            return text.toString();
        }
        if (value == null || value instanceof Number || value instanceof Boolean) {
            return String.valueOf(value);
        }
        return quoted(value.toString());
    }

    private static String quoted(String text) {
        var quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }

    /** Returns a member, whose value is {@code null} if it is absent or if this is not an object. */
    Json get(String name) {
        return new Json(value instanceof Map<?, ?> members ? members.get(name) : null);
    }

    /** Says whether there is a value other than {@code null}. */
    boolean isPresent() {
        return value != null;
    }

    String text() {
        return expect(String.class);
    }

    long integer() {
        return expect(BigDecimal.class).longValueExact();
    }

    double real() {
        return expect(BigDecimal.class).doubleValue();
    }

    boolean bool() {
        return expect(Boolean.class);
    }

    List<Json> list() {
        var list = new ArrayList<Json>();
        List<?> elements = expect(List.class);
        elements.forEach(element -> list.add(new Json(element)));
        return list;
    }

    private <T> T expect(Class<T> type) {
        if (!type.isInstance(value)) {
            throw new PretenderException("the server's answer has `" + write(value) + "` instead of a " + type.getSimpleName());
        }
        return type.cast(value);
    }

    private static final class Parser {
        private static final char END = '\0';

        private final String text;
        private int at;

        Parser(String text) {
            this.text = text;
        }

        Object value(int depth) {
            if (depth > MAX_DEPTH) {
                throw unexpected();
            }
            char first = peek();
            if (first == '{') {
                return object(depth);
            } else if (first == '[') {
                return array(depth);
            } else if (first == '"') {
                return string();
            }
            int start = at;
            while (at < text.length() && (Character.isLetterOrDigit(text.charAt(at)) || "+-.".indexOf(text.charAt(at)) >= 0)) {
                at++;
            }
            String word = text.substring(start, at);
            try {
                return switch (word) {
                    case "true" -> true;
                    case "false" -> false;
                    case "null" -> null;
                    default -> new BigDecimal(word);
                };
            } catch (NumberFormatException notANumber) {
                at = start;
                throw unexpected();
            }
        }

        private Map<String, Object> object(int depth) {
            var members = new LinkedHashMap<String, Object>();
            next('{');
            if (peek() != '}') {
                do {
                    if (peek() != '"') {
                        throw unexpected();
                    }
                    String name = string();
                    next(':');
                    members.put(name, value(depth + 1));
                } while (skip(','));
            }
            next('}');
            return members;
        }

        private List<Object> array(int depth) {
            var elements = new ArrayList<Object>();
            next('[');
            if (peek() != ']') {
                do {
                    elements.add(value(depth + 1));
                } while (skip(','));
            }
            next(']');
            return elements;
        }

        private String string() {
            next('"');
            var read = new StringBuilder();
            while (true) {
                char c = character();
                if (c == '"') {
                    return read.toString();
                }
                read.append(c == '\\' ? escaped() : c);
            }
        }

        private char escaped() {
            char c = character();
            switch (c) {
                case 'b': return '\b';
                case 'f': return '\f';
                case 'n': return '\n';
                case 'r': return '\r';
                case 't': return '\t';
                case '"', '\\', '/': return c;
                case 'u':
                    if (text.length() - at >= 4) {
                        at += 4;
                        return (char) Integer.parseInt(text.substring(at - 4, at), 16);
                    }
                    throw unexpected();
                default: throw unexpected();
            }
        }

        private char character() {
            if (at == text.length()) {
                throw unexpected();
            }
            return text.charAt(at++);
        }

        /** Returns the next character that is not white space, without taking it. */
        char peek() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            return at < text.length() ? text.charAt(at) : END;
        }

        private boolean skip(char wanted) {
            if (peek() != wanted) {
                return false;
            }
            at++;
            return true;
        }

        private void next(char wanted) {
            if (!skip(wanted)) {
                throw unexpected();
            }
        }

        IllegalArgumentException unexpected() {
            return new IllegalArgumentException("not JSON at character " + at + ": " + text);
        }
    }
}
