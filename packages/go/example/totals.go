package orders

import (
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// Progress is what [OrderTotals] has to keep, together, to continue after a restart.
type Progress struct {
	// Orders has what each order contributes. A record that comes twice changes nothing.
	Orders map[string]Amount
	// Checkpoints has the sequence number of the last record of each shard that was handled.
	Checkpoints map[string]string
	// Finished has the shards that were read to their end.
	Finished map[string]bool
	// Records counts the records that were handled.
	Records int
}

// An Amount is a customer and the total of one order.
type Amount struct {
	Customer string
	Total    int
}

// OrderTotals keeps the totals of all customers. It reads the stream of the orders.
type OrderTotals struct {
	store     *OrderStore
	streams   *dynamodbstreams.Client
	streamARN string
	progress  Progress
	iterators map[string]string
}

// NewOrderTotals begins at the oldest record of the stream, or continues from the progress of an earlier consumer.
func NewOrderTotals(store *OrderStore, streams *dynamodbstreams.Client, streamARN string, progress Progress) *OrderTotals {
	if progress.Orders == nil {
		progress = Progress{Orders: map[string]Amount{}, Checkpoints: map[string]string{}, Finished: map[string]bool{}}
	}
	return &OrderTotals{store: store, streams: streams, streamARN: streamARN, progress: progress, iterators: map[string]string{}}
}

// Progress returns what was done so far.
func (t *OrderTotals) Progress() Progress { return t.progress }

// Of returns the total of a customer.
func (t *OrderTotals) Of(customer string) int {
	sum := 0
	for _, amount := range t.progress.Orders {
		if amount.Customer == customer {
			sum += amount.Total
		}
	}
	return sum
}

// Poll handles all records that are there. After an error, such as throttling that outlasts the retries of the client, it can be called
// again and continues where it was.
func (t *OrderTotals) Poll(ctx context.Context) error {
	for {
		shards, err := t.shards(ctx)
		if err != nil {
			return err
		}
		if t.misses(shards) {
			if err := t.rebuild(ctx); err != nil {
				return err
			}
		}
		finished, err := t.pollOnce(ctx, shards)
		if err != nil {
			return err
		}
		// A shard that is finished may have children now.
		if !finished {
			return nil
		}
	}
}

// misses returns whether a shard has disappeared that was not read to its end. Its last records, and maybe those of its children, are lost.
func (t *OrderTotals) misses(shards []types.Shard) bool {
	listed := map[string]bool{}
	for _, shard := range shards {
		listed[aws.ToString(shard.ShardId)] = true
	}
	for id := range t.progress.Checkpoints {
		if !listed[id] && !t.progress.Finished[id] {
			return true
		}
	}
	return false
}

// pollOnce reads each shard whose parent is finished, and returns whether it has finished one.
func (t *OrderTotals) pollOnce(ctx context.Context, shards []types.Shard) (bool, error) {
	listed := map[string]bool{}
	for _, shard := range shards {
		listed[aws.ToString(shard.ShardId)] = true
	}
	finished := false
	for _, shard := range shards {
		id, parent := aws.ToString(shard.ShardId), aws.ToString(shard.ParentShardId)
		if t.progress.Finished[id] || listed[parent] && !t.progress.Finished[parent] {
			continue
		}
		if err := t.pollShard(ctx, id); err != nil {
			return finished, err
		}
		finished = finished || t.progress.Finished[id]
	}
	return finished, nil
}

func (t *OrderTotals) shards(ctx context.Context) ([]types.Shard, error) {
	var shards []types.Shard
	input := &dynamodbstreams.DescribeStreamInput{StreamArn: &t.streamARN}
	for {
		page, err := t.streams.DescribeStream(ctx, input)
		if err != nil {
			return nil, err
		}
		shards = append(shards, page.StreamDescription.Shards...)
		if input.ExclusiveStartShardId = page.StreamDescription.LastEvaluatedShardId; input.ExclusiveStartShardId == nil {
			return shards, nil
		}
	}
}

// pollShard reads a shard until there is no record left.
func (t *OrderTotals) pollShard(ctx context.Context, shard string) error {
	for {
		iterator, err := t.iterator(ctx, shard)
		if err != nil {
			return err
		}
		page, err := t.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: &iterator})
		var expired *types.ExpiredIteratorException
		var trimmed *types.TrimmedDataAccessException
		switch {
		case errors.As(err, &expired):
			// The next iterator begins after the checkpoint.
			delete(t.iterators, shard)
			continue
		case errors.As(err, &trimmed):
			if err := t.rebuild(ctx); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		for _, record := range page.Records {
			t.handle(record)
			t.progress.Checkpoints[shard] = aws.ToString(record.Dynamodb.SequenceNumber)
		}
		if page.NextShardIterator == nil {
			t.progress.Finished[shard] = true
			delete(t.iterators, shard)
			return nil
		}
		t.iterators[shard] = *page.NextShardIterator
		if len(page.Records) == 0 {
			return nil
		}
	}
}

// iterator returns the iterator of the last page, or else one after the checkpoint, or else one at the oldest record.
func (t *OrderTotals) iterator(ctx context.Context, shard string) (string, error) {
	if iterator, ok := t.iterators[shard]; ok {
		return iterator, nil
	}
	input := &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &t.streamARN, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	}
	if checkpoint, ok := t.progress.Checkpoints[shard]; ok {
		input.ShardIteratorType, input.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &checkpoint
	}
	answer, err := t.streams.GetShardIterator(ctx, input)
	var trimmed *types.TrimmedDataAccessException
	if errors.As(err, &trimmed) {
		if err := t.rebuild(ctx); err != nil {
			return "", err
		}
		return t.iterator(ctx, shard)
	}
	if err != nil {
		return "", err
	}
	t.iterators[shard] = aws.ToString(answer.ShardIterator)
	return t.iterators[shard], nil
}

// rebuild is called when records were trimmed before they were read. It takes all orders from the table, and begins at the oldest records
// that are left. These bring orders to what they were at some moment since, and at last to what they are now.
func (t *OrderTotals) rebuild(ctx context.Context) error {
	orders, err := t.store.All(ctx)
	if err != nil {
		return err
	}
	clear(t.progress.Orders)
	for _, order := range orders {
		t.progress.Orders[order.ID] = Amount{order.Customer, order.Total}
	}
	clear(t.iterators)
	clear(t.progress.Checkpoints)
	clear(t.progress.Finished)
	return nil
}

func (t *OrderTotals) handle(record types.Record) {
	t.progress.Records++
	id := textOf(record.Dynamodb.Keys["id"])
	if record.EventName == types.OperationTypeRemove {
		delete(t.progress.Orders, id)
		return
	}
	image := record.Dynamodb.NewImage
	total, _ := strconv.Atoi(numberOf(image["total"]))
	t.progress.Orders[id] = Amount{textOf(image["customer"]), total}
}

func textOf(value types.AttributeValue) string {
	if value, ok := value.(*types.AttributeValueMemberS); ok {
		return value.Value
	}
	return ""
}

func numberOf(value types.AttributeValue) string {
	if value, ok := value.(*types.AttributeValueMemberN); ok {
		return value.Value
	}
	return ""
}
