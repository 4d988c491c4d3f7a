"use strict";

const { ApiError, ConnectionError } = require("./http.js");
const { PretenderError, UnexpectedChangesError } = require("./errors.js");
const { report, reasons } = require("./report.js");
const { plainItem } = require("./values.js");

/** @typedef {import("../types").Changes} ChangesApi */
/** @typedef {import("../types").Change} Change */
/** @typedef {import("../types").ExpectedChange} ExpectedChange */
/** @typedef {import("../types").Attributes} Attributes */

/** The first pause between two reads of the stream, in milliseconds. It doubles up to ten times this length. */
const PAUSE = 5;

/**
 * What was read of a shard.
 *
 * @typedef {object} ReadShard
 * @property {string} streamArn
 * @property {string} shardId
 * @property {string | undefined} parent
 * @property {string | undefined} last The sequence number of the last record that was read.
 * @property {boolean} finished Whether the shard is closed and was read to its end.
 * @property {Change[]} unread The changes that were not compared yet.
 */

/** @implements {ChangesApi} */
class Changes {
  timeout = 5_000;
  #table;
  #call;
  /** @type {Map<string, ReadShard>} By the id of the shard. */
  #shards = new Map();

  /**
   * @param {string} table
   * @param {(operation: string, input: object) => Promise<any>} call Calls an operation of the Streams API.
   */
  constructor(table, call) {
    this.#table = table;
    this.#call = call;
  }

  async expect(/** @type {ExpectedChange[]} */ ...expected) {
    const deadline = Date.now() + this.timeout;
    for (let pause = PAUSE; ; pause = Math.min(pause * 2, PAUSE * 10)) {
      const isLast = Date.now() >= deadline;
      const isComplete = await this.#read(isLast);
      const { found, differs, isSettled } = this.#inOrder(expected);
      if (isComplete && !differs && found.length === expected.length) return this.#take(found);
      const isFinal = found.length > expected.length || (differs && isSettled);
      if (isLast || (isComplete && isFinal)) {
        throw new UnexpectedChangesError(report(this.#table, expected, found), expected, found);
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async read() {
    const deadline = Date.now() + this.timeout;
    while (!(await this.#read(Date.now() >= deadline))) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    return this.#take(this.#inOrder([]).found);
  }

  /**
   * Reads all shards to their present ends.
   *
   * @param {boolean} isLast Whether a call that may succeed later is an error.
   * @returns {Promise<boolean>} Whether all calls have succeeded. If not, the next read continues where this one stopped.
   */
  async #read(isLast) {
    try {
      await this.#findShards();
      for (const shard of this.#shards.values()) await this.#readShard(shard);
      return true;
    } catch (error) {
      const isTransient = error instanceof ConnectionError || (error instanceof ApiError && error.isTransient);
      if (isTransient && !isLast) return false;
      throw error;
    }
  }

  /** Adds the shards that are new, parents first. A table has several streams if its stream was switched off and on. */
  async #findShards() {
    const { Streams: streams } = await this.#call("ListStreams", { TableName: this.#table });
    if (streams.length === 0 && this.#shards.size === 0) {
      throw new PretenderError(`there is no stream of a table \`${this.#table}\``);
    }
    streams.sort((/** @type {any} */ one, /** @type {any} */ other) => (one.StreamLabel < other.StreamLabel ? -1 : 1));
    for (const { StreamArn: streamArn } of streams) {
      let start;
      do {
        const input = { StreamArn: streamArn, ExclusiveStartShardId: start };
        const { StreamDescription: stream } = await this.#call("DescribeStream", input);
        for (const { ShardId: shardId, ParentShardId: parent } of stream.Shards) {
          if (this.#shards.has(shardId)) continue;
          this.#shards.set(shardId, { streamArn, shardId, parent, last: undefined, finished: false, unread: [] });
        }
        start = stream.LastEvaluatedShardId;
      } while (start);
    }
  }

  /** @param {ReadShard} shard */
  async #readShard(shard) {
    if (shard.finished) return;
    const { streamArn: StreamArn, shardId: ShardId, last } = shard;
    const from = last
      ? { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: last }
      : { ShardIteratorType: "TRIM_HORIZON" };
    let iterator = (await this.#call("GetShardIterator", { StreamArn, ShardId, ...from })).ShardIterator;
    for (;;) {
      const page = await this.#call("GetRecords", { ShardIterator: iterator });
      for (const record of page.Records) {
        const number = record.dynamodb.SequenceNumber;
        // A page may repeat records that were read.
        if (shard.last && BigInt(number) <= BigInt(shard.last)) continue;
        shard.last = number;
        shard.unread.push(change(record, ShardId));
      }
      iterator = page.NextShardIterator;
      shard.finished = !iterator;
      if (shard.finished || page.Records.length === 0) return;
    }
  }

  /**
   * Puts the unread changes of all shards in order. A change comes after those of the parents of its shard. Among shards
   * that are not related, the stream defines no order, so the one comes first that fits to what is expected.
   *
   * @param {ExpectedChange[]} expected
   * @returns `differs`: whether a change is not as expected. `isSettled`: whether later changes cannot mend that.
   */
  #inOrder(expected) {
    const queues = [...this.#shards.values()].map((shard) => ({ ...shard, unread: [...shard.unread] }));
    const blocking = new Set(queues.filter((queue) => !queue.finished || queue.unread.length > 0).map(nameOf));
    /** @type {Change[]} */
    const found = [];
    let differs = false;
    for (;;) {
      const ready = queues.filter((queue) => queue.unread.length > 0 && !blocking.has(queue.parent ?? ""));
      const wanted = expected[found.length];
      const fitting = ready.find((queue) => wanted && reasons(wanted, queue.unread[0]).length === 0);
      const queue = fitting ?? ready[0];
      if (!queue) break;
      if (wanted && !fitting) differs = true;
      found.push(/** @type {Change} */ (queue.unread.shift()));
      if (queue.unread.length === 0 && queue.finished) blocking.delete(queue.shardId);
    }
    // A change that is still to come in another shard could take the place of one that differs.
    const isSettled = queues.filter((queue) => !queue.finished).length < 2;
    return { found, differs, isSettled };
  }

  /** Removes changes from those that are unread. @param {Change[]} found */
  #take(found) {
    const taken = new Set(found);
    for (const shard of this.#shards.values()) {
      shard.unread = shard.unread.filter((change) => !taken.has(change));
    }
    return found;
  }
}

/** @param {{ shardId: string }} shard */
function nameOf({ shardId }) {
  return shardId;
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

/** @param {Attributes} [attributes] @returns {ExpectedChange} */
function insert(attributes = {}) {
  return { event: "INSERT", newAttributes: attributes };
}

/** @param {Attributes} [attributes] @param {Attributes} [oldAttributes] @returns {ExpectedChange} */
function modify(attributes = {}, oldAttributes = {}) {
  return { event: "MODIFY", newAttributes: attributes, oldAttributes };
}

/** @param {Attributes} [attributes] @param {{ byTtl?: boolean }} [options] @returns {ExpectedChange} */
function remove(attributes = {}, { byTtl } = {}) {
  return { event: "REMOVE", oldAttributes: attributes, byTtl };
}

module.exports = { Changes, insert, modify, remove };
