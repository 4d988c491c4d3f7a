package pretendertest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

var ctx = context.Background()

func createOrders(t testing.TB, db *DB) {
	t.Helper()
	_, err := db.DynamoDB().CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            aws.String("orders"),
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, db *DB, id string, total int) {
	t.Helper()
	if _, err := db.DynamoDB().PutItem(ctx, putInput(id, total)); err != nil {
		t.Fatal(err)
	}
}

func putInput(id string, total int) *dynamodb.PutItemInput {
	return &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{
		"id": &types.AttributeValueMemberS{Value: id}, "total": &types.AttributeValueMemberN{Value: fmt.Sprint(total)},
	}}
}

func remove(t testing.TB, db *DB, id string) {
	t.Helper()
	_, err := db.DynamoDB().DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String("orders"), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, db *DB) int {
	t.Helper()
	found, err := db.DynamoDB().Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("orders")})
	if err != nil {
		t.Fatal(err)
	}
	return int(found.Count)
}

// databases returns the names of the databases on the server of `db`.
func databases(t testing.TB, db *DB) string {
	t.Helper()
	var answer struct{ Databases []struct{ Name string } }
	if err := db.server.request(http.MethodGet, "", "databases", nil, &answer); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(answer.Databases)
}

// A recorder stands for a test that fails. It ends its goroutine as a test does.
type recorder struct {
	testing.TB
	failure  string
	logged   string
	cleanups []func()
}

// record runs a test in which `body` is expected to fail, and returns what that test reported.
func record(t *testing.T, body func(t testing.TB)) *recorder {
	recorded := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		body(recorded)
	}()
	<-done
	for _, cleanup := range recorded.cleanups {
		cleanup()
	}
	return recorded
}

func (r *recorder) Helper()                         {}
func (r *recorder) Failed() bool                    { return r.failure != "" }
func (r *recorder) Cleanup(f func())                { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Logf(form string, values ...any) { r.logged += fmt.Sprintf(form, values...) }
func (r *recorder) Fatalf(form string, values ...any) {
	r.Fatal(fmt.Sprintf(form, values...))
}
func (r *recorder) Fatal(values ...any) {
	r.failure = fmt.Sprint(values...)
	runtime.Goexit()
}

func TestTestsShareAServerAndNoData(t *testing.T) {
	t.Parallel()
	outer := New(t)
	createOrders(t, outer)
	put(t, outer, "1", 1)
	for i := range 8 {
		t.Run(fmt.Sprint("sub test ", i), func(t *testing.T) {
			t.Parallel()
			db := New(t)
			if db.server != outer.server {
				t.Errorf("another server: %s", db.URL())
			}
			createOrders(t, db)
			if found := count(t, db); found != 0 {
				t.Errorf("found %d items of other tests", found)
			}
			put(t, db, "1", i)
			db.Clock().Advance(time.Hour)
		})
	}
	if ahead := time.Until(outer.Clock().Now()); ahead > time.Minute {
		t.Errorf("the clock was moved by %v", ahead)
	}
}

func TestDatabasesAreDroppedWhenTheTestEnds(t *testing.T) {
	t.Parallel()
	outer := New(t)
	var name string
	t.Run("inner", func(t *testing.T) {
		db := New(t)
		name = db.Name()
		if !strings.Contains(databases(t, db), name) {
			t.Errorf("%s is not listed", name)
		}
	})
	if strings.Contains(databases(t, outer), name) {
		t.Errorf("%s is still there", name)
	}
}

func TestNamesOfDatabasesComeFromTheTest(t *testing.T) {
	t.Parallel()
	name := databaseName("TestÄ/_places an order_" + strings.Repeat("x", 100))
	if len(name) > 64 || !strings.HasPrefix(name, "Test___places_an_order_x") {
		t.Error(name)
	}
	if first := databaseName("/-.x")[0]; first != 'x' {
		t.Errorf("begins with %q", first)
	}
}

func TestOwnServerEndsWithItsTest(t *testing.T) {
	t.Parallel()
	shared := New(t)
	var own *server
	t.Run("inner", func(t *testing.T) {
		db := New(t, OwnServer(), Arguments("--shards", "4"))
		if own = db.server; own == shared.server {
			t.Error("the server is shared")
		}
		createOrders(t, db)
		if shards := db.Shards("orders").List(); len(shards) != 4 {
			t.Errorf("%d shards", len(shards))
		}
	})
	select {
	case <-own.ended:
	default:
		t.Error("the server runs on")
	}
	if _, err := own.log.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the log is open: %v", err)
	}
}

func TestSchemaAndSeedAreInEachDatabase(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	schema, seed := filepath.Join(folder, "tables.json"), filepath.Join(folder, "orders.json")
	table := `{"TableName": "orders", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
		"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}`
	if err := errors.Join(os.WriteFile(schema, []byte(table), 0o600), os.WriteFile(seed, []byte(`[{"id": "1"}, {"id": "2"}]`), 0o600)); err != nil {
		t.Fatal(err)
	}
	first, second := New(t, Schema(schema), Seed(seed)), New(t, Schema(schema), Seed(seed))
	remove(t, first, "1")
	if first.server != second.server {
		t.Error("the same options need the same server")
	}
	if count(t, first) != 1 || count(t, second) != 2 {
		t.Errorf("%d and %d items", count(t, first), count(t, second))
	}
}

func TestSetenvIsForTheTestOnly(t *testing.T) {
	removed := []string{"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"}
	for _, name := range removed {
		t.Setenv(name, "production")
	}
	t.Setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
	t.Setenv("AWS_ENDPOINT_URL", "https://example.com")
	t.Run("inner", func(t *testing.T) {
		db := New(t)
		db.Setenv()
		if found := os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"); found != db.URL() {
			t.Errorf("AWS_ENDPOINT_URL_DYNAMODB is %s", found)
		}
		for _, name := range removed {
			if value, set := os.LookupEnv(name); set {
				t.Errorf("%s is %s", name, value)
			}
		}
		if os.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") != "false" {
			t.Error("the endpoint is ignored")
		}
	})
	if os.Getenv("AWS_PROFILE") != "production" || os.Getenv("AWS_ENDPOINT_URL") != "https://example.com" {
		t.Error("the variables were not restored")
	}
	if _, set := os.LookupEnv("AWS_ENDPOINT_URL_DYNAMODB"); set {
		t.Error("AWS_ENDPOINT_URL_DYNAMODB is still set")
	}
}

func TestRefusalsAreTypedAndRepeatTheText(t *testing.T) {
	t.Parallel()
	db := New(t)
	var refusal *Error
	err := db.Control("snapshots/restore", map[string]string{"name": "absent"}, nil)
	if !errors.As(err, &refusal) || refusal.Status != 404 || !strings.Contains(refusal.Text, "absent") {
		t.Errorf("%v", err)
	}
	recorded := record(t, func(t testing.TB) {
		New(t).Faults().Add(Fault{Kind: "gremlins"})
	})
	if !strings.Contains(recorded.failure, "`gremlins` is not a kind of fault") {
		t.Error(recorded.failure)
	}
}

func TestFailedTestsShowTheLog(t *testing.T) {
	t.Parallel()
	recorded := record(t, func(t testing.TB) {
		db := New(t, OwnServer(), Arguments("--log-level", "info"))
		createOrders(t, db)
		t.Fatal("something else")
	})
	if !strings.Contains(recorded.logged, "CreateTable") {
		t.Errorf("logged: %s", recorded.logged)
	}
}
