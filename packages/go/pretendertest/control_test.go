package pretendertest

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestClock(t *testing.T) {
	t.Parallel()
	clock := New(t).Clock()
	clock.Hold()
	held := clock.Now()
	if off := time.Since(held); off < 0 || off > time.Minute {
		t.Errorf("the clock began %v ago", off)
	}
	clock.Advance(90 * time.Minute)
	if now := clock.Now(); !now.Equal(held.Add(90 * time.Minute)) {
		t.Errorf("advanced from %v to %v", held, now)
	}
	moment := time.Date(2030, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	clock.Set(moment)
	if now := clock.Now(); !now.Equal(moment) {
		t.Errorf("set to %v, is %v", moment, now)
	}
	clock.Run(100_000)
	for !clock.Now().After(moment.Add(time.Hour)) {
		time.Sleep(time.Millisecond)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	db := New(t)
	createOrders(t, db)
	given := Fault{
		Kind: Latency, Operations: []string{"reads"}, Table: "orders", Probability: 0.5, Times: 3, Skip: 1, Seed: 7,
		Delay: 1500 * time.Microsecond, MaxDelay: 2 * time.Second,
	}
	slow := db.Faults().Add(given)
	if slow.ID == 0 || slow.Kind != Latency || slow.Probability != 0.5 || slow.Times != 3 || slow.Skip != 1 || slow.Seed != 7 ||
		slow.Delay != time.Millisecond || slow.MaxDelay != 2*time.Second {
		t.Errorf("%+v", slow)
	}
	// A fault that was added can be given again.
	again := db.Faults().Add(slow)
	db.Faults().Remove(again.ID)

	throttled := db.Faults().Add(Fault{Kind: Throttling, Operations: []string{"PutItem"}, Times: 1})
	client := db.DynamoDB(func(options *dynamodb.Options) { options.RetryMaxAttempts = 1 })
	var failure *types.ThrottlingException
	if _, err := client.PutItem(ctx, putInput("1", 1)); !errors.As(err, &failure) {
		t.Errorf("%v", err)
	}
	put(t, db, "1", 1)
	list := db.Faults().List()
	if len(list) != 2 || list[1].ID != throttled.ID || list[1].Injected != 1 || !list[1].Over {
		t.Errorf("%+v", list)
	}
	log := db.Faults().Log()
	if len(log) != 1 || log[0].Operation != "PutItem" || log[0].Tables[0] != "orders" || log[0].RequestID == "" {
		t.Errorf("%+v", log)
	}
	db.Faults().Clear()
	if list := db.Faults().List(); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

func TestSnapshots(t *testing.T) {
	t.Parallel()
	db := New(t)
	createOrders(t, db)
	put(t, db, "1", 1)
	db.Clock().Hold()
	saved := db.Clock().Now()
	if snapshot := db.Snapshots().Save("one"); snapshot.Name != "one" || snapshot.Tables != 1 || snapshot.Items != 1 || snapshot.SizeBytes == 0 {
		t.Errorf("%+v", snapshot)
	}
	put(t, db, "2", 2)
	db.Clock().Advance(time.Hour)
	db.Snapshots().Restore("one")
	if count(t, db) != 1 || !db.Clock().Now().Equal(saved.Add(time.Hour)) {
		t.Errorf("%d items at %v", count(t, db), db.Clock().Now())
	}
	db.Snapshots().RestoreWithClock("one")
	if !db.Clock().Now().Equal(saved) {
		t.Errorf("the clock is at %v, not %v", db.Clock().Now(), saved)
	}
	db.Snapshots().Delete("one")
	if left := db.Snapshots().List(); len(left) != 0 {
		t.Errorf("%+v", left)
	}
}

func TestShards(t *testing.T) {
	t.Parallel()
	db := New(t)
	createOrders(t, db)
	shards := db.Shards("orders")
	first := shards.List()[0]
	children := shards.Split()
	if len(children) != 2 || children[0].ParentID != first.ID || !children[0].Open {
		t.Fatalf("%+v", children)
	}
	rotated := shards.Rotate(children[0].ID)
	if len(rotated) != 1 || rotated[0].ParentID != children[0].ID {
		t.Errorf("%+v", rotated)
	}
	list := shards.List()
	if len(list) != 4 || list[0].Open || list[0].EndingSequenceNumber == "" {
		t.Errorf("%+v", list)
	}
}

func TestTrimAndReset(t *testing.T) {
	t.Parallel()
	db := New(t)
	createOrders(t, db)
	changes := db.Changes("orders")
	for id := range 3 {
		put(t, db, string(rune('a'+id)), id)
	}
	records := changes.Records()
	if trimmed := db.TrimBefore("orders", *records[1].Dynamodb.SequenceNumber); trimmed != 1 {
		t.Errorf("trimmed %d", trimmed)
	}
	if trimmed := db.Trim("orders"); trimmed != 2 {
		t.Errorf("trimmed %d", trimmed)
	}
	db.ResetTable("orders")
	if found := count(t, db); found != 0 {
		t.Errorf("%d items", found)
	}
	db.Reset()
	if tables, err := db.DynamoDB().ListTables(ctx, &dynamodb.ListTablesInput{}); err != nil || len(tables.TableNames) != 0 {
		t.Errorf("%v %v", tables, err)
	}
}

func TestTimeToLive(t *testing.T) {
	t.Parallel()
	db := New(t)
	createOrders(t, db)
	_, err := db.DynamoDB().UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               aws.String("orders"),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("total"), Enabled: aws.Bool(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, db, "1", int(db.Clock().Now().Add(time.Hour).Unix()))
	changes := db.Changes("orders")
	changes.Expect()
	db.Clock().Advance(2 * time.Hour)
	changes.Expect(Remove(Item{"id": "1"}).ByTTL())
}
