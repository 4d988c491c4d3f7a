"use strict";

/** @typedef {import("../types").Clock} ClockApi */
/** @typedef {import("../types").Faults} FaultsApi */
/** @typedef {import("../types").Snapshots} SnapshotsApi */
/** @typedef {import("../types").Shards} ShardsApi */
/** @typedef {import("../types").Duration} Duration */
/** @typedef {(command: string, body?: object) => Promise<any>} Send Sends a command to one database. */

/** Milliseconds of each unit. */
const UNITS = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1_000, milliseconds: 1 };

/** @implements {ClockApi} */
class Clock {
  #send;

  constructor(/** @type {Send} */ send) {
    this.#send = send;
  }

  async now() {
    return (await this.state()).now;
  }

  async state() {
    return clockState(await this.#send("clock"));
  }

  async hold() {
    return clockState(await this.#send("clock/hold", {}));
  }

  async run(/** @type {{ speed?: number }} */ { speed } = {}) {
    return clockState(await this.#send("clock/run", { speed }));
  }

  async set(/** @type {Date | number | string} */ time) {
    const body = typeof time === "string" ? { time } : { epoch_millis: Number(time) };
    return clockState(await this.#send("clock/set", body));
  }

  async advance(/** @type {Duration} */ duration) {
    const body = typeof duration === "string" ? { duration } : { millis: milliseconds(duration) };
    return clockState(await this.#send("clock/advance", body));
  }
}

/** @implements {FaultsApi} */
class Faults {
  #send;

  constructor(/** @type {Send} */ send) {
    this.#send = send;
  }

  /**
   * @param {import("../types").FaultKind} kind
   * @param {import("../types").FaultOptions} options
   * @returns {Promise<import("../types").Fault>}
   */
  add(kind, { operation = [], delay, ...others } = {}) {
    return this.#send("faults/add", {
      ...others,
      kind,
      operations: [operation].flat(),
      delay: typeof delay === "number" ? `${delay}ms` : delay,
    });
  }

  async list() {
    return (await this.#send("faults")).faults;
  }

  async log() {
    /** @type {{ injected: ({ epochMillis: number } & import("../types").Injection)[] }} */
    const { injected } = await this.#send("faults");
    return injected.map(({ epochMillis, ...injection }) => ({ ...injection, time: new Date(epochMillis) }));
  }

  async remove(/** @type {import("../types").Fault | number} */ fault) {
    await this.#send("faults/remove", { id: typeof fault === "number" ? fault : fault.id });
  }

  async clear() {
    return (await this.#send("faults/clear", {})).removed;
  }
}

/** @implements {SnapshotsApi} */
class Snapshots {
  #send;

  constructor(/** @type {Send} */ send) {
    this.#send = send;
  }

  async save(/** @type {string} */ name) {
    return snapshot((await this.#send("snapshots/save", { name })).snapshot);
  }

  async restore(/** @type {string} */ name, /** @type {{ clock?: boolean }} */ { clock } = {}) {
    return snapshot((await this.#send("snapshots/restore", { name, clock })).snapshot);
  }

  async list() {
    return (await this.#send("snapshots")).snapshots.map(snapshot);
  }

  async delete(/** @type {string} */ name) {
    await this.#send("snapshots/delete", { name });
  }
}

/** @implements {ShardsApi} */
class Shards {
  #send;

  constructor(/** @type {Send} */ send) {
    this.#send = send;
  }

  list(/** @type {string} */ stream, /** @type {{ shardId?: string }} */ options = {}) {
    return this.#shards("list", stream, options);
  }

  rotate(/** @type {string} */ stream, /** @type {{ shardId?: string }} */ options = {}) {
    return this.#shards("rotate", stream, options);
  }

  split(/** @type {string} */ stream, /** @type {{ shardId?: string }} */ options = {}) {
    return this.#shards("split", stream, options);
  }

  /**
   * @param {string} command
   * @param {string} stream
   * @param {{ shardId?: string }} options
   * @returns {Promise<import("../types").Shard[]>}
   */
  async #shards(command, stream, { shardId }) {
    return (await this.#send(`shards/${command}`, { ...selection(stream), shard_id: shardId })).shards;
  }
}

/**
 * Returns how the control API names a stream: by its ARN, or by its table.
 *
 * @param {string} stream
 */
function selection(stream) {
  return stream.includes("/stream/") ? { stream_arn: stream } : { table: stream };
}

/** @param {Exclude<Duration, string>} duration */
function milliseconds(duration) {
  if (typeof duration === "number") return Math.round(duration);
  let sum = 0;
  for (const [unit, count] of Object.entries(duration)) {
    const length = UNITS[/** @type {keyof typeof UNITS} */ (unit)];
    if (!length) throw new TypeError(`\`${unit}\` is not a unit of time: use ${Object.keys(UNITS).join(", ")}`);
    sum += count * length;
  }
  return Math.round(sum);
}

/** @returns {import("../types").ClockState} */
function clockState(/** @type {any} */ { epochMillis, held, speed, done }) {
  return { now: new Date(epochMillis), held, ...(speed && { speed }), ...(done && { done }) };
}

/** @returns {import("../types").Snapshot} */
function snapshot(/** @type {any} */ { taken, ...others }) {
  return { ...others, ...(taken && { taken: new Date(taken.epochMillis) }) };
}

module.exports = { Clock, Faults, Snapshots, Shards, selection };
