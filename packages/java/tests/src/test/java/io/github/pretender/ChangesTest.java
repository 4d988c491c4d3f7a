package io.github.pretender;

import static io.github.pretender.Change.insert;
import static io.github.pretender.Change.modify;
import static io.github.pretender.Change.remove;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pretender.junit.Pretender;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

@Pretender
class ChangesTest {
    private final PretenderDatabase database;

    ChangesTest(PretenderDatabase database) {
        this.database = database;
    }

    @BeforeEach
    void create() {
        Tables.create(database, "letters");
    }

    @Test
    void changesAreComparedInOrderFromTheirStart() {
        put("before", 1);
        var changes = database.changes("letters");
        changes.expect();
        put("a", 1);
        put("a", 2);
        delete("a");
        var records = changes.expect(insert("id", "a").with("n", 1), modify("n", 2), remove("id", "a").with("n", 2.0));
        assertEquals(List.of("INSERT", "MODIFY", "REMOVE"), records.stream().map(record -> record.eventNameAsString()).toList());
        put("b", 3);
        changes.expect(insert("id", "b"));
    }

    @Test
    void changesOfAllShardsAreRead() {
        put("before", 1);
        var changes = database.changes("letters");
        put("a", 1);
        database.shards().split("letters");
        for (int i = 2; i <= 9; i++) {
            put("a", i);
            put("b" + i, i);
        }
        assertEquals(2, database.shards().list("letters").stream().filter(Shards.Shard::open).count());
        database.shards().rotate("letters");
        put("a", 10);
        var expected = new java.util.ArrayList<Change>();
        expected.add(insert("id", "a"));
        for (int i = 2; i <= 9; i++) {
            expected.add(modify("id", "a").with("n", i));
            expected.add(insert("id", "b" + i));
        }
        expected.add(modify("id", "a").with("n", 10));
        changes.expect(expected.toArray(Change[]::new));
    }

    @Test
    void changesOfAnItemKeepTheirOrderAcrossShards() {
        var changes = database.changes("letters").within(Duration.ZERO);
        put("a", 1);
        database.shards().split("letters");
        put("a", 2);
        assertThrows(AssertionError.class, () -> changes.expect(modify("id", "a").with("n", 2), insert("id", "a")));
        changes.expect(insert("id", "a"), modify("id", "a").with("n", 2));
    }

    @Test
    void lateChangesAreAwaited() {
        var changes = database.changes("letters");
        CompletableFuture.runAsync(() -> put("a", 1), CompletableFuture.delayedExecutor(300, TimeUnit.MILLISECONDS));
        changes.within(Duration.ofSeconds(30)).expect(insert("id", "a"));
    }

    @Test
    void theDifferenceIsShown() {
        var changes = database.changes("letters").within(Duration.ofMillis(50));
        put("a", 1);
        put("a", 2);
        delete("a");
        assertDifference(
                changes,
                """
                the changes of `letters` are not as expected:
                  1. as expected:  INSERT {id="a", n=1}
                  2. expected:     MODIFY {n=3}
                     but came:     MODIFY {id="a", n=2} from {id="a", n=1}
                  3. not expected: REMOVE {id="a", n=2}""",
                insert("id", "a"),
                modify("n", 3));
        // A failed comparison takes nothing away.
        assertDifference(
                changes,
                """
                the changes of `letters` are not as expected:
                  1. as expected:  INSERT {id="a", n=1}
                  2. as expected:  MODIFY {id="a", n=2} from {id="a", n=1}
                  3. as expected:  REMOVE {id="a", n=2}
                  4. did not come: INSERT {id="b", list=["x", 1.5, null, true]}""",
                insert("id", "a"),
                modify("n", 2),
                remove("id", "a"),
                insert("id", "b").with("list", Arrays.asList("x", 1.50, null, true)));
    }

    @Test
    void aWrongChangeFailsWithoutWaiting() {
        var changes = database.changes("letters").within(Duration.ofMinutes(5));
        put("a", 1);
        assertTimeoutPreemptively(
                Duration.ofSeconds(60), () -> assertThrows(AssertionError.class, () -> changes.expect(insert("id", "b"), modify("id", "b"))));
    }

