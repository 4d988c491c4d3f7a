// Command client writes to a table and reads its stream to the end with the AWS SDK for Go; see ../README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"sort"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

const (
	table = "clients-go"
	items = 100
)

var (
	ctx      = context.Background()
	endpoint = os.Getenv("ENDPOINT")
	login    = credentials.NewStaticCredentialsProvider("test", "test", "")
	db       = dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint), Credentials: login,
		// Long answers come packed; the client compares the checksum with that of the packed bytes.
		EnableAcceptEncodingGzip: true,
	})
	streams = dynamodbstreams.New(dynamodbstreams.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint), Credentials: login,
	})
)

// change names one stream record.
type change struct {
	event, id string
	version   int
}

// ctl gives the server a command through its control interface.
func ctl(arguments ...string) {
	command := exec.Command(os.Getenv("PRETENDER"), append([]string{"ctl", "--endpoint", endpoint}, arguments...)...)
	command.Stderr = os.Stderr
	check(command.Run())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func text(value string) types.AttributeValue {
	return &types.AttributeValueMemberS{Value: value}
}

func number(value int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(value)}
}

// writer writes items and keeps the names of the records that must follow.
type writer struct {
	versions map[string]int
	written  []change
}

func (w *writer) note(event, id string) int {
	w.versions[id]++
	w.written = append(w.written, change{event, id, w.versions[id]})
	return w.versions[id]
}

func (w *writer) put(id string) {
	event := "INSERT"
	if w.versions[id] > 0 {
		event = "MODIFY"
	}
	item := map[string]types.AttributeValue{"id": text(id), "version": number(w.note(event, id)), "text": text("put")}
	must(db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(table), Item: item}))
}

func (w *writer) update(id string) {
	w.note("MODIFY", id)
	must(db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String(table),
		Key:                       map[string]types.AttributeValue{"id": text(id)},
		UpdateExpression:          aws.String("SET #t = :text ADD version :one"),
		ExpressionAttributeNames:  map[string]string{"#t": "text"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":text": text("updated"), ":one": number(1)},
	}))
}

func (w *writer) remove(id string) {
	w.written = append(w.written, change{"REMOVE", id, w.versions[id]})
	delete(w.versions, id)
	must(db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(table), Key: map[string]types.AttributeValue{"id": text(id)},
	}))
}

// round puts items of its own, updates every second one of all, deletes every fifth of its own.
func (w *writer) round(name string) {
	var mine, all []string
	for at := range items {
		mine = append(mine, fmt.Sprintf("%s-%d", name, at))
		w.put(mine[at])
	}
	for id := range w.versions {
		all = append(all, id)
	}
	sort.Strings(all)
	for at := 0; at < len(all); at += 2 {
		w.update(all[at])
	}
	for at := 0; at < len(mine); at += 5 {
		w.remove(mine[at])
	}
}

// reader reads the shards of one stream, parents before children.
type reader struct {
	arn      *string
	seen     []change
	last     map[string]*string // shard id -> last sequence number seen
	versions map[string]int
	expired  int
}

// shards describes the stream, one shard a page.
func (r *reader) shards() []streamtypes.Shard {
	var shards []streamtypes.Shard
	var start *string
	for {
		answer := must(streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{
			StreamArn: r.arn, Limit: aws.Int32(1), ExclusiveStartShardId: start,
		}))
		shards = append(shards, answer.StreamDescription.Shards...)
		if start = answer.StreamDescription.LastEvaluatedShardId; start == nil {
			return shards
		}
	}
}

// iterator returns an iterator behind the last record seen of the shard, or at its beginning.
func (r *reader) iterator(shardID string) *string {
	input := &dynamodbstreams.GetShardIteratorInput{
		StreamArn: r.arn, ShardId: &shardID, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
	}
	if last, ok := r.last[shardID]; ok {
		input.ShardIteratorType = streamtypes.ShardIteratorTypeAfterSequenceNumber
		input.SequenceNumber = last
	}
	return must(streams.GetShardIterator(ctx, input)).ShardIterator
}

