package pretendertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// How long [Changes.Expect] waits by default, and how long it pauses between two looks.
const (
	defaultTimeout = 5 * time.Second
	pollInterval   = 10 * time.Millisecond
)

// An Item holds attributes as plain Go values: strings, numbers, booleans, []byte, nil, []any, map[string]any, and [Set].
type Item map[string]any

// A Change is an expected stream record.
type Change struct {
	event types.OperationType
	new   Item
	old   Item
	byTTL bool
}

// Insert expects a new item with these attributes, among others.
func Insert(item Item) Change { return Change{event: types.OperationTypeInsert, new: item} }

// Modify expects that an item was changed, and has these attributes afterwards, among others.
func Modify(item Item) Change { return Change{event: types.OperationTypeModify, new: item} }

// Remove expects that an item was deleted, and had these attributes before, among others.
func Remove(item Item) Change { return Change{event: types.OperationTypeRemove, old: item} }

// From also expects these attributes, among others, of the item before the change.
func (c Change) From(old Item) Change {
	c.old = old
	return c
}

// ByTTL also expects that DynamoDB deleted the item because its time to live had passed.
func (c Change) ByTTL() Change {
	c.byTTL = true
	return c
}

// Changes reads what happens to a table from a moment on, through the Streams API.
type Changes struct {
	db      *DB
	table   string
	arn     string
	client  *dynamodbstreams.Client
	timeout time.Duration
	// The last record that was read of each shard; empty if there was none yet.
	checkpoints map[string]string
	// Shards that were read to their end.
	finished map[string]bool
}

// Changes begins to watch a table, whose stream must be enabled. Records of earlier writes are skipped.
func (db *DB) Changes(table string) *Changes {
	db.t.Helper()
	described, err := db.DynamoDB().DescribeTable(context.Background(), &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		db.t.Fatalf("changes of %s: %v", table, err)
	}
	arn := aws.ToString(described.Table.LatestStreamArn)
	if arn == "" {
		db.t.Fatalf("changes of %s: the table has no stream", table)
	}
	changes := &Changes{
		db: db, table: table, arn: arn, client: db.Streams(), timeout: defaultTimeout,
		checkpoints: map[string]string{}, finished: map[string]bool{},
	}
	changes.Records()
	return changes
}

// Within sets how long [Changes.Expect] waits; the default is five seconds.
func (c *Changes) Within(timeout time.Duration) *Changes {
	c.timeout = timeout
	return c
}

// Records returns the records since the last call of Records or Expect, in the order of the writes. It does not wait.
func (c *Changes) Records() []types.Record {
	c.db.t.Helper()
	records, err := c.read()
	if err != nil {
		c.db.t.Fatalf("changes of %s: %v", c.table, err)
	}
	return records
}

// Expect waits until there are as many new records as expected changes, and ends the test unless they are these changes, in this order.
// The next call continues after them. Without changes, it checks that there is no new record yet.
func (c *Changes) Expect(expected ...Change) {
	c.db.t.Helper()
	deadline := time.Now().Add(c.timeout)
	records := c.Records()
	for len(records) < len(expected) && time.Now().Before(deadline) {
		time.Sleep(pollInterval)
		records = append(records, c.Records()...)
	}
	if difference := compare(expected, records); difference != "" {
		c.db.t.Fatalf("the changes of %s differ (- expected, + found):\n%s", c.table, difference)
	}
}

// read returns all records after the checkpoints.
func (c *Changes) read() ([]types.Record, error) {
	var records []types.Record
	// New shards can appear while others are read, so look again until nothing is left.
	for {
		shards, err := c.shards()
		if err != nil {
			return nil, err
		}
		progress := false
		for _, shard := range shards {
			id := aws.ToString(shard.ShardId)
			if c.finished[id] {
				continue
			}
			closed := shard.SequenceNumberRange.EndingSequenceNumber != nil
			found, err := c.readShard(id)
			if err != nil {
				return nil, err
			}
			c.finished[id] = closed
			records = append(records, found...)
			progress = progress || len(found) > 0
		}
		if !progress {
			break
		}
	}
	// Numbers of different shards cannot be compared on AWS. pretender numbers the records of a stream in the order of the writes.
	slices.SortStableFunc(records, func(a, b types.Record) int {
		left, right := aws.ToString(a.Dynamodb.SequenceNumber), aws.ToString(b.Dynamodb.SequenceNumber)
		return cmp.Or(cmp.Compare(len(left), len(right)), strings.Compare(left, right))
	})
	return records, nil
}