    @Test
    void faultsWaitForTheCodeUnderTest() {
        var changes = database.changes("letters");
        put("a", 1);
        for (var kind : List.of(FaultKind.EMPTY_PAGE, FaultKind.EXPIRED_ITERATOR, FaultKind.TRIMMED_DATA)) {
            database.faults().add(kind, fault -> fault.operation("GetRecords").times(1));
            assertThrows(AssertionError.class, changes::expect, kind.toString());
        }
        changes.expect(insert("id", "a"));
        assertEquals(List.of(), database.faults().injections());
        assertEquals(3, database.faults().list().size());
    }

    @Test
    void shardsThatASnapshotOpensAgainAreRead() {
        put("before", 1);
        database.snapshots().save("open");
        var changes = database.changes("letters");
        database.shards().split("letters");
        changes.expect();
        database.snapshots().restore("open");
        put("a", 1);
        assertThrows(AssertionError.class, changes::expect);
        changes.expect(insert("id", "a"));
    }

    @Test
    void trimmedChangesAreReported() {
        put("before", 1);
        var changes = database.changes("letters");
        database.trim("letters");
        changes.expect();
        put("a", 1);
        database.trim("letters");
        var error = assertThrows(PretenderException.class, changes::expect);
        assertTrue(error.getMessage().startsWith("changes of the table `letters` were trimmed"), error.getMessage());

        var later = database.changes("letters");
        database.shards().rotate("letters");
        put("b", 1);
        database.trim("letters");
        assertThrows(PretenderException.class, later::expect);
    }

    @Test
    void theNextStreamOfTheTableIsRead() {
        var changes = database.changes("letters");
        put("a", 1);
        database.client().updateTable(table -> table.tableName("letters").streamSpecification(stream -> stream.streamEnabled(false)));
        database.client().updateTable(table -> table.tableName("letters")
                .streamSpecification(stream -> stream.streamEnabled(true).streamViewType("NEW_AND_OLD_IMAGES")));
        put("a", 2);
        database.client().deleteTable(table -> table.tableName("letters"));
        Tables.create(database, "letters");
        put("a", 3);
        var inAnotherOrder = List.of(modify("id", "a").with("n", 2), insert("id", "a").with("n", 1), insert("id", "a").with("n", 3));
        assertThrows(AssertionError.class, () -> changes.expect(inAnotherOrder.toArray(Change[]::new)));
        changes.expect(insert("id", "a").with("n", 1), modify("id", "a").with("n", 2), insert("id", "a").with("n", 3));
    }

    @Test
    void theFirstRecordThatMatchesNeedNotBeTheRightOne() {
        var changes = database.changes("letters").within(Duration.ZERO);
        database.shards().split("letters");
        for (int i = 0; i < 8; i++) {
            put("id" + i, 1);
        }
        var opened = changes.expect(java.util.Collections.nCopies(8, insert("n", 1)).toArray(Change[]::new));
        // One key in each shard: the records of the first shard are read first.
        String first = opened.get(0).dynamodb().keys().get("id").s();
        String last = opened.get(7).dynamodb().keys().get("id").s();
        for (int i = 2; i <= 21; i++) {
            put(first, i);
            put(last, i);
        }
        var expected = new java.util.ArrayList<Change>();
        for (int i = 2; i <= 21; i++) {
            // Any record of this number can come first, but only one of the two is followed by the other.
            expected.add(modify("n", i));
            expected.add(modify("id", first).with("n", i));
        }
        changes.expect(expected.toArray(Change[]::new));

        for (int i = 22; i <= 61; i++) {
            put(first, 0);
            put(first, 1);
            put(last, 0);
            put(last, 1);
        }
        var equal = new java.util.ArrayList<Change>(java.util.Collections.nCopies(159, modify("n", 1).from("n", 0)));
        assertTimeoutPreemptively(
                Duration.ofSeconds(60), () -> assertThrows(AssertionError.class, () -> changes.expect(equal.toArray(Change[]::new))));
    }

