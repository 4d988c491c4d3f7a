package pretendertest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

func TestChangesAreExpectedInOrder(t *testing.T) {
	t.Parallel()
	db := New(t)
	createOrders(t, db)
	put(t, db, "before", 0)
	changes := db.Changes("orders")
	changes.Expect()
	put(t, db, "1", 42)
	put(t, db, "1", 43)
	put(t, db, "1", 43) // changes nothing, and makes no record
	changes.Expect(Insert(Item{"id": "1", "total": 42}), Modify(Item{"total": 43.0}).From(Item{"total": int8(42)}))
	remove(t, db, "1")
	changes.Expect(Remove(Item{"id": "1", "total": 43}))
}

func TestChangesContinueAcrossSplitsAndPauses(t *testing.T) {
	t.Parallel()
	db := New(t)
	createOrders(t, db)
	changes := db.Changes("orders")
	put(t, db, "1", 1)
	db.Shards("orders").Split()
	put(t, db, "2", 1)
	put(t, db, "1", 2)
	db.Shards("orders").Split()
	put(t, db, "2", 2)
	changes.Expect(Insert(Item{"id": "1"}), Insert(Item{"id": "2"}), Modify(Item{"id": "1"}), Modify(Item{"id": "2"}))
	db.Clock().Advance(16 * time.Minute)
	put(t, db, "1", 3)
	changes.Expect(Modify(Item{"id": "1", "total": 3}))
	put(t, db, "1", 4)
	db.Trim("orders")
	put(t, db, "1", 5)
	changes.Expect(Modify(Item{"total": 5}))
}

func TestChangesMeetNoFaults(t *testing.T) {
	t.Parallel()
	db := New(t)
	createOrders(t, db)
	db.Faults().Add(Fault{Kind: EmptyPage, Times: 1})
	db.Faults().Add(Fault{Kind: Throttling, Operations: []string{"GetRecords"}, Times: 1})
	changes := db.Changes("orders")
	put(t, db, "1", 1)
	changes.Expect(Insert(Item{"id": "1"}))
	changes.Expect()
	for _, fault := range db.Faults().List() {
		if fault.Matched != 0 || fault.Injected != 0 {
			t.Errorf("a fault was used up: %+v", fault)
		}
	}
}

func TestChangesFollowARestoredSnapshot(t *testing.T) {
	t.Parallel()
	db := New(t)
	createOrders(t, db)
	put(t, db, "before", 1)
	db.Snapshots().Save("saved")
	changes := db.Changes("orders")
	put(t, db, "1", 1)
	changes.Expect(Insert(Item{"id": "1"}))
	db.Shards("orders").Split()
	changes.Expect()
	db.Snapshots().Restore("saved")
	changes.Expect()
	// The shard that was read to its end is open again.
	put(t, db, "2", 1)
	changes.Expect(Insert(Item{"id": "2"}))
	db.Shards("orders").Split()
	put(t, db, "3", 1)
	changes.Expect(Insert(Item{"id": "3"}))
}

func TestChangesFollowATableThatIsCreatedAnew(t *testing.T) {
	t.Parallel()
	db := New(t)
	createOrders(t, db)
	changes := db.Changes("orders")
	put(t, db, "1", 1)
	if _, err := db.DynamoDB().DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String("orders")}); err != nil {
		t.Fatal(err)
	}
	createOrders(t, db)
	put(t, db, "2", 1)
	changes.Expect(Insert(Item{"id": "1"}), Insert(Item{"id": "2"}))
	db.Reset()
	changes.Expect()
	createOrders(t, db)
	put(t, db, "3", 1)
	changes.Expect(Insert(Item{"id": "3"}))
}

// scripted returns changes of a server with one closed shard, whose GetRecords is answered by `records`.
func scripted(t testing.TB, records func(writer http.ResponseWriter, iterator string)) *Changes {
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		var input struct{ ShardIterator string }
		_ = json.NewDecoder(request.Body).Decode(&input)
		switch _, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), "."); operation {
		case "ListStreams":
			_, _ = writer.Write([]byte(`{"Streams": [{"StreamArn": "arn", "StreamLabel": "label", "TableName": "orders"}]}`))
		case "DescribeStream":
			_, _ = writer.Write([]byte(`{"StreamDescription": {"Shards": [
				{"ShardId": "shard", "SequenceNumberRange": {"StartingSequenceNumber": "1", "EndingSequenceNumber": "9"}}]}}`))
		case "GetShardIterator":
			_, _ = writer.Write([]byte(`{"ShardIterator": "first"}`))
		default:
			records(writer, input.ShardIterator)
		}
	}))
	t.Cleanup(server.Close)
	streams := dynamodbstreams.New(dynamodbstreams.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", Credentials: aws.CredentialsProviderFunc(credentials),
	})
	return &Changes{db: &DB{t: t}, table: "orders", client: streams, timeout: defaultTimeout, shards: map[shardKey]shardState{}}
}

