// Writes to a table and reads its stream to the end with the AWS SDK for JavaScript; see ../README.md.

import { execFileSync } from "node:child_process";
import {
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from "@aws-sdk/client-dynamodb-streams";

const endpoint = process.env.ENDPOINT;
const table = "clients-javascript";
const items = 100;

const options = {
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
};
const dynamodb = new DynamoDBClient(options);
const streams = new DynamoDBStreamsClient(options);

/** Gives the server a command through its control interface. */
function ctl(...args) {
  execFileSync(process.env.PRETENDER, ["ctl", "--endpoint", endpoint, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Writes items and keeps the names of the records that must follow. */
class Writer {
  versions = new Map();
  written = [];

  async put(id) {
    const event = this.versions.has(id) ? "MODIFY" : "INSERT";
    const version = this.#note(event, id);
    const item = { id: { S: id }, version: { N: String(version) }, text: { S: "put" } };
    await dynamodb.send(new PutItemCommand({ TableName: table, Item: item }));
  }

  async update(id) {
    this.#note("MODIFY", id);
    await dynamodb.send(
      new UpdateItemCommand({
        TableName: table,
        Key: { id: { S: id } },
        UpdateExpression: "SET #t = :text ADD version :one",
        ExpressionAttributeNames: { "#t": "text" },
        ExpressionAttributeValues: { ":text": { S: "updated" }, ":one": { N: "1" } },
      }),
    );
  }

  async delete(id) {
    this.written.push(`REMOVE ${id} ${this.versions.get(id)}`);
    this.versions.delete(id);
    await dynamodb.send(new DeleteItemCommand({ TableName: table, Key: { id: { S: id } } }));
  }

  /** Puts items of its own, updates every second one of all, deletes every fifth of its own. */
  async round(name) {
    const mine = Array.from({ length: items }, (_, number) => `${name}-${number}`);
    for (const id of mine) await this.put(id);
    const all = [...this.versions.keys()].sort();
    for (let at = 0; at < all.length; at += 2) await this.update(all[at]);
    for (let at = 0; at < mine.length; at += 5) await this.delete(mine[at]);
  }

  #note(event, id) {
    const version = (this.versions.get(id) ?? 0) + 1;
    this.versions.set(id, version);
    this.written.push(`${event} ${id} ${version}`);
    return version;
  }
}

/** Reads the shards of one stream, parents before children. */
class Reader {
  seen = [];
  last = new Map(); // shard id -> last sequence number seen
  versions = new Map();
  expired = 0;

  constructor(arn) {
    this.arn = arn;
  }

  /** Describes the stream, one shard a page. */
  async shards() {
    const shards = [];
    let start;
    do {
      const { StreamDescription: description } = await streams.send(
        new DescribeStreamCommand({ StreamArn: this.arn, Limit: 1, ExclusiveStartShardId: start }),
      );
      shards.push(...description.Shards);
      start = description.LastEvaluatedShardId;
    } while (start);
    return shards;
  }

  /** Returns an iterator behind the last record seen of the shard, or at its beginning. */
  async iterator(shardId) {
    const position = this.last.has(shardId)
      ? { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: this.last.get(shardId) }
      : { ShardIteratorType: "TRIM_HORIZON" };
    const answer = await streams.send(
      new GetShardIteratorCommand({ StreamArn: this.arn, ShardId: shardId, ...position }),
    );
    return answer.ShardIterator;
  }

  /** Reads one page; returns how many records it held, and the next iterator if there is one. */
  async page(shardId, iterator) {
    const answer = await streams.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: 7 }));
    for (const { eventName, dynamodb: change } of answer.Records) {
      this.last.set(shardId, change.SequenceNumber);
      const item = change.NewImage ?? change.OldImage;
      const id = item.id.S;
      const version = Number(item.version.N);
      if (version < (this.versions.get(id) ?? 0)) {
        throw new Error(`${id}: version ${version} after ${this.versions.get(id)}`);
      }
      this.versions.set(id, version);
      this.seen.push(`${eventName} ${id} ${version}`);
    }
    return { count: answer.Records.length, next: answer.NextShardIterator };
  }

  /** Reads a closed shard to its end, an open one until it has been empty three times. */
  async drain(shardId) {
    let iterator = await this.iterator(shardId);
    let empty = 0;
    while (iterator && empty < 3) {
      try {
        const { count, next } = await this.page(shardId, iterator);
        iterator = next;
        empty = count ? 0 : empty + 1;
      } catch (error) {
        if (!(error instanceof ExpiredIteratorException)) throw error;
        this.expired += 1;
        iterator = await this.iterator(shardId);
      }
    }
  }

  /** Reads every shard, a parent before its children; returns how many there are. */
  async drainAll() {
    const finished = new Set();
    for (;;) {
      const shards = (await this.shards()).filter((shard) => !finished.has(shard.ShardId));
      if (shards.length === 0) return finished.size;
      const waiting = new Set(shards.map((shard) => shard.ShardId));
      for (const { ShardId: shardId, ParentShardId: parent } of shards) {
        if (waiting.has(parent)) continue;
        await this.drain(shardId);
        finished.add(shardId);
      }
    }
  }
}

await dynamodb.send(
  new CreateTableCommand({
    TableName: table,
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    BillingMode: "PAY_PER_REQUEST",
    StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
  }),
);
await waitUntilTableExists({ client: dynamodb, maxWaitTime: 60, minDelay: 1 }, { TableName: table });
const description = await dynamodb.send(new DescribeTableCommand({ TableName: table }));
const arn = description.Table.LatestStreamArn;
const listed = await streams.send(new ListStreamsCommand({ TableName: table }));
if (!listed.Streams.some((stream) => stream.StreamArn === arn)) {
  throw new Error(`ListStreams does not list ${arn}`);
}

const writer = new Writer();
const reader = new Reader(arn);
await writer.round("first");
const [{ ShardId: first }] = await reader.shards();
let kept = await reader.iterator(first);
for (let page = 0; page < 3; page += 1) kept = (await reader.page(first, kept)).next;

ctl("shards", "split", arn, first);
ctl("clock", "advance", "16m");
const refused = await streams.send(new GetRecordsCommand({ ShardIterator: kept })).then(
  () => undefined,
  (error) => error,
);
if (!(refused instanceof ExpiredIteratorException)) {
  throw new Error(`an iterator of 16 minutes: ${refused ?? "accepted"}`);
}
reader.expired += 1;

await writer.round("second");
const shards = await reader.drainAll();

const written = new Set(writer.written);
const seen = new Set(reader.seen);
console.log(
  JSON.stringify({
    client: "javascript",
    written: writer.written.length,
    seen: reader.seen.length,
    duplicates: reader.seen.length - seen.size,
    missing: [...written].filter((record) => !seen.has(record)).length,
    unexpected: [...seen].filter((record) => !written.has(record)).length,
    shards,
    expired: reader.expired,
  }),
);
