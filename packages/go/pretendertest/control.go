package pretendertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// How long a command may take. A restore of a large snapshot takes seconds.
const commandTimeout = 2 * time.Minute

// An Error is the refusal of a command.
type Error struct {
	// Command is the path after `/_pretender/`.
	Command string
	// Status is the HTTP status: 400 if the command is invalid, 404 if it or its subject does not exist, 500 if the server failed.
	Status int
	// Text is the server's explanation.
	Text string
}

// Error returns the explanation.
func (e *Error) Error() string {
	return fmt.Sprintf("pretender refused %s (status %d): %s", e.Command, e.Status, e.Text)
}

// Control sends a command of the control API to the database, such as "shards/list", and decodes the answer into `answer` unless that
// is nil. A nil body makes a GET request. A refusal is an [*Error]. Unlike all other methods, it does not end the test.
func (db *DB) Control(command string, body, answer any) error {
	method := http.MethodPost
	if body == nil {
		method = http.MethodGet
	}
	return db.server.request(method, "/db/"+db.name, command, body, answer)
}

// must sends a command and ends the test if it fails.
func (db *DB) must(method, command string, body, answer any) {
	db.t.Helper()
	if err := db.server.request(method, "/db/"+db.name, command, body, answer); err != nil {
		db.t.Fatal(err)
	}
}

// post sends a command and ends the test if it fails.
func (db *DB) post(command string, body, answer any) {
	db.t.Helper()
	db.must(http.MethodPost, command, body, answer)
}

// request sends a command to the server, or to a database on it.
func (s *server) request(method, database, command string, body, answer any) error {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, s.url+database+"/_pretender/"+command, bytes.NewReader(content))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if token := os.Getenv("PRETENDER_CONTROL_TOKEN"); token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := httpClient.Do(request)
	if err != nil {
		return s.explain(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return s.explain(err)
	}
	if response.StatusCode != http.StatusOK {
		refusal := &Error{Command: command, Status: response.StatusCode, Text: string(text)}
		var told struct{ Error string }
		if json.Unmarshal(text, &told) == nil && told.Error != "" {
			refusal.Text = told.Error
		}
		if refusal.Status == http.StatusNotFound && told.Error == "" {
			refusal.Text = "the server at " + s.url + " was not started with `--control --databases`"
		}
		return refusal
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("pretender answered %s with something that is not understood: %w", command, err)
	}
	return nil
}

// explain says why a request failed if the server has ended.
func (s *server) explain(err error) error {
	if s.ended == nil {
		return err
	}
	select {
	case <-s.ended:
		return fmt.Errorf("the server has ended: %s\n%s", s.state, s.logSince(0))
	default:
		return err
	}
}

// A Clock is the clock of a database. Shard rotation, retention, iterators and time to live follow it.
type Clock struct{ db *DB }

// Clock returns the clock of the database. It begins with the time of the machine, and runs.
func (db *DB) Clock() *Clock { return &Clock{db} }

// Now returns the time of the clock.
func (c *Clock) Now() time.Time {
	c.db.t.Helper()
	var clock struct {
		EpochMillis int64 `json:"epoch_millis"`
	}
	c.db.must(http.MethodGet, "clock", nil, &clock)
	return time.UnixMilli(clock.EpochMillis)
}

// Hold stops the clock.
func (c *Clock) Hold() {
	c.db.t.Helper()
	c.db.post("clock/hold", struct{}{}, nil)
}

// Run lets the clock continue, at the speed of the machine's clock times `speed`.
func (c *Clock) Run(speed float64) {
	c.db.t.Helper()
	c.db.post("clock/run", map[string]float64{"speed": speed}, nil)
}

// Set moves the clock to a time, in whole milliseconds. Work that is due then is done when Set returns.
func (c *Clock) Set(to time.Time) {
	c.db.t.Helper()
	c.db.post("clock/set", map[string]int64{"epoch_millis": to.UnixMilli()}, nil)
}

// Advance moves the clock forward, in whole milliseconds. When it returns, shards have rotated, records are trimmed and items have
// expired as is due by then.
func (c *Clock) Advance(by time.Duration) {
	c.db.t.Helper()
	c.db.post("clock/advance", map[string]int64{"millis": by.Milliseconds()}, nil)
}

// Snapshots are copies of a database that are kept under a name, with all tables, items and stream records.
type Snapshots struct{ db *DB }

// A Snapshot describes a saved snapshot.
type Snapshot struct {
	Name   string `json:"name"`
	Tables int64  `json:"tables"`
	Items  int64  `json:"items"`
	// SizeBytes is the size of the saved database.
	SizeBytes int64 `json:"size_bytes"`
}

