package orders

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/pretender-db/pretender/packages/go/pretendertest"
)

var ctx = context.Background()

// begin returns a database of its own for each test, with the tables and ten chairs.
func begin(t *testing.T) (*pretendertest.DB, *OrderStore) {
	t.Helper()
	t.Parallel()
	db := pretendertest.New(t)
	store := NewOrderStore(db.DynamoDB())
	must(t, store.CreateTables(ctx))
	must(t, store.Restock(ctx, "chair", 10))
	return db, store
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func check[T comparable](t *testing.T, what string, found, expected T) {
	t.Helper()
	if found != expected {
		t.Errorf("%s: %v instead of %v", what, found, expected)
	}
}

func order(id, customer string, total int) Order {
	return Order{ID: id, Customer: customer, Placed: "2026-11-0" + id + "T09:00:00Z", Product: "chair", Total: total}
}

func ids(orders []Order) string {
	var all []string
	for _, order := range orders {
		all = append(all, order.ID)
	}
	return fmt.Sprint(all)
}

func TestPlacesAnOrderAndReadsIt(t *testing.T) {
	_, store := begin(t)
	must(t, store.Place(ctx, order("1", "ada", 120)))
	found, err := store.Get(ctx, "1")
	must(t, err)
	expected := order("1", "ada", 120)
	expected.State = "placed"
	check(t, "order", found, expected)
}

func TestRefusesTheSameOrderTwice(t *testing.T) {
	_, store := begin(t)
	must(t, store.Place(ctx, order("1", "ada", 120)))
	check(t, "error", store.Place(ctx, order("1", "ben", 80)), ErrOrderExists)
}

func TestShipsAnOrder(t *testing.T) {
	_, store := begin(t)
	must(t, store.Place(ctx, order("1", "ada", 120)))
	must(t, store.Ship(ctx, "1"))
	found, err := store.Get(ctx, "1")
	must(t, err)
	check(t, "state", found.State, "shipped")
}

func TestCannotShipAnUnknownOrder(t *testing.T) {
	_, store := begin(t)
	check(t, "error", store.Ship(ctx, "1"), ErrNoOrder)
	_, err := store.Get(ctx, "1")
	check(t, "error", err, ErrNoOrder)
}

func TestListsTheOrdersOfACustomerByDate(t *testing.T) {
	_, store := begin(t)
	for _, id := range []string{"3", "1", "2"} {
		must(t, store.Place(ctx, order(id, "ada", 10)))
	}
	must(t, store.Place(ctx, order("4", "ben", 10)))
	page, err := store.OfCustomer(ctx, "ada", 10, nil)
	must(t, err)
	check(t, "orders", ids(page.Orders), "[1 2 3]")
}

func TestPagesThroughTheOrdersOfACustomer(t *testing.T) {
	_, store := begin(t)
	for i := 1; i <= 5; i++ {
		must(t, store.Place(ctx, order(fmt.Sprint(i), "ada", 10)))
	}
	var pages string
	for page := (Page{}); ; {
		var err error
		page, err = store.OfCustomer(ctx, "ada", 2, page.Next)
		must(t, err)
		pages += ids(page.Orders)
		if page.Next == nil {
			break
		}
	}
	check(t, "pages", pages, "[1 2][3 4][5]")
}

func TestPlacingReservesStockInOneTransaction(t *testing.T) {
	_, store := begin(t)
	must(t, store.Place(ctx, order("1", "ada", 120)))
	if err := store.Place(ctx, order("1", "ada", 120)); !errors.Is(err, ErrOrderExists) {
		t.Errorf("%v", err)
	}
	stock, err := store.Stock(ctx, "chair")
	must(t, err)
	check(t, "stock", stock, 9)
}

func TestASoldOutProductCancelsTheTransactionAndChangesNothing(t *testing.T) {
	db, store := begin(t)
	must(t, store.Restock(ctx, "chair", 0))
	changes := db.Changes("orders")
	check(t, "error", store.Place(ctx, order("1", "ada", 120)), ErrSoldOut)
	_, err := store.Get(ctx, "1")
	check(t, "error", err, ErrNoOrder)
	stock, err := store.Stock(ctx, "chair")
	must(t, err)
	check(t, "stock", stock, 0)
	changes.Expect()
}

func TestEachTestStartsWithAnEmptyDatabase(t *testing.T) {
	_, store := begin(t)
	all, err := store.All(ctx)
	must(t, err)
	check(t, "orders", len(all), 0)
}

func TestASnapshotBringsBackTheSeededOrders(t *testing.T) {
	db, store := begin(t)
	must(t, store.Place(ctx, order("1", "ada", 120)))
	db.Snapshots().Save("seeded")
	must(t, store.Place(ctx, order("2", "ben", 80)))
	must(t, store.Delete(ctx, "1"))
	db.Snapshots().Restore("seeded")
	all, err := store.All(ctx)
	must(t, err)
	check(t, "orders", ids(all), "[1]")
}

func TestAThrottledWriteIsRetriedAndRecordedOnce(t *testing.T) {
	db, store := begin(t)
	changes := db.Changes("orders")
	db.Faults().Add(pretendertest.Fault{Kind: pretendertest.Throttling, Operations: []string{"TransactWriteItems"}, Times: 2})
	must(t, store.Place(ctx, order("1", "ada", 120)))
	check(t, "refusals", len(db.Faults().Log()), 2)
	changes.Expect(pretendertest.Insert(pretendertest.Item{"id": "1", "total": 120}))
}
