"use strict";

const { UnexpectedChangesError } = require("./errors.js");
const { Reader } = require("./reader.js");
const { report, reasons } = require("./report.js");
const { now, pause } = require("./time.js");

/** @typedef {import("../types").Changes} ChangesApi */
/** @typedef {import("../types").Change} Change */
/** @typedef {import("../types").ExpectedChange} ExpectedChange */
/** @typedef {import("../types").Attributes} Attributes */
/** @typedef {import("./reader.js").ReadShard} ReadShard */

/** The first pause between two reads of the stream, in milliseconds. It doubles up to ten times this length. */
const PAUSE = 5;

/** How many dead ends the search for an order may meet. Shards that are not related have very many orders. */
const DEAD_ENDS = 10_000;

/** @implements {ChangesApi} */
class Changes {
  // Less than the time that test frameworks give a test, so that the difference is shown.
  timeout = 2_000;
  #table;
  #reader;

  /**
   * @param {string} table
   * @param {import("./reader.js").Call} call
   */
  constructor(table, call) {
    this.#table = table;
    this.#reader = new Reader(table, call);
  }

  async expect(/** @type {ExpectedChange[]} */ ...expected) {
    const end = now() + this.timeout;
    for (let length = PAUSE; ; length = Math.min(length * 2, PAUSE * 10)) {
      const isLast = now() >= end;
      await this.#reader.read(end);
      const count = this.#reader.shards.reduce((sum, { unread }) => sum + unread.length, 0);
      if (isLast || count >= expected.length) {
        const { found, fits } = arrange(this.#reader.shards, expected);
        if (fits && found.length === expected.length) return this.#take(found);
        throw new UnexpectedChangesError(report(this.#table, expected, found), expected, found);
      }
      await pause(length);
    }
  }

  async read() {
    await this.#reader.read(now() + this.timeout);
    return this.#take(arrange(this.#reader.shards, []).found);
  }

  /** Removes changes from those that are unread. @param {Change[]} found */
  #take(found) {
    const taken = new Set(found);
    for (const shard of this.#reader.shards) shard.unread = shard.unread.filter((change) => !taken.has(change));
    return found;
  }
}

/**
 * Puts the unread changes in order: those of a stream after those of older streams, and those of a shard after those of
 * its ancestors. Among shards that are not related, the stream defines no order, so it is one that fits to what is expected, if
 * there is one.
 *
 * @param {ReadShard[]} shards
 * @param {ExpectedChange[]} expected
 * @returns `fits`: whether the changes are the expected ones, as far as there are both.
 */
function arrange(shards, expected) {
  const queues = shards.filter(({ unread }) => unread.length > 0);
  const ancestors = queues.map((shard) => ancestorsOf(shard, shards));
  /** How many changes of each queue are in `found`. */
  const positions = queues.map(() => 0);
  /** @type {Change[]} */
  const found = [];
  /** Positions from which the rest cannot fit. */
  const deadEnds = new Set();
  /** @type {number[]} The longest order that fits, as indices of queues. */
  let longest = [];
  /** @type {number[]} */
  const order = [];

  const isRead = (/** @type {number} */ at) => positions[at] === queues[at].unread.length;
  const ready = () => {
    const left = [...queues.keys()].filter((at) => !isRead(at));
    const ofOldest = left.filter((at) => queues[at].streamArn === queues[left[0]].streamArn);
    return ofOldest.filter((at) => !left.some((other) => ancestors[at].includes(queues[other])));
  };
  const isExpected = (/** @type {number} */ at) =>
    found.length < expected.length && reasons(expected[found.length], queues[at].unread[positions[at]]).length === 0;
  const next = (/** @type {number} */ at) => {
    order.push(at);
    found.push(queues[at].unread[positions[at]++]);
  };
  const back = () => {
    positions[/** @type {number} */ (order.pop())] -= 1;
    found.pop();
  };
  /** @returns {boolean} Whether the rest fits. */
  const search = () => {
    if (order.length > longest.length) longest = [...order];
    const candidates = ready();
    if (candidates.length === 0 || found.length === expected.length) return true;
    // From here, the rest of the order depends only on what is left.
    const place = positions.join();
    if (deadEnds.has(place) || deadEnds.size >= DEAD_ENDS) return false;
    for (const at of candidates.filter(isExpected)) {
      next(at);
      if (search()) return true;
      back();
    }
    deadEnds.add(place);
    return false;
  };

  const fits = search();
  if (!fits) for (const at of longest) next(at);
  for (let left = ready(); left.length > 0; left = ready()) next(left.find(isExpected) ?? left[0]);
  return { found, fits };
}

/**
 * @param {ReadShard} shard
 * @param {ReadShard[]} shards
 * @returns {ReadShard[]}
 */
function ancestorsOf({ streamArn, parent }, shards) {
  const found = shards.find((other) => other.streamArn === streamArn && other.shardId === parent);
  return found ? [found, ...ancestorsOf(found, shards)] : [];
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
