"use strict";

const { devNull } = require("node:os");
const { Changes } = require("./changes.js");
const { Clock, Faults, Shards, Snapshots, selection } = require("./control.js");

/** @typedef {import("../types").Database} DatabaseApi */
/** @typedef {import("@aws-sdk/client-dynamodb").DynamoDBClientConfig} ClientConfig */
/** @typedef {import("@aws-sdk/client-dynamodb-streams").DynamoDBStreamsClientConfig} StreamsConfig */
/** @typedef {import("@aws-sdk/lib-dynamodb").TranslateConfig} TranslateConfig */

/** Made up, so that nobody's real credentials are read or sent. */
const CREDENTIALS = { accessKeyId: "pretender", secretAccessKey: "pretender" };

/** Other sources of credentials, and settings with which an SDK refuses an endpoint. */
const REMOVED = [
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
  "AWS_SESSION_TOKEN",
  "AWS_SECURITY_TOKEN",
  "AWS_ROLE_ARN",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_USE_FIPS_ENDPOINT",
  "AWS_USE_DUALSTACK_ENDPOINT",
];

/** @implements {DatabaseApi} */
class Database {
  #connection;
  /** @type {import("@aws-sdk/client-dynamodb").DynamoDBClient | undefined} */
  #client;
  /** @type {import("@aws-sdk/client-dynamodb-streams").DynamoDBStreamsClient | undefined} */
  #streams;
  /** @type {{ destroy(): void }[]} */
  #clients = [];

  /**
   * @param {{ url: string, region: string }} server
   * @param {InstanceType<typeof import("./http.js").Connection>} connection
   * @param {string} name
   */
  constructor({ url, region }, connection, name) {
    this.#connection = connection;
    this.name = name;
    this.region = region;
    this.endpoint = `${url}/db/${name}`;
    /** @type {import("./control.js").Send} */
    const send = (command, body) => connection.control(command, body, `/db/${name}`);
    this.clock = new Clock(send);
    this.faults = new Faults(send);
    this.snapshots = new Snapshots(send);
    this.shards = new Shards(send);
  }

  get config() {
    const { endpoint, region } = this;
    // A profile may ask for kinds of endpoints that cannot be given by address.
    const kind = { useFipsEndpoint: false, useDualstackEndpoint: false };
    return { endpoint, region, credentials: { ...CREDENTIALS }, ...kind };
  }

  get env() {
    return {
      AWS_ENDPOINT_URL: this.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: this.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB_STREAMS: this.endpoint,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_REGION: this.region,
      AWS_DEFAULT_REGION: this.region,
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "false",
      // Profiles are not read: these files are empty.
      AWS_CONFIG_FILE: devNull,
      AWS_SHARED_CREDENTIALS_FILE: devNull,
      .../** @type {Record<string, undefined>} */ (Object.fromEntries(REMOVED.map((name) => [name, undefined]))),
    };
  }

  /** @param {ClientConfig} [config] */
  client(config) {
    if (!config && this.#client) return this.#client;
    /** @type {typeof import("@aws-sdk/client-dynamodb")} */
    const sdk = require("@aws-sdk/client-dynamodb");
    const client = this.#closedByDrop(new sdk.DynamoDBClient({ ...this.config, ...config }));
    if (!config) this.#client = client;
    return client;
  }

  /** @param {TranslateConfig} [config] */
  documentClient(config) {
    /** @type {typeof import("@aws-sdk/lib-dynamodb")} */
    const sdk = require("@aws-sdk/lib-dynamodb");
    const translation = config ?? { marshallOptions: { removeUndefinedValues: true } };
    return sdk.DynamoDBDocumentClient.from(this.client(), translation);
  }

  /** @param {StreamsConfig} [config] */
  streams(config) {
    if (!config && this.#streams) return this.#streams;
    /** @type {typeof import("@aws-sdk/client-dynamodb-streams")} */
    const sdk = require("@aws-sdk/client-dynamodb-streams");
    const client = this.#closedByDrop(new sdk.DynamoDBStreamsClient({ ...this.config, ...config }));
    if (!config) this.#streams = client;
    return client;
  }

  async changes(/** @type {string} */ table) {
    const path = `/db/${this.name}`;
    const changes = new Changes(table, (...call) => this.#connection.streams(path, ...call));
    // What is in the stream already is not a change from now on.
    await changes.read();
    return changes;
  }

  trim(/** @type {string} */ stream, /** @type {{ before?: string }} */ { before } = {}) {
    return this.#connection.control("trim", { ...selection(stream), before }, `/db/${this.name}`);
  }

  /** @param {string} [table] */
  async reset(table) {
    await this.#connection.control("reset", { table }, `/db/${this.name}`);
  }

  useEnv() {
    return setEnv(this.env);
  }

  async drop() {
    for (const client of this.#clients.splice(0)) client.destroy();
    this.#client = this.#streams = undefined;
    await this.#connection.control("databases/drop", { name: this.name });
  }

  [Symbol.asyncDispose]() {
    return this.drop();
  }

  /**
   * @template {{ destroy(): void }} C
   * @param {C} client
   */
  #closedByDrop(client) {
    this.#clients.push(client);
    return client;
  }
}

/**
 * Sets environment variables, removes those that are `undefined`, and returns a function that restores all of them.
 *
 * @param {Record<string, string | undefined>} variables
 */
function setEnv(variables) {
  /** @type {Record<string, string | undefined>} */
  const previous = {};
  for (const [name, value] of Object.entries(variables)) {
    previous[name] = process.env[name];
    assign(name, value);
  }
  return () => {
    for (const [name, value] of Object.entries(previous)) assign(name, value);
  };
}

/**
 * @param {string} name
 * @param {string | undefined} value
 */
function assign(name, value) {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

module.exports = { Database, setEnv };
