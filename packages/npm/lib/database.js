"use strict";

const { Changes } = require("./changes.js");
const { Clock, Faults, Shards, Snapshots, selection } = require("./control.js");

/** @typedef {import("../types").Database} DatabaseApi */
/** @typedef {import("@aws-sdk/client-dynamodb").DynamoDBClientConfig} ClientConfig */
/** @typedef {import("@aws-sdk/client-dynamodb-streams").DynamoDBStreamsClientConfig} StreamsConfig */
/** @typedef {import("@aws-sdk/lib-dynamodb").TranslateConfig} TranslateConfig */

/** Made up, so that nobody's real credentials are read or sent. */
const CREDENTIALS = { accessKeyId: "pretender", secretAccessKey: "pretender" };

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
    return { endpoint: this.endpoint, region: this.region, credentials: { ...CREDENTIALS } };
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
      // The SDKs prefer a profile to the key, and send a token with any key.
      AWS_PROFILE: undefined,
      AWS_SESSION_TOKEN: undefined,
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
    const changes = new Changes(table, (operation, input) => this.#connection.streams(path, operation, input));
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