// page reads one page; it returns how many records it held, and the next iterator if there is one.
func (r *reader) page(shardID string, iterator *string) (int, *string, error) {
	answer, err := streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{
		ShardIterator: iterator, Limit: aws.Int32(7),
	})
	if err != nil {
		return 0, nil, err
	}
	for _, record := range answer.Records {
		r.last[shardID] = record.Dynamodb.SequenceNumber
		item := record.Dynamodb.NewImage
		if item == nil {
			item = record.Dynamodb.OldImage
		}
		id := item["id"].(*streamtypes.AttributeValueMemberS).Value
		version := must(strconv.Atoi(item["version"].(*streamtypes.AttributeValueMemberN).Value))
		if version < r.versions[id] {
			log.Fatalf("%s: version %d after %d", id, version, r.versions[id])
		}
		r.versions[id] = version
		r.seen = append(r.seen, change{string(record.EventName), id, version})
	}
	return len(answer.Records), answer.NextShardIterator, nil
}

// drain reads a closed shard to its end, an open one until it has been empty three times.
func (r *reader) drain(shardID string) {
	iterator := r.iterator(shardID)
	for empty := 0; iterator != nil && empty < 3; {
		count, next, err := r.page(shardID, iterator)
		var expired *streamtypes.ExpiredIteratorException
		if errors.As(err, &expired) {
			r.expired++
			iterator = r.iterator(shardID)
			continue
		}
		check(err)
		iterator = next
		if empty++; count > 0 {
			empty = 0
		}
	}
}

// drainAll reads every shard, a parent before its children; it returns how many there are.
func (r *reader) drainAll() int {
	finished := map[string]bool{}
	for {
		waiting := map[string]streamtypes.Shard{}
		for _, shard := range r.shards() {
			if !finished[*shard.ShardId] {
				waiting[*shard.ShardId] = shard
			}
		}
		if len(waiting) == 0 {
			return len(finished)
		}
		for id, shard := range waiting {
			if _, parentWaits := waiting[aws.ToString(shard.ParentShardId)]; !parentWaits {
				r.drain(id)
				finished[id] = true
			}
		}
	}
}

func main() {
	log.SetFlags(0)
	must(db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String(table),
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS},
		},
		BillingMode: types.BillingModePayPerRequest,
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
		},
	}))
	described := &dynamodb.DescribeTableInput{TableName: aws.String(table)}
	check(dynamodb.NewTableExistsWaiter(db).Wait(ctx, described, time.Minute))
	arn := must(db.DescribeTable(ctx, described)).Table.LatestStreamArn
	found := false
	for _, stream := range must(streams.ListStreams(ctx, &dynamodbstreams.ListStreamsInput{TableName: aws.String(table)})).Streams {
		found = found || *stream.StreamArn == *arn
	}
	if !found {
		log.Fatalf("ListStreams does not list %s", *arn)
	}

	w := &writer{versions: map[string]int{}}
	r := &reader{arn: arn, last: map[string]*string{}, versions: map[string]int{}}
	w.round("first")
	first := *r.shards()[0].ShardId
	kept := r.iterator(first)
	for range 3 {
		_, next, err := r.page(first, kept)
		check(err)
		kept = next
	}

	ctl("shards", "split", *arn, first)
	ctl("clock", "advance", "16m")
	_, _, err := r.page(first, kept)
	var expired *streamtypes.ExpiredIteratorException
	if !errors.As(err, &expired) {
		log.Fatalf("an iterator of 16 minutes: %v", err)
	}
	r.expired++

	w.round("second")
	shards := r.drainAll()
	scanned := must(db.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(table)}))
	if int(scanned.Count) != len(w.versions) {
		log.Fatalf("%d items instead of %d", scanned.Count, len(w.versions))
	}

	written, seen := set(w.written), set(r.seen)
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"client":     "go",
		"written":    len(w.written),
		"seen":       len(r.seen),
		"duplicates": len(r.seen) - len(seen),
		"missing":    without(written, seen),
		"unexpected": without(seen, written),
		"shards":     shards,
		"expired":    r.expired,
	}))
}

func set(changes []change) map[change]bool {
	set := map[change]bool{}
	for _, change := range changes {
		set[change] = true
	}
	return set
}

// without counts what is in a but not in b.
func without(a, b map[change]bool) int {
	count := 0
	for change := range a {
		if !b[change] {
			count++
		}
	}
	return count
}
