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
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// How long [Changes.Expect] waits by default, and how long it pauses between two looks.
const (
	defaultTimeout = 5 * time.Second
	pollInterval   = 10 * time.Millisecond
	// However short the wait is, the server has this time to answer.
	leastReadTime = time.Second
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

// Changes reads what happens to a table from a moment on, through the Streams API. If the table is created anew, or its stream is switched off
// and on, the new stream is read after the old one. Reading meets no faults and uses none up, so they are left to the code under test.
//
// Records of different shards are in the order of their sequence numbers. pretender numbers them in the order of the writes; AWS does not.
type Changes struct {
	db      *DB
	table   string
	client  *dynamodbstreams.Client
	timeout time.Duration
	// What was read of each shard.
	shards map[shardKey]shardState
}

type shardKey struct{ stream, shard string }

type shardState struct {
	// The sequence number of the last record that was read; empty if there was none yet.
	checkpoint string
	// The last number of a shard that was read to its end. A snapshot that is restored can open the shard again.
	end string
}

// A shard is one of a stream, whose label is the time of its creation.
type shard struct {
	shardKey
	label string
	end   string
}

// A read record knows the label of its stream.
type readRecord struct {
	label string
	types.Record
}

// Reads of a test would otherwise use up a fault that is meant for its code.
const noFaults = "X-Pretender-Faults"

// Changes begins to watch a table, whose stream must be enabled. Records of earlier writes are skipped.
func (db *DB) Changes(table string) *Changes {
	db.t.Helper()
	client := db.DynamoDB(dynamodb.WithAPIOptions(smithyhttp.SetHeaderValue(noFaults, "off")))
	described, err := client.DescribeTable(context.Background(), &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		db.t.Fatalf("changes of %s: %v", table, err)
	}
	if aws.ToString(described.Table.LatestStreamArn) == "" {
		db.t.Fatalf("changes of %s: the table has no stream", table)
	}
	changes := &Changes{
		db: db, table: table, timeout: defaultTimeout, shards: map[shardKey]shardState{},
		client: db.Streams(dynamodbstreams.WithAPIOptions(smithyhttp.SetHeaderValue(noFaults, "off"))),
	}
	changes.Records()
	return changes
}

// Within sets how long [Changes.Expect] waits; the default is five seconds.
func (c *Changes) Within(timeout time.Duration) *Changes {
	c.timeout = timeout
	return c
}

// Records returns the records since the last call of Records or Expect, in the order of the writes. It does not wait. Records that were
// trimmed before this call are skipped.
func (c *Changes) Records() []types.Record {
	c.db.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), max(c.timeout, leastReadTime))
	defer cancel()
	records, err := c.read(ctx)
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
func (c *Changes) read(ctx context.Context) ([]types.Record, error) {
	var found []readRecord
	// New shards can appear while others are read, so look again until nothing is left.
	for progress := true; progress; {
		shards, err := c.list(ctx)
		if err != nil {
			return nil, err
		}
		progress = false
		for _, shard := range shards {
			records, err := c.readShard(ctx, shard)
			if err != nil {
				return nil, err
			}
			for _, record := range records {
				found = append(found, readRecord{shard.label, record})
			}
			progress = progress || len(records) > 0
		}
	}
	slices.SortStableFunc(found, func(a, b readRecord) int {
		left, right := aws.ToString(a.Dynamodb.SequenceNumber), aws.ToString(b.Dynamodb.SequenceNumber)
		return cmp.Or(strings.Compare(a.label, b.label), compareNumbers(left, right))
	})
	records := make([]types.Record, len(found))
	for i, record := range found {
		records[i] = record.Record
	}
	return records, nil
}

// compareNumbers compares two sequence numbers, which have no zeros at the beginning.
func compareNumbers(left, right string) int {
	return cmp.Or(cmp.Compare(len(left), len(right)), strings.Compare(left, right))
}

// list returns the shards of all streams that the table has and had.
func (c *Changes) list(ctx context.Context) ([]shard, error) {
	var shards []shard
	streams := &dynamodbstreams.ListStreamsInput{TableName: &c.table}
	for {
		page, err := c.client.ListStreams(ctx, streams)
		if err != nil {
			return nil, err
		}
		for _, stream := range page.Streams {
			found, err := c.shardsOf(ctx, stream)
			if err != nil {
				return nil, err
			}
			shards = append(shards, found...)
		}
		if streams.ExclusiveStartStreamArn = page.LastEvaluatedStreamArn; streams.ExclusiveStartStreamArn == nil {
			return shards, nil
		}
	}
}

func (c *Changes) shardsOf(ctx context.Context, stream types.Stream) ([]shard, error) {
	var shards []shard
	input := &dynamodbstreams.DescribeStreamInput{StreamArn: stream.StreamArn}
	for {
		page, err := c.client.DescribeStream(ctx, input)
		if isGone(err) {
			return shards, nil
		}
		if err != nil {
			return nil, err
		}
		for _, found := range page.StreamDescription.Shards {
			key := shardKey{aws.ToString(stream.StreamArn), aws.ToString(found.ShardId)}
			end := ""
			if found.SequenceNumberRange != nil {
				end = aws.ToString(found.SequenceNumberRange.EndingSequenceNumber)
			}
			shards = append(shards, shard{key, aws.ToString(stream.StreamLabel), end})
		}
		if input.ExclusiveStartShardId = page.StreamDescription.LastEvaluatedShardId; input.ExclusiveStartShardId == nil {
			return shards, nil
		}
	}
}

// isGone returns whether a stream or a shard has disappeared since it was listed.
func isGone(err error) bool {
	var gone *types.ResourceNotFoundException
	return errors.As(err, &gone)
}

// readShard reads what is after the checkpoint of a shard. It gets a new iterator each time, because a test may move the clock.
func (c *Changes) readShard(ctx context.Context, shard shard) ([]types.Record, error) {
	state := c.shards[shard.shardKey]
	if shard.end != "" && shard.end == state.end {
		return nil, nil
	}
	var found []types.Record
	iterator, err := c.iterator(ctx, shard.shardKey, state.checkpoint)
	for err == nil && iterator != nil {
		var page *dynamodbstreams.GetRecordsOutput
		page, err = c.client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		var trimmed *types.TrimmedDataAccessException
		if errors.As(err, &trimmed) {
			// Trimmed since we asked for the iterator.
			iterator, err = c.iterator(ctx, shard.shardKey, "")
			continue
		}
		if err != nil {
			break
		}
		found = append(found, page.Records...)
		if read := len(page.Records); read > 0 {
			state.checkpoint = aws.ToString(page.Records[read-1].Dynamodb.SequenceNumber)
		} else if shard.end == "" {
			// An open shard has no more records now. One that is closed has none when there is no iterator, and not before.
			break
		}
		iterator = page.NextShardIterator
	}
	if err != nil && !isGone(err) {
		return nil, err
	}
	if iterator == nil {
		state.end = shard.end
	}
	c.shards[shard.shardKey] = state
	return found, nil
}

// iterator returns one after the checkpoint, or one at the oldest record if there is no checkpoint or if it was trimmed.
func (c *Changes) iterator(ctx context.Context, key shardKey, checkpoint string) (*string, error) {
	input := &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &key.stream, ShardId: &key.shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	}
	if checkpoint != "" {
		input.ShardIteratorType, input.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &checkpoint
	}
	answer, err := c.client.GetShardIterator(ctx, input)
	var trimmed *types.TrimmedDataAccessException
	if checkpoint != "" && errors.As(err, &trimmed) {
		return c.iterator(ctx, key, "")
	}
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