// Snapshots returns the snapshots of the database. They are dropped with it.
func (db *DB) Snapshots() *Snapshots { return &Snapshots{db} }

// Save saves the database under a name. It replaces a snapshot with this name.
func (s *Snapshots) Save(name string) Snapshot {
	s.db.t.Helper()
	return s.named("save", map[string]any{"name": name})
}

// Restore replaces the database with a snapshot. The clock and the faults stay as they are.
func (s *Snapshots) Restore(name string) Snapshot {
	s.db.t.Helper()
	return s.named("restore", map[string]any{"name": name})
}

// RestoreWithClock replaces the database with a snapshot, and sets the clock to the time when it was saved.
func (s *Snapshots) RestoreWithClock(name string) Snapshot {
	s.db.t.Helper()
	return s.named("restore", map[string]any{"name": name, "clock": true})
}

// List returns all snapshots.
func (s *Snapshots) List() []Snapshot {
	s.db.t.Helper()
	var answer struct{ Snapshots []Snapshot }
	s.db.must(http.MethodGet, "snapshots", nil, &answer)
	return answer.Snapshots
}

// Delete deletes a snapshot.
func (s *Snapshots) Delete(name string) {
	s.db.t.Helper()
	s.db.post("snapshots/delete", map[string]any{"name": name}, nil)
}

func (s *Snapshots) named(command string, body map[string]any) Snapshot {
	s.db.t.Helper()
	var answer struct{ Snapshot Snapshot }
	s.db.post("snapshots/"+command, body, &answer)
	return answer.Snapshot
}

// Shards are the shards of a table's latest stream.
type Shards struct {
	db    *DB
	table string
}

// A Shard describes one shard.
type Shard struct {
	StreamARN string `json:"stream_arn"`
	ID        string `json:"shard_id"`
	// ParentID is empty for the first shards of a stream.
	ParentID               string `json:"parent_shard_id"`
	Open                   bool   `json:"open"`
	StartingSequenceNumber string `json:"starting_sequence_number"`
	// EndingSequenceNumber is empty while the shard is open.
	EndingSequenceNumber string `json:"ending_sequence_number"`
}

// Shards returns the shards of a table's latest stream.
func (db *DB) Shards(table string) *Shards { return &Shards{db, table} }

// List returns the shards that are not removed yet, open and closed.
func (s *Shards) List() []Shard {
	s.db.t.Helper()
	return s.send("list", "")
}

// Rotate closes these shards, or without an ID all open ones, and opens one child for each. It returns the children.
func (s *Shards) Rotate(ids ...string) []Shard {
	s.db.t.Helper()
	return s.each("rotate", ids)
}

// Split closes these shards, or without an ID all open ones, and opens two children for each. It returns the children.
func (s *Shards) Split(ids ...string) []Shard {
	s.db.t.Helper()
	return s.each("split", ids)
}

func (s *Shards) each(command string, ids []string) []Shard {
	s.db.t.Helper()
	if len(ids) == 0 {
		return s.send(command, "")
	}
	var all []Shard
	for _, id := range ids {
		all = append(all, s.send(command, id)...)
	}
	return all
}

func (s *Shards) send(command, id string) []Shard {
	s.db.t.Helper()
	body := map[string]string{"table": s.table}
	if id != "" {
		body["shard_id"] = id
	}
	var answer struct{ Shards []Shard }
	s.db.post("shards/"+command, body, &answer)
	return answer.Shards
}

// Trim removes all records of a table's stream, as if they were too old, and returns how many they were.
func (db *DB) Trim(table string) int64 {
	db.t.Helper()
	return db.trim(map[string]string{"table": table})
}

// TrimBefore removes the records before a sequence number from a table's stream, and returns how many they were.
func (db *DB) TrimBefore(table, sequenceNumber string) int64 {
	db.t.Helper()
	return db.trim(map[string]string{"table": table, "before": sequenceNumber})
}

func (db *DB) trim(body map[string]string) int64 {
	db.t.Helper()
	var answer struct{ Records int64 }
	db.post("trim", body, &answer)
	return answer.Records
}

// Reset removes all tables, items and streams of the database.
func (db *DB) Reset() {
	db.t.Helper()
	db.post("reset", struct{}{}, nil)
}

// ResetTable removes the items and stream records of a table.
func (db *DB) ResetTable(table string) {
	db.t.Helper()
	db.post("reset", map[string]string{"table": table}, nil)
}
