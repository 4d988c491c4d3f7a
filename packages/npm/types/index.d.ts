/// <reference lib="esnext.disposable" />

// Without a package of the AWS SDK, which is optional, its types are `any`.
// @ts-ignore
import type { DynamoDBClient, DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
// @ts-ignore
import type { DynamoDBStreamsClient, DynamoDBStreamsClientConfig } from "@aws-sdk/client-dynamodb-streams";
// @ts-ignore
import type { DynamoDBDocumentClient, TranslateConfig } from "@aws-sdk/lib-dynamodb";

/**
 * Settings of a server. If `PRETENDER_ENDPOINT` names a running server, only `region` has an effect: `schema`,
 * `schemaParameters`, `seed` and `args` are an error then.
 */
export interface StartOptions {
  /** Files or folders with table definitions: each database begins with these tables (`pretender serve --schema`). */
  schema?: string | string[];
  /** Values of parameters and variables in the `schema` files, such as `{ Stage: "dev" }`. */
  schemaParameters?: Record<string, string>;
  /** Files or folders with items, or `TABLE=FILE`: each database begins with these items (`pretender serve --seed`). */
  seed?: string | string[];
  /** The folder that relative paths in `schema` and `seed` start from. Default: the working directory. */
  cwd?: string;
  /** Region in ARNs and stream records. Default: that of a running server, `PRETENDER_REGION`, or `us-east-1`. */
  region?: string;
  /** What the server logs, as `pretender serve --log-level` takes it. Default: `PRETENDER_LOG_LEVEL`, or `warn`. */
  logLevel?: string;
  /** More arguments of `pretender serve`, such as `["--shards", "4"]`. */
  args?: string[];
  /** How long the start may take, in milliseconds. Default: 30,000. */
  startTimeout?: number;
}

/**
 * Starts a server, or connects to the one that the environment variable `PRETENDER_ENDPOINT` names.
 *
 * The server ends with this process, however the process ends. It does not keep the process from ending.
 *
 * @throws {StartError} If there is no program, if it does not start, or if its version is not that of this package; if
 *   the server that runs already has no control API or no databases.
 */
export function startPretender(options?: StartOptions): Promise<Server>;

/** A running server, in which any number of isolated databases live. */
export interface Server {
  /** Address, such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** Region in ARNs and stream records. */
  readonly region: string;
  /** Process ID, if this object has started the server. */
  readonly pid: number | undefined;
  /** File with the log of the server, if it is known. */
  readonly logFile: string | undefined;
  /** Variables that make `startPretender` in other processes use this server. */
  readonly env: Record<string, string>;

  /**
   * Creates an isolated database, with a clock, faults and snapshots of its own, and with the tables and items of the
   * server's `schema` and `seed`. This takes about a millisecond.
   *
   * @param name 1 to 64 letters, digits, `-`, `_` and `.`, beginning with a letter or a digit. A name that exists gives
   *   the existing database. Default: a new name.
   */
  database(name?: string): Promise<Database>;
  /** Lists the databases that exist, with the time since their last request. */
  databases(): Promise<{ name: string; idleSeconds: number }[]>;
  /** Returns what the server has logged; empty if its log file is not known. */
  log(): string;
  /** Stops the server, if this object has started it. Its data is gone then. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An isolated database. */
export interface Database {
  readonly name: string;
  /** Address for clients of both APIs. */
  readonly endpoint: string;
  readonly region: string;
  /** Configuration for any client of the AWS SDK. The credentials are made up. */
  readonly config: {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string };
    useFipsEndpoint: boolean;
    useDualstackEndpoint: boolean;
  };
  /**
   * Environment variables for programs that create their own clients, which then read no profile. Remove those that are
   * `undefined`.
   */
  readonly env: Record<string, string | undefined>;

  readonly clock: Clock;
  readonly faults: Faults;
  readonly snapshots: Snapshots;
  readonly shards: Shards;

  /** Returns a client that `drop` closes: always the same one without `config`, a new one otherwise. */
  client(config?: DynamoDBClientConfig): DynamoDBClient;
  /** Returns a document client on top of `client()`. Without `config`, it leaves out attributes that are `undefined`. */
  documentClient(config?: TranslateConfig): DynamoDBDocumentClient;
  /** Returns a client of the Streams API that `drop` closes: always the same one without `config`, a new one otherwise. */
  streams(config?: DynamoDBStreamsClientConfig): DynamoDBStreamsClient;

  /** Returns the changes of a table from now on, for assertions. The table must have a stream. */
  changes(table: string): Promise<Changes>;
  /**
   * Removes the stream records that exist now, or those before a sequence number, as the retention of 24 hours does.
   *
   * @param stream A table, for its latest stream, or the ARN of a stream.
   */
  trim(stream: string, options?: { before?: string }): Promise<{ records: number; shards: number; streams: number }>;
  /** Removes everything, or the items and stream records of one table. */
  reset(table?: string): Promise<void>;
  /** Sets `env` in `process.env`, and returns a function that restores the previous values. */
  useEnv(): () => void;
  /** Closes the clients of this object and removes the database. */
  drop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A length of time: parts that are added up, milliseconds, or text such as `16m`, `24h` or `1500ms`. */
export type Duration =
  | number
  | string
  | { days?: number; hours?: number; minutes?: number; seconds?: number; milliseconds?: number };

/** The state of a clock after a command, when all work that was due has been done. */
export interface ClockState {
  now: Date;
  held: boolean;
  /** How fast the clock runs, if it is not held; 1 is the speed of the machine's clock. */
  speed?: number;
  /** The work that became due and was done. */
  done?: {
    rotatedShards: number;
    expiredItems: number;
    trimmedRecords: number;
    droppedShards: number;
    droppedStreams: number;
  };
}

/** The clock of a database. Retention, iterators, shard rotation and time to live follow it. */
export interface Clock {
  /** Returns the time. */
  now(): Promise<Date>;
  /** Returns the time, and whether the clock is held. */
  state(): Promise<ClockState>;
  /** Stops the clock where it is. */
  hold(): Promise<ClockState>;
  /** Lets the clock continue, at the machine's speed or `speed` times as fast. */
  run(options?: { speed?: number }): Promise<ClockState>;
  /** Moves the clock to a time: a date, milliseconds since 1970, or text in the form of RFC 3339. */
  set(time: Date | number | string): Promise<ClockState>;
  /** Moves the clock forward. */
  advance(duration: Duration): Promise<ClockState>;
}

export type FaultKind =
  | "throughput-exceeded"
  | "throttling"
  | "request-limit"
  | "limit-exceeded"
  | "internal-error"
  | "unavailable"
  | "latency"
  | "drop-before"
  | "drop-after"
  | "expired-iterator"
  | "trimmed-data"
  | "empty-page"
  | "duplicate"
  | "unprocessed"
  | "conflict";

/** Which calls a fault affects. */
export interface FaultOptions {
  /** Operations such as `PutItem`, or groups such as `writes`, `reads` and `streams`. Default: all that can fail so. */
  operation?: string | string[];
  /** Only calls that name this table, its streams or iterators of these. */
  table?: string;
  /** Probability of each matching call, from 0 to 1. Default: 1. */
  probability?: number;
  /** How often the fault is injected. Default: without limit. */
  times?: number;
  /** How many matching calls pass first. Default: 0. */
  skip?: number;
  /** Start of the random numbers. Default: 0. */
  seed?: number;
  /** For `latency`: milliseconds, or text such as `200ms` or the range `100ms..2s`. */
  delay?: number | string;
  /** For `unprocessed`: how many items are left out. Default: half of them. */
  items?: number;
}

/** A fault, and how often it was considered and injected. */
export interface Fault {
  id: number;
  kind: FaultKind;
  operations: string[];
  table?: string;
  probability: number;
  times?: number;
  skip: number;
  seed: number;
  /** The minimum and the maximum. */
  delayMillis?: [number, number];
  items?: number;
  matched: number;
  injected: number;
  /** Whether it was injected as often as it was to be. */
  over: boolean;
}

/** One injection of a fault. */
export interface Injection {
  time: Date;
  /** The `id` of the fault. */
  fault: number;
  kind: FaultKind;
  operation: string;
  tables: string[];
  requestId?: string;
  detail?: string;
}

/** The faults of a database. */
export interface Faults {
  /** Adds a fault, which affects matching calls from now on. */
  add(kind: FaultKind, options?: FaultOptions): Promise<Fault>;
  list(): Promise<Fault[]>;
  /** Returns the last 1,000 injections. */
  log(): Promise<Injection[]>;
  remove(fault: Fault | number): Promise<void>;
  /** Removes all faults and clears the log. Returns how many faults there were. */
  clear(): Promise<number>;
}

/** A copy of the whole database, kept in memory by name. */
export interface Snapshot {
  name: string;
  /** When it was saved, by the clock of the database. */
  taken?: Date;
  tables: number;
  items: number;
  sizeBytes: number;
}

/** The snapshots of a database. */
export interface Snapshots {
  save(name: string): Promise<Snapshot>;
  /** Replaces the database with a snapshot. With `clock`, the clock goes back to the time when it was saved. */
  restore(name: string, options?: { clock?: boolean }): Promise<Snapshot>;
  list(): Promise<Snapshot[]>;
  delete(name: string): Promise<void>;
}

/** A shard, and the part of the partition keys that it takes. */
export interface Shard {
  streamArn: string;
  shardId: string;
  parentShardId?: string;
  open: boolean;
  startingSequenceNumber: string;
  endingSequenceNumber?: string;
  openedEpochMillis: number;
  closedEpochMillis?: number;
  /** The first and the last hash of partition keys, in hexadecimal. */
  hashFrom: string;
  hashTo: string;
}

/**
 * The shards of the streams of a database. `stream` is a table, for its latest stream, or the ARN of a stream. With
 * `shardId`, a command applies to this shard only.
 */
export interface Shards {
  list(stream: string, options?: { shardId?: string }): Promise<Shard[]>;
  /** Closes the open shards and opens one child each. Returns the children. */
  rotate(stream: string, options?: { shardId?: string }): Promise<Shard[]>;
  /** Closes the open shards and opens two children each. Returns the children. */
  split(stream: string, options?: { shardId?: string }): Promise<Shard[]>;
}

/** Attributes as plain values: strings, numbers, booleans, null, arrays, objects, sets and bytes. */
export type Attributes = Record<string, any>;

/**
 * A change of an item, as its stream record shows it, with plain values. Integers that would lose digits as numbers are
 * bigints; other numbers that would lose digits are strings.
 */
export interface Change {
  event: "INSERT" | "MODIFY" | "REMOVE";
  keys: Attributes;
  /** The item after the change, if the stream has new images. */
  newImage?: Attributes;
  /** The item before the change, if the stream has old images. */
  oldImage?: Attributes;
  /** Who made the change, if it was not a client: `dynamodb.amazonaws.com`, if the time to live had passed. */
  userIdentity?: { type: string; principalId: string };
  shardId: string;
  sequenceNumber: string;
}

/** A change that a test expects. */
export interface ExpectedChange {
  event: "INSERT" | "MODIFY" | "REMOVE";
  newAttributes?: Attributes;
  oldAttributes?: Attributes;
  byTtl?: boolean;
}

/** Expects that an item was created with at least these attributes. */
export function insert(attributes?: Attributes): ExpectedChange;
/** Expects that an item was changed, and then had at least these attributes; before, it had at least `oldAttributes`. */
export function modify(attributes?: Attributes, oldAttributes?: Attributes): ExpectedChange;
/**
 * Expects that an item was deleted that had at least these attributes.
 *
 * @param options `byTtl`: that this was done, or was not done, because its time to live had passed.
 */
export function remove(attributes?: Attributes, options?: { byTtl?: boolean }): ExpectedChange;

/**
 * The changes of a table since `Database.changes` was called. They are read through the Streams API, from all shards of all
 * streams of the table, each after its parent. These calls meet no injected faults and use none up: faults are for the code
 * under test. Changes that were trimmed before they were read are not seen.
 */
export interface Changes {
  /**
   * Compares the changes since the last call that succeeded with those that are expected, in order. Changes that are missing
   * are waited for. Changes of shards that do not descend from each other may come in any order, because a stream does not
   * define it. In place of a value, also inside lists and maps, an asymmetric matcher of Vitest or Jest can stand, such as
   * `expect.any(String)`.
   *
   * @returns The changes.
   * @throws {UnexpectedChangesError} If they differ, or if changes are still missing after the timeout. The changes are
   *   then still there for the next call.
   */
  expect(...expected: ExpectedChange[]): Promise<Change[]>;
  /** Returns the changes since the last call that succeeded, without waiting for any. */
  read(): Promise<Change[]>;
  /**
   * How long `expect` waits for changes, in milliseconds. Default: 2,000. This is less than the time that Vitest and Jest give
   * a test, so that the difference is shown. It is measured by the real clock, also if the test has stopped the time. A
   * server that does not answer has at least a second.
   */
  timeout: number;
}

/** The base of all errors of this package. */
export class PretenderError extends Error {}

/** The server could not be started. The message ends with its log. */
export class StartError extends PretenderError {}

/** The server refused a command of the control API. The message is the server's. */
export class ControlError extends PretenderError {
  /** HTTP status: 400 if the command is invalid, 404 if its subject does not exist, 500 if the server failed. */
  readonly status: number;
  /** The command, such as `clock/advance`. */
  readonly command: string;
}

/** The changes of a table are not as expected. The message shows both side by side. */
export class UnexpectedChangesError extends PretenderError {
  readonly expected: ExpectedChange[];
  readonly found: Change[];
}

/** The version of this package, and of the server that it starts. */
export const version: string;
