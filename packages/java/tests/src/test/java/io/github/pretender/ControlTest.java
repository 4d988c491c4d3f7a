package io.github.pretender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pretender.junit.Pretender;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;

@Pretender
class ControlTest {
    private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");

    private final PretenderDatabase database;

    ControlTest(PretenderDatabase database) {
        this.database = database;
    }

    @BeforeEach
    void create() {
        Tables.create(database, "letters");
    }

    @Test
    void theClockCanBeMoved() {
        var clock = database.clock();
        assertFalse(clock.state().held());
        assertEquals(1, clock.state().speed());
        assertTrue(Duration.between(clock.now(), Instant.now()).abs().toMinutes() < 1);

        assertTrue(clock.hold().held());
        assertEquals(NOON, clock.set(NOON).time());
        assertEquals(NOON.plusMillis(90_001), clock.advance(Duration.ofMillis(90_001)).time());
        assertEquals(NOON.plusMillis(90_001), clock.now());
        assertEquals(0, clock.state().speed());
        assertEquals(2.5, clock.run(2.5).speed());
        assertEquals(1, clock.run().speed());
    }

    @Test
    void movingTheClockDoesTheWorkThatIsDue() {
        database.clock().set(NOON);
        Tables.put(database, "letters", "a");
        var done = database.clock().advance(Duration.ofHours(25)).done();
        assertEquals(1, done.trimmedRecords());
        assertEquals(0, done.expiredItems());
    }

    @Test
    void aClockCannotRunBackwards() {
        var error = assertThrows(ControlException.class, () -> database.clock().run(-1));
        assertEquals(400, error.status());
        assertThrows(ControlException.class, () -> database.clock().advance(Duration.ofSeconds(-1)));
    }

    @Test
    void faultsAreInjectedAndCounted() {
        var faults = database.faults();
        var fault = faults.add(FaultKind.THROUGHPUT_EXCEEDED, choose -> choose.operation("PutItem").table("letters").times(1).skip(1));
        assertEquals(List.of("PutItem"), fault.operations());
        assertEquals(Optional.of("letters"), fault.table());
        assertEquals(OptionalLong.of(1), fault.times());

        Tables.put(database, "letters", "a");
        Tables.put(database, "letters", "b");
        var after = faults.list().get(0);
        assertEquals(fault.id(), after.id());
        assertEquals(FaultKind.THROUGHPUT_EXCEEDED, after.kind());
        assertEquals(1, after.injected());
        assertTrue(after.over());
        var injection = faults.injections().get(0);
        assertEquals("PutItem", injection.operation());
        assertEquals(List.of("letters"), injection.tables());
        assertEquals(fault.id(), injection.faultId());
        assertTrue(injection.requestId().isPresent());
    }

    @Test
    void everyKindOfFaultIsKnownToTheServer() {
        for (FaultKind kind : FaultKind.values()) {
            var added = database.faults().add(kind, fault -> {
                if (kind == FaultKind.LATENCY) {
                    fault.delay(Duration.ofMillis(1), Duration.ofMillis(2));
                }
                if (kind == FaultKind.UNPROCESSED) {
                    fault.items(1);
                }
                fault.probability(0.5).seed(7);
            });
            assertEquals(kind, added.kind());
        }
        assertEquals(FaultKind.values().length, database.faults().clear());
        assertEquals(List.of(), database.faults().list());
    }

    @Test
    void faultsCanBeRemoved() {
        var fault = database.faults().add(FaultKind.INTERNAL_ERROR);
        database.faults().remove(fault);
        Tables.put(database, "letters", "a");
        var error = assertThrows(ControlException.class, () -> database.faults().remove(fault));
        assertEquals(404, error.status());
        assertEquals("there is no fault " + fault.id(), error.getMessage());
    }

    @Test
    void latencyDelaysACall() {
        database.faults().add(FaultKind.LATENCY, fault -> fault.delay(Duration.ofMillis(300)).operation("ListTables"));
        long start = System.nanoTime();
        database.client().listTables();
        assertTrue(System.nanoTime() - start >= 300_000_000);
    }

