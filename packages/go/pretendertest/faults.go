package pretendertest

import (
	"fmt"
	"net/http"
	"time"
)

// A FaultKind is what goes wrong.
type FaultKind string

// The kinds of faults.
const (
	ThroughputExceeded FaultKind = "throughput-exceeded"
	Throttling         FaultKind = "throttling"
	RequestLimit       FaultKind = "request-limit"
	LimitExceeded      FaultKind = "limit-exceeded"
	InternalError      FaultKind = "internal-error"
	Unavailable        FaultKind = "unavailable"
	// Latency lets calls wait for [Fault.Delay].
	Latency FaultKind = "latency"
	// DropBefore closes the connection without an answer. The call has no effect.
	DropBefore FaultKind = "drop-before"
	// DropAfter carries the call out and closes the connection without an answer.
	DropAfter       FaultKind = "drop-after"
	ExpiredIterator FaultKind = "expired-iterator"
	TrimmedData     FaultKind = "trimmed-data"
	EmptyPage       FaultKind = "empty-page"
	// Duplicate repeats the last record of a page as the first of the next page.
	Duplicate FaultKind = "duplicate"
	// Unprocessed leaves out a part of a batch: see [Fault.Items].
	Unprocessed FaultKind = "unprocessed"
	Conflict    FaultKind = "conflict"
)

// A Fault makes calls fail, or slow. Without further members, it affects every call that can fail in this way.
type Fault struct {
	// ID is set by [Faults.Add].
	ID   uint64    `json:"id,omitempty"`
	Kind FaultKind `json:"kind"`
	// Operations are names such as "PutItem" and groups: "all", "items", "reads", "writes", "batches", "transactions", "statements",
	// "tables", "streams".
	Operations []string `json:"operations,omitempty"`
	// Table limits the fault to calls that name this table or its streams.
	Table string `json:"table,omitempty"`
	// Probability is from 0 to 1; 0 stands for 1, which affects each call.
	Probability float64 `json:"probability,omitempty"`
	// Times is how often the fault is injected; 0 sets no limit.
	Times uint64 `json:"times,omitempty"`
	// Skip is the number of matching calls that pass first.
	Skip uint64 `json:"skip,omitempty"`
	// Seed begins the random numbers of Probability.
	Seed uint64 `json:"seed,omitempty"`
	// Delay is how long a call of [Latency] waits, in whole milliseconds.
	Delay time.Duration `json:"-"`
	// MaxDelay makes the delay random, from Delay to this.
	MaxDelay time.Duration `json:"-"`
	// Items is how many items of a batch are left out by [Unprocessed]; 0 stands for half of them.
	Items uint32 `json:"items,omitempty"`

	// Matched and Injected count the calls that the fault applied to, and those that were affected; set by [Faults.List].
	Matched  uint64 `json:"matched,omitempty"`
	Injected uint64 `json:"injected,omitempty"`
	// Over says that the fault was injected Times times; set by [Faults.List].
	Over bool `json:"over,omitempty"`
}

// An Injection is one occurrence of a fault.
type Injection struct {
	Fault     uint64    `json:"fault"`
	Kind      FaultKind `json:"kind"`
	Operation string    `json:"operation"`
	Tables    []string  `json:"tables"`
	RequestID string    `json:"request_id"`
}

// Faults are the faults of a database. They stay active after a restore or a reset.
type Faults struct{ db *DB }

// Faults returns the faults of the database.
func (db *DB) Faults() *Faults { return &Faults{db} }

// Add adds a fault, and returns it with its ID.
func (f *Faults) Add(fault Fault) Fault {
	f.db.t.Helper()
	var added shownFault
	f.db.post("faults/add", newFault(fault), &added)
	return added.fault()
}

// List returns the faults, with how often they were injected.
func (f *Faults) List() []Fault {
	f.db.t.Helper()
	list, _ := f.report()
	return list
}

// Log returns the last injections, at most 1,000, the oldest first.
func (f *Faults) Log() []Injection {
	f.db.t.Helper()
	_, log := f.report()
	return log
}

// Remove removes a fault.
func (f *Faults) Remove(id uint64) {
	f.db.t.Helper()
	f.db.post("faults/remove", map[string]uint64{"id": id}, nil)
}

// Clear removes all faults and empties the log.
func (f *Faults) Clear() {
	f.db.t.Helper()
	f.db.post("faults/clear", struct{}{}, nil)
}

func (f *Faults) report() ([]Fault, []Injection) {
	f.db.t.Helper()
	var answer struct {
		Faults   []shownFault
		Injected []Injection
	}
	f.db.must(http.MethodGet, "faults", nil, &answer)
	faults := make([]Fault, len(answer.Faults))
	for i, shown := range answer.Faults {
		faults[i] = shown.fault()
	}
	return faults, answer.Injected
}

// newFault returns the body of `faults/add`, which refuses members that only answers have.
func newFault(fault Fault) any {
	fault.ID, fault.Matched, fault.Injected, fault.Over = 0, 0, 0, false
	body := struct {
		Fault
		Delay string `json:"delay,omitempty"`
	}{Fault: fault}
	if fault.Delay > 0 || fault.MaxDelay > 0 {
		body.Delay = fmt.Sprintf("%dms", fault.Delay.Milliseconds())
	}
	if fault.MaxDelay > 0 {
		body.Delay += fmt.Sprintf("..%dms", fault.MaxDelay.Milliseconds())
	}
	return body
}

// A shownFault is a fault as answers have it: with a delay in milliseconds, from and to.
type shownFault struct {
	Fault
	DelayMillis []int64 `json:"delay_millis"`
}

func (s shownFault) fault() Fault {
	delay := func(i int) time.Duration {
		if i >= len(s.DelayMillis) {
			return 0
		}
		return time.Duration(s.DelayMillis[i]) * time.Millisecond
	}
	fault := s.Fault
	fault.Delay = delay(0)
	if most := delay(1); most != fault.Delay {
		fault.MaxDelay = most
	}
	return fault
}
