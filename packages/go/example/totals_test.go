package orders

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/pretender-db/pretender/packages/go/pretendertest"
)

type item = pretendertest.Item

// consume returns a consumer of the orders, which has handled nothing yet.
func consume(t *testing.T, db *pretendertest.DB, store *OrderStore, progress Progress) *OrderTotals {
	t.Helper()
	arn, err := store.StreamARN(ctx)
	must(t, err)
	return NewOrderTotals(store, db.Streams(), arn, progress)
}

func TestTheStreamHasInsertModifyRemoveInOrderWithBothImages(t *testing.T) {
	db, store := begin(t)
	changes := db.Changes("orders")
	must(t, store.Place(ctx, order("1", "ada", 120)))
	must(t, store.Ship(ctx, "1"))
	must(t, store.Delete(ctx, "1"))
	changes.Expect(
		pretendertest.Insert(item{"id": "1", "customer": "ada", "state": "placed"}),
		pretendertest.Modify(item{"id": "1", "state": "shipped"}).From(item{"state": "placed"}),
		pretendertest.Remove(item{"id": "1", "state": "shipped"}),
	)
}

func TestAWriteThatChangesNothingMakesNoRecord(t *testing.T) {
	db, store := begin(t)
	must(t, store.Place(ctx, order("1", "ada", 120)))
	must(t, store.Ship(ctx, "1"))
	changes := db.Changes("orders")
	must(t, store.Ship(ctx, "1"))
	changes.Expect()
}

func TestTheConsumerComputesTotals(t *testing.T) {
	db, store := begin(t)
	totals := consume(t, db, store, Progress{})
	must(t, store.Place(ctx, order("1", "ada", 120)))
	must(t, store.Place(ctx, order("2", "ben", 80)))
	must(t, store.Place(ctx, order("3", "ada", 30)))
	must(t, store.Place(ctx, order("4", "ben", 5)))
	must(t, store.Delete(ctx, "4"))
	must(t, totals.Poll(ctx))
	check(t, "ada", totals.Of("ada"), 150)
	check(t, "ben", totals.Of("ben"), 80)
}

func TestTheConsumerContinuesFromItsCheckpointAfterARestart(t *testing.T) {
	db, store := begin(t)
	totals := consume(t, db, store, Progress{})
	must(t, store.Place(ctx, order("1", "ada", 120)))
	must(t, totals.Poll(ctx))
	saved, err := json.Marshal(totals.Progress())
	must(t, err)
	must(t, store.Place(ctx, order("2", "ada", 30)))

	var progress Progress
	must(t, json.Unmarshal(saved, &progress))
	restarted := consume(t, db, store, progress)
	must(t, restarted.Poll(ctx))
	check(t, "ada", restarted.Of("ada"), 150)
	check(t, "records", restarted.Progress().Records, 2)
}

func TestTheConsumerSurvivesAnExpiredIterator(t *testing.T) {
	db, store := begin(t)
	totals := consume(t, db, store, Progress{})
	must(t, store.Place(ctx, order("1", "ada", 120)))
	must(t, totals.Poll(ctx))
	db.Clock().Advance(16 * time.Minute)
	must(t, store.Place(ctx, order("2", "ada", 30)))
	must(t, totals.Poll(ctx))
	check(t, "ada", totals.Of("ada"), 150)
	check(t, "records", totals.Progress().Records, 2)
}

func TestTheConsumerReadsEachRecordOnceAcrossASplit(t *testing.T) {
	db, store := begin(t)
	totals := consume(t, db, store, Progress{})
	for _, id := range []string{"1", "2", "3", "4"} {
		must(t, store.Place(ctx, order(id, "ada", 10)))
	}
	must(t, totals.Poll(ctx))
	db.Shards("orders").Split()
	for _, id := range []string{"1", "2", "3", "4"} {
		must(t, store.Ship(ctx, id))
	}
	must(t, store.Place(ctx, order("5", "ada", 10)))
	must(t, totals.Poll(ctx))
	check(t, "ada", totals.Of("ada"), 50)
	check(t, "records", totals.Progress().Records, 9)
}

func TestTheConsumerRecoversFromTrimmedRecords(t *testing.T) {
	db, store := begin(t)
	totals := consume(t, db, store, Progress{})
	must(t, store.Place(ctx, order("1", "ada", 120)))
	must(t, totals.Poll(ctx))
	must(t, store.Place(ctx, order("2", "ada", 30)))
	must(t, store.Delete(ctx, "1"))
	db.Clock().Advance(25 * time.Hour)
	must(t, store.Place(ctx, order("3", "ben", 80)))
	must(t, totals.Poll(ctx))
	check(t, "ada", totals.Of("ada"), 30)
	check(t, "ben", totals.Of("ben"), 80)
	must(t, store.Delete(ctx, "2"))
	// The shard is closed after some hours, and later dropped with its last records.
	db.Clock().Advance(5 * time.Hour)
	db.Clock().Advance(48 * time.Hour)
	must(t, totals.Poll(ctx))
	check(t, "ada", totals.Of("ada"), 0)
	check(t, "ben", totals.Of("ben"), 80)
}

func TestAThrottledGetRecordsDoesNotLoseRecords(t *testing.T) {
	db, store := begin(t)
	totals := consume(t, db, store, Progress{})
	must(t, store.Place(ctx, order("1", "ada", 120)))
	must(t, totals.Poll(ctx))
	must(t, store.Place(ctx, order("2", "ada", 30)))
	// The client tries three times, so the first poll fails.
	db.Faults().Add(pretendertest.Fault{Kind: pretendertest.Throttling, Operations: []string{"GetRecords"}, Times: 3})
	var refusal smithy.APIError
	if err := totals.Poll(ctx); !errors.As(err, &refusal) || refusal.ErrorCode() != "ThrottlingException" {
		t.Fatalf("%v", err)
	}
	must(t, totals.Poll(ctx))
	check(t, "ada", totals.Of("ada"), 150)
	check(t, "records", totals.Progress().Records, 2)
}

func TestAnExpiredOrderIsRemovedByTTLAndTheRecordNamesTheService(t *testing.T) {
	db, store := begin(t)
	expiring := order("1", "ada", 120)
	expiring.Expires = db.Clock().Now().Add(time.Hour).Unix()
	must(t, store.Place(ctx, expiring))
	changes := db.Changes("orders")
	totals := consume(t, db, store, Progress{})
	db.Clock().Advance(2 * time.Hour)
	_, err := store.Get(ctx, "1")
	check(t, "error", err, ErrNoOrder)
	// `ByTTL` compares the userIdentity: dynamodb.amazonaws.com.
	changes.Expect(pretendertest.Remove(item{"id": "1"}).ByTTL())
	must(t, totals.Poll(ctx))
	check(t, "ada", totals.Of("ada"), 0)
}