func (c *Changes) shards() ([]types.Shard, error) {
	var shards []types.Shard
	input := &dynamodbstreams.DescribeStreamInput{StreamArn: &c.arn}
	for {
		page, err := c.client.DescribeStream(context.Background(), input)
		if err != nil {
			return nil, err
		}
		shards = append(shards, page.StreamDescription.Shards...)
		if input.ExclusiveStartShardId = page.StreamDescription.LastEvaluatedShardId; input.ExclusiveStartShardId == nil {
			return shards, nil
		}
	}
}

// readShard reads what is after the checkpoint of a shard. It gets a new iterator each time, because a test may move the clock.
func (c *Changes) readShard(id string) ([]types.Record, error) {
	var found []types.Record
	iterator, err := c.iterator(id)
	for err == nil && iterator != nil {
		var page *dynamodbstreams.GetRecordsOutput
		page, err = c.client.GetRecords(context.Background(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		var trimmed *types.TrimmedDataAccessException
		if errors.As(err, &trimmed) {
			// Trimmed since we asked for the iterator.
			iterator, err = c.horizon(id)
			continue
		}
		if err != nil || len(page.Records) == 0 {
			break
		}
		found = append(found, page.Records...)
		c.checkpoints[id] = aws.ToString(page.Records[len(page.Records)-1].Dynamodb.SequenceNumber)
		iterator = page.NextShardIterator
	}
	return found, err
}

func (c *Changes) iterator(id string) (*string, error) {
	checkpoint := c.checkpoints[id]
	if checkpoint == "" {
		return c.horizon(id)
	}
	answer, err := c.client.GetShardIterator(context.Background(), &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &c.arn, ShardId: &id, ShardIteratorType: types.ShardIteratorTypeAfterSequenceNumber, SequenceNumber: &checkpoint,
	})
	var trimmed *types.TrimmedDataAccessException
	if errors.As(err, &trimmed) {
		return c.horizon(id)
	}
	if err != nil {
		return nil, err
	}
	return answer.ShardIterator, nil
}

func (c *Changes) horizon(id string) (*string, error) {
	answer, err := c.client.GetShardIterator(context.Background(), &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &c.arn, ShardId: &id, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		return nil, err
	}
	return answer.ShardIterator, nil
}

// compare returns a line for each change if they differ, and otherwise nothing.
func compare(expected []Change, records []types.Record) string {
	var lines []string
	differs := false
	for i := range max(len(expected), len(records)) {
		if i < len(expected) && i < len(records) && expected[i].matches(records[i]) {
			lines = append(lines, "  "+showRecord(records[i]))
			continue
		}
		differs = true
		if i < len(expected) {
			lines = append(lines, "- "+expected[i].String())
		}
		if i < len(records) {
			lines = append(lines, "+ "+showRecord(records[i]))
		}
	}
	if !differs {
		return ""
	}
	return strings.Join(lines, "\n")
}

func (c Change) matches(record types.Record) bool {
	keys := plainItem(record.Dynamodb.Keys)
	return c.event == record.EventName &&
		(!c.byTTL || isByTTL(record)) &&
		c.new.isWithin(plainItem(record.Dynamodb.NewImage), keys) &&
		c.old.isWithin(plainItem(record.Dynamodb.OldImage), keys)
}

// isWithin returns whether an image has all attributes of this item. The keys count if the stream has no images.
func (i Item) isWithin(image, keys Item) bool {
	for name, value := range i {
		found, has := image[name]
		if !has {
			found, has = keys[name]
		}
		if !has || show(found) != show(value) {
			return false
		}
	}
	return true
}

// isByTTL returns whether DynamoDB itself deleted the item.
func isByTTL(record types.Record) bool {
	return record.UserIdentity != nil && aws.ToString(record.UserIdentity.PrincipalId) == "dynamodb.amazonaws.com"
}

// String shows the change as differences do.
func (c Change) String() string {
	return line(c.event, c.new, c.old, c.byTTL)
}

func showRecord(record types.Record) string {
	data := record.Dynamodb
	new, old := plainItem(data.NewImage), plainItem(data.OldImage)
	if new == nil && old == nil {
		new = plainItem(data.Keys)
	}
	return line(record.EventName, new, old, isByTTL(record))
}

func line(event types.OperationType, new, old Item, byTTL bool) string {
	text := string(event)
	if new != nil {
		text += " " + show(map[string]any(new))
	}
	if old != nil {
		text += " from " + show(map[string]any(old))
	}
	if byTTL {
		text += " by TTL"
	}
	return text
}

var _ fmt.Stringer = Change{}