    @Test
    void theItemBeforeAndTheServiceAreCompared() {
        database.client().updateTimeToLive(table -> table.tableName("letters").timeToLiveSpecification(ttl -> ttl.enabled(true).attributeName("n")));
        var changes = database.changes("letters").within(Duration.ZERO);
        put("a", 1);
        put("a", 2);
        delete("a");
        assertThrows(
                AssertionError.class, () -> changes.expect(insert("id", "a"), modify("n", 2).from("n", 2), remove("id", "a")));
        assertDifference(
                changes,
                """
                the changes of `letters` are not as expected:
                  1. as expected:  INSERT {id="a", n=1}
                  2. as expected:  MODIFY {id="a", n=2} from {id="a", n=1}
                  3. expected:     REMOVE {id="a"} by time to live
                     but came:     REMOVE {id="a", n=2}""",
                insert("id", "a"),
                modify("n", 2).from("n", 1),
                remove("id", "a").byTimeToLive());
        changes.expect(insert("id", "a"), modify("n", 2).from("n", 1), remove("id", "a"));

        put("b", (int) database.clock().now().plus(Duration.ofMinutes(1)).getEpochSecond());
        database.clock().advance(Duration.ofHours(1));
        changes.expect(insert("id", "b"), remove("id", "b").byTimeToLive());
    }

    @Test
    void everyTypeOfAttributeIsCompared() {
        var item = new HashMap<String, AttributeValue>();
        item.put("id", AttributeValue.fromS("a"));
        item.put("bool", AttributeValue.fromBool(true));
        item.put("null", AttributeValue.fromNul(true));
        item.put("bytes", AttributeValue.fromB(SdkBytes.fromUtf8String("xyz")));
        item.put("list", AttributeValue.fromL(List.of(AttributeValue.fromN("1.50"), AttributeValue.fromS("x"))));
        item.put("map", AttributeValue.fromM(Map.of("deep", AttributeValue.fromN("-7"))));
        item.put("texts", AttributeValue.fromSs(List.of("x", "y")));
        item.put("numbers", AttributeValue.fromNs(List.of("1", "2")));
        item.put("blobs", AttributeValue.fromBs(List.of(SdkBytes.fromUtf8String("xyz"))));
        var changes = database.changes("letters").within(Duration.ZERO);
        database.client().putItem(put -> put.tableName("letters").item(item));

        var wrong = Map.<String, Object>of(
                "bool", false, "null", "", "bytes", "xy".getBytes(), "list", List.of("x", 1.5), "map", Map.of("deep", "-7"), "texts", Set.of("x"),
                "numbers", Set.of("1", "2"), "blobs", Set.of("xyz"), "missing", 1, "id", 1);
        wrong.forEach((name, value) -> assertThrows(AssertionError.class, () -> changes.expect(insert(name, value)), name));
        changes.expect(insert("id", "a")
                .with("bool", true)
                .with("null", null)
                .with("bytes", "xyz".getBytes())
                .with("list", List.of(1.5, "x"))
                .with("map", Map.of("deep", -7L))
                .with("texts", Set.of("y", "x"))
                .with("numbers", Set.of(2, 1))
                .with("blobs", Set.of("xyz".getBytes())));
    }

    @Test
    void recordsAreReadAfterTheClockHasMoved() {
        put("before", 1);
        var changes = database.changes("letters");
        database.clock().advance(Duration.ofHours(25));
        put("a", 1);
        changes.expect(insert("id", "a"));
    }

    @Test
    void aTableWithoutAStreamIsRefused() {
        database.client().updateTable(table -> table.tableName("letters").streamSpecification(stream -> stream.streamEnabled(false)));
        database.client().deleteTable(table -> table.tableName("letters"));
        database.client().createTable(table -> table.tableName("letters")
                .billingMode("PAY_PER_REQUEST")
                .keySchema(key -> key.attributeName("id").keyType("HASH"))
                .attributeDefinitions(attribute -> attribute.attributeName("id").attributeType("S")));
        var error = assertThrows(IllegalArgumentException.class, () -> database.changes("letters"));
        assertEquals("the table `letters` has no stream", error.getMessage());
    }

    @Test
    void otherValuesAreRefused() {
        var error = assertThrows(IllegalArgumentException.class, () -> insert("id", new Object()));
        assertTrue(error.getMessage().contains("java.lang.Object"), error.getMessage());
    }

    private static void assertDifference(Changes changes, String text, Change... expected) {
        assertEquals(text, assertThrows(AssertionError.class, () -> changes.expect(expected)).getMessage());
    }

    private void put(String id, int n) {
        database.client().putItem(put -> put.tableName("letters")
                .item(Map.of("id", AttributeValue.fromS(id), "n", AttributeValue.fromN(Integer.toString(n)))));
    }

    private void delete(String id) {
        database.client().deleteItem(delete -> delete.tableName("letters").key(Tables.item("id", id)));
    }
}
