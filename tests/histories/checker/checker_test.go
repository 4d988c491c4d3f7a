package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// Operations, with the times of their calls and answers to be filled in.
const (
	putA       = `"name":"PutItem","parts":[{"key":0,"put":{"v":1,"n":0,"b":1}}],"outcome":"done"`
	putB       = `"name":"PutItem","parts":[{"key":0,"put":{"v":2,"n":0,"b":2}}],"outcome":"done"`
	readA      = `"name":"GetItem","read":{"keys":[0],"found":[{"v":1,"n":0,"b":1}]},"outcome":"done"`
	readB      = `"name":"GetItem","read":{"keys":[0],"found":[{"v":2,"n":0,"b":2}]},"outcome":"done"`
	readNone   = `"name":"GetItem","read":{"keys":[0],"found":[null]},"outcome":"done"`
	lostB      = `"name":"PutItem","parts":[{"key":0,"put":{"v":2,"n":0,"b":2}}],"outcome":"unknown"`
	deleted    = `"name":"DeleteItem","parts":[{"key":0,"delete":true}],"outcome":"done"`
	both       = `"name":"TransactWriteItems","parts":[{"key":0,"put":{"v":5,"n":0,"b":1}},{"key":1,"put":{"v":6,"n":0,"b":1}}],"outcome":"done"`
	bothAbsent = `"name":"TransactGetItems","read":{"keys":[0,1],"found":[null,null]},"outcome":"done"`
	bothThere  = `"name":"TransactGetItems","read":{"keys":[0,1],"found":[{"v":5,"n":0,"b":1},{"v":6,"n":0,"b":1}]},"outcome":"done"`
	half       = `"name":"TransactGetItems","read":{"keys":[0,1],"found":[{"v":5,"n":0,"b":1},null]},"outcome":"done"`
	notAbsent  = `"name":"PutItem","parts":[{"key":0,"if":{"absent":true},"put":{"v":7,"n":0,"b":1},"refused":true}],"outcome":"refused"`
	onlyAbsent = `"name":"PutItem","parts":[{"key":0,"if":{"absent":true},"put":{"v":7,"n":0,"b":1}}],"outcome":"done"`
	ifA        = `"name":"UpdateItem","parts":[{"key":0,"if":{"v":1},"update":{"v":8,"add":1}}],"outcome":"done"`
	notIfA     = `"name":"UpdateItem","parts":[{"key":0,"if":{"v":1},"update":{"v":8,"add":1},"refused":true,"before":{"v":1}}],"outcome":"refused"`
	inBucket   = `"name":"Query","read":{"keys":[0],"bucket":2,"found":[{"v":2,"n":0,"b":2}]},"outcome":"done"`
	notIn      = `"name":"Query","read":{"keys":[0],"bucket":2,"found":[null]},"outcome":"done"`
)

// add returns an update that adds one and shows the new value.
func add(v, shown int) string {
	return fmt.Sprintf(`"name":"UpdateItem","parts":[{"key":0,"update":{"v":%d,"add":1},"after":{"v":%d,"n":%d}}],"outcome":"done"`, v, v, shown)
}

// transaction returns an update of two items under a token.
func transaction(outcome string) string {
	return `"token":1,"name":"TransactWriteItems","parts":[{"key":0,"update":{"v":3,"add":1}},{"key":1,"update":{"v":4,"add":1}}],"outcome":"` + outcome + `"`
}

func counts(n int) string {
	return fmt.Sprintf(`"name":"GetItem","read":{"keys":[0],"found":[{"v":3,"n":%d,"b":0}]},"outcome":"done"`, n)
}

// step is an operation between two times. A negative end is none.
type step struct {
	call, end int
	op        string
}

func parse(t *testing.T, records string, steps []step) *history {
	t.Helper()
	var ops []string
	for at, step := range steps {
		end := ""
		if step.end >= 0 {
			end = fmt.Sprintf(`"return":%d,`, step.end)
		}
		ops = append(ops, fmt.Sprintf(`{"client":%d,"call":%d,%s%s}`, at, step.call, end, step.op))
	}
	var h history
	text := fmt.Sprintf(`{"name":"test","keys":2,"records":%s,"ops":[%s]}`, records, strings.Join(ops, ","))
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		t.Fatal(err)
	}
	return &h
}

