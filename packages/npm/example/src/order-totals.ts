import { paginateScan, type AttributeValue, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
  ResourceNotFoundException,
  TrimmedDataAccessException,
  type _Record as StreamRecord,
  type DynamoDBStreamsClient,
  type Shard,
} from "@aws-sdk/client-dynamodb-streams";

/** What the consumer stores to continue later. */
export interface Checkpoint {
  /** By shard: the last sequence number that was handled, or `begun` or `finished`. */
  shards: Record<string, string>;
  /** The customer and the total of each order. */
  orders: Record<string, { customer: string; total: number }>;
}

const BEGUN = "begun";
const FINISHED = "finished";

/** Reads the stream of the orders, and keeps the total of each customer. */
export class OrderTotals {
  /** How many records were handled. */
  handled = 0;
  /** How often the orders were read from the table, because records were trimmed before they were read. */
  repairs = 0;

  readonly #streams: DynamoDBStreamsClient;
  readonly #db: DynamoDBClient;
  readonly #iterators = new Map<string, string>();
  readonly #checkpoint: Checkpoint;

  constructor(streams: DynamoDBStreamsClient, db: DynamoDBClient, checkpoint: Checkpoint = { shards: {}, orders: {} }) {
    this.#streams = streams;
    this.#db = db;
    this.#checkpoint = structuredClone(checkpoint);
  }

  /** Returns where the consumer is, for a consumer that continues there. */
  checkpoint(): Checkpoint {
    return structuredClone(this.#checkpoint);
  }

  /** Returns the total of the orders of each customer. */
  totals(): Record<string, number> {
    const totals: Record<string, number> = {};
    for (const { customer, total } of Object.values(this.#checkpoint.orders)) {
      totals[customer] = (totals[customer] ?? 0) + total;
    }
    return totals;
  }

  /** Handles the records that there are now. After a call that was throttled, the next poll continues. */
  async poll(): Promise<void> {
    const { Streams } = await this.#streams.send(new ListStreamsCommand({ TableName: "orders" }));
    const streamArn = Streams?.[0]?.StreamArn;
    if (!streamArn) throw new Error("the table `orders` has no stream");

    // A shard may have children that are found only after it was read to its end.
    for (let mayHaveMore = true; mayHaveMore; ) {
      const shards = await this.#describe(streamArn);
      await this.#forgetRemoved(shards);
      const unread = new Set(shards.map(({ ShardId }) => ShardId).filter((id) => !this.#isFinished(id)));
      // An older version of an order must not overwrite a newer one, so a shard waits for its parent.
      const ready = shards.filter((shard) => unread.has(shard.ShardId) && !unread.has(shard.ParentShardId));
      for (const { ShardId } of ready) await this.#read(streamArn, ShardId!);
      mayHaveMore = ready.some(({ ShardId }) => this.#isFinished(ShardId));
    }
  }

  async #describe(streamArn: string): Promise<Shard[]> {
    const shards: Shard[] = [];
    let start: string | undefined;
    do {
      const { StreamDescription } = await this.#streams.send(
        new DescribeStreamCommand({ StreamArn: streamArn, ExclusiveStartShardId: start }),
      );
      shards.push(...(StreamDescription?.Shards ?? []));
      start = StreamDescription?.LastEvaluatedShardId;
    } while (start);
    return shards;
  }

  #isFinished(shardId: string | undefined): boolean {
    return this.#checkpoint.shards[shardId ?? ""] === FINISHED;
  }

  /** Forgets shards that are no longer listed. If one was not read to its end, its last records are lost. */
  async #forgetRemoved(shards: Shard[]): Promise<void> {
    const listed = new Set(shards.map(({ ShardId }) => ShardId));
    const removed = Object.keys(this.#checkpoint.shards).filter((id) => !listed.has(id));
    const areRecordsLost = removed.some((id) => !this.#isFinished(id));
    for (const id of removed) {
      delete this.#checkpoint.shards[id];
      this.#iterators.delete(id);
    }
    if (areRecordsLost) await this.#repair();
  }

  /** Handles the records of a shard up to its present end. */
  async #read(streamArn: string, shardId: string): Promise<void> {
    for (;;) {
      try {
        const iterator = this.#iterators.get(shardId) ?? (await this.#iterator(streamArn, shardId));
        const page = await this.#streams.send(new GetRecordsCommand({ ShardIterator: iterator }));
        for (const record of page.Records ?? []) {
          this.#handle(record);
          this.#checkpoint.shards[shardId] = record.dynamodb!.SequenceNumber!;
        }
        if (!page.NextShardIterator) {
          this.#checkpoint.shards[shardId] = FINISHED;
          this.#iterators.delete(shardId);
          return;
        }
        this.#iterators.set(shardId, page.NextShardIterator);
        if (!page.Records?.length) return;
      } catch (error) {
        this.#iterators.delete(shardId);
        if (error instanceof ExpiredIteratorException) continue;
        if (error instanceof TrimmedDataAccessException) {
          this.#checkpoint.shards[shardId] = BEGUN;
          await this.#repair();
          continue;
        }
        // The shard was removed meanwhile, or the SDK has given up after some attempts: the next poll goes on.
        if (error instanceof ResourceNotFoundException || isThrottling(error)) return;
        throw error;
      }
    }
  }

  async #iterator(streamArn: string, shardId: string): Promise<string> {
    const last = (this.#checkpoint.shards[shardId] ??= BEGUN);
    const { ShardIterator } = await this.#streams.send(
      new GetShardIteratorCommand({
        StreamArn: streamArn,
        ShardId: shardId,
        ...(last === BEGUN
          ? { ShardIteratorType: "TRIM_HORIZON" }
          : { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: last }),
      }),
    );
    return ShardIterator!;
  }

  #handle({ eventName, dynamodb }: StreamRecord): void {
    const id = dynamodb!.Keys!.id!.S!;
    if (eventName === "REMOVE") delete this.#checkpoint.orders[id];
    else this.#keep(dynamodb!.NewImage!);
    this.handled += 1;
  }

  #keep({ id, customer, total }: Record<string, AttributeValue>): void {
    this.#checkpoint.orders[id!.S!] = { customer: customer!.S!, total: Number(total!.N) };
  }

  /** Reads all orders from the table. Records that are still in the stream lead to the same state once more. */
  async #repair(): Promise<void> {
    this.repairs += 1;
    this.#checkpoint.orders = {};
    for await (const { Items } of paginateScan({ client: this.#db }, { TableName: "orders", ConsistentRead: true })) {
      for (const item of Items ?? []) this.#keep(item);
    }
  }
}

function isThrottling(error: unknown): boolean {
  const name = error instanceof Error ? error.name : "";
  return ["ThrottlingException", "LimitExceededException", "ProvisionedThroughputExceededException"].includes(name);
}
