package io.github.pretender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    @ParameterizedTest
    @ValueSource(strings = {"{}", "[]", "{\"a\":[1,-2.5,1E+3,true,false,null,\"\"],\"b\":{\"c\":{}}}", "\"a\\\"b\\\\c\"", "0"})
    void readsWhatItWrites(String text) {
        assertEquals(text, Json.write(Json.parse(text).value()));
    }

    @Test
    void readsEscapesAndWhiteSpace() {
        var json = Json.parse(" { \"a\" : [ \"\\u00fc\\n\\t\\/\" , 12 ] }\n");
        assertEquals("ü\n\t/", json.get("a").list().get(0).text());
        assertEquals(12, json.get("a").list().get(1).integer());
        assertFalse(json.get("b").isPresent());
        assertFalse(json.get("a").get("c").isPresent());
    }

    @Test
    void writesControlCharactersAsEscapes() {
        assertEquals("{\"a\":\"\\u0001\\u000aé\"}", Json.write(Map.of("a", "\u0001\né")));
        assertEquals("[1,true,null]", Json.write(java.util.Arrays.asList(1, true, null)));
        assertEquals("[\"x\"]", Json.write(List.of("x")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "\"a", "tru", "1 2", "\"\\x\"", "\"\\u12\"", "-", "[1 2]"})
    void refusesWhatIsNotJson(String text) {
        var error = assertThrows(IllegalArgumentException.class, () -> Json.parse(text));
        assertTrue(error.getMessage().startsWith("not JSON at character "), error.getMessage());
    }

    @Test
    void refusesDeepNesting() {
        assertThrows(IllegalArgumentException.class, () -> Json.parse("[".repeat(100_000)));
    }

    @Test
    void namesAValueOfTheWrongType() {
        var error = assertThrows(PretenderException.class, () -> Json.parse("{\"a\":1}").get("a").text());
        assertEquals("the server's answer has `1` instead of a String", error.getMessage());
    }
}