func TestAnEmptyPageIsNotTheEndOfAClosedShard(t *testing.T) {
	t.Parallel()
	changes := scripted(t, func(writer http.ResponseWriter, iterator string) {
		if iterator == "first" {
			_, _ = writer.Write([]byte(`{"Records": [], "NextShardIterator": "second"}`))
			return
		}
		_, _ = writer.Write([]byte(`{"Records": [{"eventName": "INSERT", "dynamodb": {"SequenceNumber": "5", "Keys": {"id": {"S": "1"}}}}]}`))
	})
	changes.Expect(Insert(Item{"id": "1"}))
	changes.Expect()
}

func TestARecordThatStaysTrimmedEndsTheRead(t *testing.T) {
	t.Parallel()
	began := time.Now()
	recorded := record(t, func(t testing.TB) {
		scripted(t, func(writer http.ResponseWriter, _ string) {
			writer.WriteHeader(http.StatusBadRequest)
			_, _ = writer.Write([]byte(`{"__type": "com.amazonaws.dynamodb.v20120810#TrimmedDataAccessException", "message": "trimmed"}`))
		}).Within(0).Expect()
	})
	if took := time.Since(began); took > 2*leastReadTime || !strings.Contains(recorded.failure, "deadline exceeded") {
		t.Errorf("after %v: %s", took, recorded.failure)
	}
}

func TestExpectWaits(t *testing.T) {
	t.Parallel()
	db := New(t)
	createOrders(t, db)
	changes := db.Changes("orders")
	client := db.DynamoDB()
	written := make(chan error)
	go func() {
		time.Sleep(50 * time.Millisecond)
		_, err := client.PutItem(ctx, putInput("1", 1))
		written <- err
	}()
	changes.Expect(Insert(Item{"id": "1"}))
	if err := <-written; err != nil {
		t.Fatal(err)
	}
}

func TestDifferencesAreReadable(t *testing.T) {
	t.Parallel()
	recorded := record(t, func(t testing.TB) {
		db := New(t)
		createOrders(t, db)
		changes := db.Changes("orders").Within(20 * time.Millisecond)
		put(t, db, "1", 42)
		put(t, db, "1", 43)
		changes.Expect(Insert(Item{"id": "1"}), Modify(Item{"total": 44}).From(Item{"total": 42}), Remove(Item{"id": "1"}).ByTTL())
	})
	expected := `the changes of orders differ (- expected, + found):
  INSERT {id: "1", total: 42}
- MODIFY {total: 44} from {total: 42}
+ MODIFY {id: "1", total: 43} from {id: "1", total: 42}
- REMOVE from {id: "1"} by TTL`
	if recorded.failure != expected {
		t.Error(recorded.failure)
	}
	recorded = record(t, func(t testing.TB) {
		db := New(t)
		createOrders(t, db)
		changes := db.Changes("orders")
		put(t, db, "1", 42)
		changes.Expect()
	})
	if !strings.HasSuffix(recorded.failure, "\n+ INSERT {id: \"1\", total: 42}") {
		t.Error(recorded.failure)
	}
}

func TestChangesNeedAStream(t *testing.T) {
	t.Parallel()
	recorded := record(t, func(t testing.TB) { New(t).Changes("absent") })
	if !strings.Contains(recorded.failure, "changes of absent: ") || !strings.Contains(recorded.failure, "ResourceNotFoundException") {
		t.Error(recorded.failure)
	}
}

func TestValuesAreComparedAsDynamoDBDoes(t *testing.T) {
	t.Parallel()
	type name string
	item := map[string]types.AttributeValue{
		"s":  &types.AttributeValueMemberS{Value: "1"},
		"n":  &types.AttributeValueMemberN{Value: "1.50"},
		"b":  &types.AttributeValueMemberB{Value: []byte{1, 255}},
		"o":  &types.AttributeValueMemberBOOL{Value: true},
		"0":  &types.AttributeValueMemberNULL{Value: true},
		"l":  &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{Value: "1E+2"}}},
		"m":  &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"a b": &types.AttributeValueMemberS{Value: "x"}}},
		"ns": &types.AttributeValueMemberNS{Value: []string{"2", "1.0"}},
		"ss": &types.AttributeValueMemberSS{Value: []string{"b", "a"}},
		"bs": &types.AttributeValueMemberBS{Value: [][]byte{{2}, {1}}},
	}
	found := plainItem(item)
	for name, equal := range map[string][]any{
		"s":  {"1", name("1")},
		"n":  {1.5, float32(1.5), number("15E-1")},
		"b":  {[]byte{1, 255}},
		"o":  {true},
		"0":  {nil},
		"l":  {[]any{100}, []int{100}},
		"m":  {map[string]any{"a b": "x"}, Item{"a b": "x"}},
		"ns": {Set{1, 2}},
		"ss": {Set{"a", "b"}},
		"bs": {Set{[]byte{1}, []byte{2}}},
	} {
		for _, value := range equal {
			if !(Item{name: value}).isWithin(found, nil) {
				t.Errorf("%s: %s is not %s", name, show(value), show(found[name]))
			}
		}
		for other, value := range found {
			if other != name && (Item{name: value}).isWithin(found, nil) {
				t.Errorf("%s equals %s", name, other)
			}
		}
	}
	if (Item{"absent": nil}).isWithin(found, nil) {
		t.Error("an attribute that is absent is not NULL")
	}
}
