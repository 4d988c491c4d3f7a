"use strict";

const { ApiError, ConnectionError } = require("./http.js");
const { PretenderError } = require("./errors.js");
const { now } = require("./time.js");
const { plainItem } = require("./values.js");

/** @typedef {import("../types").Change} Change */

/**
 * Calls an operation of the Streams API, which may take this many milliseconds.
 *
 * @typedef {(operation: string, input: object, limit: number) => Promise<any>} Call
 */

/**
 * What was read of a shard.
 *
 * @typedef {object} ReadShard
 * @property {string} streamArn
 * @property {string} shardId
 * @property {string | undefined} parent
 * @property {string | undefined} last The sequence number of the last record that was read.
 * @property {boolean} isTrimmed Whether that record was trimmed, so that no iterator can begin after it.
 * @property {boolean} finished Whether the shard is closed and was read to its end, or is gone.
 * @property {Change[]} unread The changes that were not compared yet.
 */

/** How long a read may take at least, in milliseconds: even without a time to wait, the server has some time to answer. */
const READ_LIMIT = 1_000;

/** Reads the records of all streams of a table. */
class Reader {
  #table;
  #call;
  /** When the current read must have ended. */
  #end = 0;
  /** @type {Map<string, ReadShard>} By stream and shard: first those of the oldest stream, and parents first. */
  #shards = new Map();

  /**
   * @param {string} table
   * @param {Call} call
   */
  constructor(table, call) {
    this.#table = table;
    this.#call = call;
  }

  get shards() {
    return [...this.#shards.values()];
  }

  /** Reads all shards to their present ends. @param {number} end When this must have ended. */
  async read(end) {
    this.#end = Math.max(end, now() + READ_LIMIT);
    await this.#findShards();
    for (const shard of this.#shards.values()) {
      while (!shard.finished && !(await this.#readShard(shard)));
    }
  }

  /** Adds the shards that are new. A table has several streams if its stream was switched off and on. */
  async #findShards() {
    const { Streams: streams } = await this.#send("ListStreams", { TableName: this.#table });
    if (streams.length === 0 && this.#shards.size === 0) {
      throw new PretenderError(`there is no stream of a table \`${this.#table}\``);
    }
    streams.sort((/** @type {any} */ one, /** @type {any} */ other) => (one.StreamLabel < other.StreamLabel ? -1 : 1));
    for (const { StreamArn: streamArn } of streams) {
      let start;
      do {
        const input = { StreamArn: streamArn, ExclusiveStartShardId: start };
        const description = await unless("ResourceNotFound", this.#send("DescribeStream", input));
        for (const { ShardId: shardId, ParentShardId: parent } of description?.StreamDescription.Shards ?? []) {
          const name = `${streamArn} ${shardId}`;
          if (this.#shards.has(name)) continue;
          const unread = { last: undefined, isTrimmed: false, finished: false, unread: [] };
          this.#shards.set(name, { streamArn, shardId, parent, ...unread });
        }
        start = description?.StreamDescription.LastEvaluatedShardId;
      } while (start);
    }
  }

  /**
   * @param {ReadShard} shard
   * @returns {Promise<boolean>} Whether the shard was read to its present end. If not, its iterator was refused.
   */
  async #readShard(shard) {
    const { streamArn: StreamArn, shardId: ShardId, last } = shard;
    const from =
      last && !shard.isTrimmed
        ? { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: last }
        : { ShardIteratorType: "TRIM_HORIZON" };
    try {
      let iterator = (await this.#send("GetShardIterator", { StreamArn, ShardId, ...from })).ShardIterator;
      for (;;) {
        const page = await this.#send("GetRecords", { ShardIterator: iterator });
        for (const record of page.Records) {
          const number = record.dynamodb.SequenceNumber;
          // The oldest record that is left may have been read already.
          if (shard.last && BigInt(number) <= BigInt(shard.last)) continue;
          shard.last = number;
          shard.isTrimmed = false;
          shard.unread.push(change(record, ShardId));
        }
        iterator = page.NextShardIterator;
        shard.finished = !iterator;
        if (shard.finished || page.Records.length === 0) return true;
      }
    } catch (error) {
      if (isError(error, "ResourceNotFound")) return (shard.finished = true);
      shard.isTrimmed ||= isError(error, "TrimmedDataAccess");
      if (shard.isTrimmed || isError(error, "ExpiredIterator")) return false;
      throw error;
    }
  }

  /**
   * @param {string} operation
   * @param {object} input
   */
  async #send(operation, input) {
    const limit = this.#end - now();
    if (limit > 0) return this.#call(operation, input, limit);
    throw new ConnectionError(`the stream of \`${this.#table}\` could not be read in time`);
  }
}

/** @param {unknown} error @param {string} code */
function isError(error, code) {
  return error instanceof ApiError && error.code === `${code}Exception`;
}

/** @param {string} code @param {Promise<any>} answer */
function unless(code, answer) {
  return answer.catch((error) => {
    if (!isError(error, code)) throw error;
  });
}

/**
 * @param {any} record
 * @param {string} shardId
 * @returns {Change}
 */
function change({ eventName, dynamodb, userIdentity }, shardId) {
  return {
    event: eventName,
    keys: plainItem(dynamodb.Keys),
    ...(dynamodb.NewImage && { newImage: plainItem(dynamodb.NewImage) }),
    ...(dynamodb.OldImage && { oldImage: plainItem(dynamodb.OldImage) }),
    ...(userIdentity && { userIdentity: { type: userIdentity.Type, principalId: userIdentity.PrincipalId } }),
    shardId,
    sequenceNumber: dynamodb.SequenceNumber,
  };
}

module.exports = { Reader };