    @Test
    void aFaultThatCannotHappenIsRefused() {
        var error = assertThrows(
                ControlException.class, () -> database.faults().add(FaultKind.EXPIRED_ITERATOR, fault -> fault.operation("PutItem")));
        assertEquals(400, error.status());
        assertTrue(error.getMessage().contains("GetRecords"), error.getMessage());
    }

    @Test
    void snapshotsAreSavedAndRestored() {
        var snapshots = database.snapshots();
        database.clock().hold();
        database.clock().set(NOON);
        Tables.put(database, "letters", "a");
        var saved = snapshots.save("one");
        assertEquals("one", saved.name());
        assertEquals(Optional.of(NOON), saved.taken());
        assertEquals(1, saved.tables());
        assertEquals(1, saved.items());
        assertTrue(saved.sizeBytes() > 0);

        Tables.put(database, "letters", "b");
        database.clock().advance(Duration.ofMinutes(1));
        snapshots.restore("one");
        assertEquals(1, count());
        assertEquals(NOON.plusSeconds(60), database.clock().now());
        snapshots.restoreWithClock("one");
        assertEquals(NOON, database.clock().now());

        assertEquals(List.of("one"), snapshots.list().stream().map(Snapshots.Snapshot::name).toList());
        snapshots.delete("one");
        assertEquals(List.of(), snapshots.list());
        assertEquals(404, assertThrows(ControlException.class, () -> snapshots.restore("one")).status());
    }

    @Test
    void shardsCanBeRotatedAndSplit() {
        var shards = database.shards();
        var first = shards.list("letters").get(0);
        assertTrue(first.open());
        assertEquals(Optional.empty(), first.parentShardId());
        assertEquals(Optional.empty(), first.closed());
        Tables.put(database, "letters", "a");

        assertEquals(2, shards.split("letters").size());
        var all = shards.list(first.streamArn());
        assertEquals(3, all.size());
        assertFalse(all.get(0).open());
        assertTrue(all.get(0).closed().isPresent() && all.get(0).endingSequenceNumber().isPresent());
        assertEquals(Optional.of(first.shardId()), all.get(1).parentShardId());
        assertNotEquals(all.get(1).hashFrom(), all.get(2).hashFrom());

        assertEquals(1, shards.rotate("letters", all.get(1).shardId()).size());
        assertEquals(2, shards.split("letters", all.get(2).shardId()).size());
        assertEquals(3, shards.rotate("letters").size());
        var error = assertThrows(ControlException.class, () -> shards.split("letters", first.shardId()));
        assertEquals(400, error.status());
        assertEquals(404, assertThrows(ControlException.class, () -> shards.list("numbers")).status());
    }

    @Test
    void recordsCanBeTrimmed() {
        for (String id : List.of("a", "b", "c")) {
            Tables.put(database, "letters", id);
        }
        var records = records();
        assertEquals(3, records.size());
        assertEquals(1, database.trimBefore("letters", records.get(1)).records());
        assertEquals(records.subList(1, 3), records());
        assertEquals(2, database.trim("letters").records());
        assertEquals(List.of(), records());
    }

    @Test
    void tablesAndDatabasesCanBeReset() {
        Tables.create(database, "numbers");
        Tables.put(database, "letters", "a");
        database.reset("letters");
        assertEquals(0, count());
        assertEquals(404, assertThrows(ControlException.class, () -> database.reset("words")).status());
        database.reset();
        assertEquals(List.of(), database.client().listTables().tableNames());
        assertThrows(ResourceNotFoundException.class, this::count);
    }

    @Test
    void aDatabaseHasItsOwnClockFaultsAndSnapshots() {
        try (var other = database.server().database()) {
            other.clock().set(NOON);
            other.faults().add(FaultKind.INTERNAL_ERROR);
            other.snapshots().save("one");
            assertEquals(1, other.faults().list().size());
        }
        assertTrue(Duration.between(database.clock().now(), Instant.now()).abs().toMinutes() < 1);
        assertEquals(List.of(), database.faults().list());
        assertEquals(List.of(), database.snapshots().list());
        assertEquals(List.of("letters"), database.client().listTables().tableNames());
    }

    private int count() {
        return database.client().scan(scan -> scan.tableName("letters")).count();
    }

    private List<String> records() {
        return new StreamReader(database, "letters").poll().stream().map(read -> read.record().dynamodb().sequenceNumber()).toList();
    }
}