func expect(t *testing.T, what, verdict, records string, steps ...step) {
	t.Helper()
	got, err := check(parse(t, records, steps), time.Minute, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got.Verdict != verdict {
		t.Errorf("%s: %s, and not %s", what, got.Verdict, verdict)
	}
	if verdict == "illegal" {
		if _, err := os.Stat(got.Picture); err != nil || len(got.Stuck) == 0 {
			t.Errorf("%s: neither picture nor explanation: %v", what, err)
		}
	}
}

func TestReads(t *testing.T) {
	expect(t, "in order", "ok", "null", step{0, 1, putA}, step{2, 3, readA}, step{4, 5, putB}, step{6, 7, readB})
	expect(t, "a stale read", "illegal", "null", step{0, 1, putA}, step{2, 3, putB}, step{4, 5, readA})
	expect(t, "a read of either", "ok", "null", step{0, 1, putA}, step{2, 5, putB}, step{3, 4, readA})
	expect(t, "back in time", "illegal", "null", step{0, 1, putA}, step{2, 9, putB}, step{3, 4, readB}, step{5, 6, readA})
	expect(t, "from the future", "illegal", "null", step{0, 1, readA}, step{2, 3, putA})
	expect(t, "never written", "illegal", "null", step{0, 1, putA}, step{2, 3, readB})
	expect(t, "a deletion that is not seen", "illegal", "null", step{0, 1, putA}, step{2, 3, deleted}, step{4, 5, readA})
	expect(t, "a lost write", "illegal", "null", step{0, 1, putA}, step{2, 3, readNone})
	expect(t, "an index", "ok", "null", step{0, 1, putB}, step{2, 3, inBucket}, step{4, 5, putA}, step{6, 7, notIn})
	expect(t, "a stale index", "illegal", "null", step{0, 1, putB}, step{2, 3, putA}, step{4, 5, inBucket})
}

func TestUpdates(t *testing.T) {
	expect(t, "both count", "ok", "null", step{0, 5, add(1, 1)}, step{1, 6, add(2, 2)})
	expect(t, "a lost update", "illegal", "null", step{0, 5, add(1, 1)}, step{1, 6, add(2, 1)})
	expect(t, "a condition", "ok", "null", step{0, 1, putA}, step{2, 3, ifA})
	expect(t, "a condition that cannot hold", "illegal", "null", step{0, 1, putB}, step{2, 3, ifA})
	expect(t, "two first ones", "illegal", "null", step{0, 5, putA}, step{6, 9, onlyAbsent})
	expect(t, "refused", "ok", "null", step{0, 1, putA}, step{2, 3, notAbsent})
	expect(t, "refused without reason", "illegal", "null", step{0, 1, notAbsent}, step{2, 3, putA})
	expect(t, "refused, and shown what was asked for", "illegal", "null", step{0, 1, putA}, step{2, 3, notIfA})
}

func TestTransactions(t *testing.T) {
	expect(t, "all", "ok", "null", step{0, 9, both}, step{1, 2, bothAbsent}, step{3, 4, bothThere})
	expect(t, "half a transaction", "illegal", "null", step{0, 9, both}, step{1, 2, half})
	expect(t, "repeated", "ok", "null", step{0, 1, transaction(done)}, step{2, 3, transaction(done)}, step{4, 5, counts(1)})
	expect(t, "carried out twice", "illegal", "null", step{0, 1, transaction(done)}, step{2, 3, transaction(done)}, step{4, 5, counts(2)})
	expect(t, "repeated after no answer", "ok", "null", step{0, -1, transaction(unknown)}, step{2, 3, transaction(done)}, step{4, 5, counts(1)})
	expect(t, "twice after no answer", "illegal", "null", step{0, -1, transaction(unknown)}, step{2, 3, transaction(done)}, step{4, 5, counts(2)})
}

func TestRefusedTransactions(t *testing.T) {
	refusal := func(second string) string {
		return `"name":"TransactWriteItems","parts":[{"key":0,"if":{"exists":true},"refused":true},` + second + `],"outcome":"refused"`
	}
	other := `"name":"PutItem","parts":[{"key":1,"put":{"v":9,"n":0,"b":1}}],"outcome":"done"`
	gone := `"name":"DeleteItem","parts":[{"key":1,"delete":true}],"outcome":"done"`
	checked := refusal(`{"key":1,"if":{"exists":true}}`)
	expect(t, "one moment", "ok", "null", step{0, 9, checked}, step{1, 2, other}, step{3, 4, putA})
	expect(t, "no such moment", "illegal", "null", step{0, 9, checked}, step{1, 2, putA}, step{3, 4, other})
	expect(t, "both fail", "ok", "null", step{0, 1, other}, step{2, 3, refusal(`{"key":1,"if":{"absent":true},"refused":true}`)})
	expect(t, "only one failed", "illegal", "null", step{0, 1, other}, step{2, 3, refusal(`{"key":1,"if":{"absent":true}}`)})
	created := refusal(`{"key":1,"if":{"absent":true},"put":{"v":10,"n":0,"b":1}}`)
	expect(t, "nothing holds a place", "ok", "null", step{0, 1, other}, step{2, 9, created}, step{3, 4, putA}, step{5, 6, gone})
}

func TestOperationsWithoutAnswer(t *testing.T) {
	expect(t, "never", "ok", "null", step{0, 1, putA}, step{2, -1, lostB}, step{4, 5, readA})
	expect(t, "late", "ok", "null", step{0, 1, putA}, step{2, -1, lostB}, step{4, 5, readA}, step{6, 7, readB})
	expect(t, "undone", "illegal", "null", step{0, 1, putA}, step{2, -1, lostB}, step{4, 5, readB}, step{6, 7, readA})
	expect(t, "before the call", "illegal", "null", step{0, 1, readB}, step{2, -1, lostB})
}

func TestStreams(t *testing.T) {
	item := func(v, b, first, second int) string {
		return fmt.Sprintf(`{"item":{"v":%d,"n":0,"b":%d},"before":[%d,%d]}`, v, b, first, second)
	}
	ab := "[[" + item(1, 1, 0, 0) + "," + item(2, 2, 1, 0) + "],[]]"
	expect(t, "in order", "ok", ab, step{0, 5, putB}, step{1, 6, putA})
	expect(t, "in another order", "illegal", ab, step{0, 1, putB}, step{2, 3, putA})
	expect(t, "read in another order", "illegal", ab, step{0, 9, putA}, step{0, 9, putB}, step{1, 2, readB}, step{3, 4, readA})
	expect(t, "no record", "illegal", "[[],[]]", step{0, 1, putA})
	expect(t, "a removal without record", "illegal", "[["+item(1, 1, 0, 0)+"],[]]", step{0, 1, putA}, step{2, 3, deleted})
	expect(t, "no answer, but a record", "ok", ab, step{0, 1, putA}, step{2, -1, lostB}, step{4, 5, readA}, step{6, 7, readB})
	// The two records of a transaction, and a third in the same shard that was seen first.
	other := `"name":"PutItem","parts":[{"key":1,"put":{"v":9,"n":0,"b":1}}],"outcome":"done"`
	first := `"name":"TransactGetItems","read":{"keys":[0,1],"found":[null,{"v":9,"n":0,"b":1}]},"outcome":"done"`
	inOneShard := "[[" + item(1, 1, 0, 0) + "],[" + item(9, 1, 1, 0) + "]]"
	inTwo := "[[" + item(1, 1, 0, 0) + "],[" + item(9, 1, 0, 0) + "]]"
	expect(t, "against the order of a shard", "illegal", inOneShard, step{0, 9, putA}, step{0, 9, other}, step{1, 2, first})
	expect(t, "in two shards", "ok", inTwo, step{0, 9, putA}, step{0, 9, other}, step{1, 2, first})
}

func TestLines(t *testing.T) {
	line := `{"name":"one","keys":1,"ops":[{"client":0,"call":0,"return":1,` + readNone + `}]}` + "\n"
	var out bytes.Buffer
	if err := run(strings.NewReader(line+line), &out, time.Minute, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), `"verdict":"ok"`); lines != 2 {
		t.Errorf("%d verdicts: %s", lines, out.String())
	}
	for _, wrong := range []string{
		`{"name":"k","keys":9,"ops":[{"client":0,"call":0,` + readNone + `}]}`,
		`{"name":"o","keys":1,"ops":[{"client":0,"call":0,"outcome":"maybe"}]}`,
		`{"name":"p","keys":1,"ops":[{"client":0,"call":0,` + both + `}]}`,
		"no history",
	} {
		if err := run(strings.NewReader(wrong+"\n"), &out, time.Minute, t.TempDir()); err == nil {
			t.Errorf("%s was checked", wrong)
		}
	}
}
