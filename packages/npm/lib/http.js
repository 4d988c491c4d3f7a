"use strict";

const http = require("node:http");
const https = require("node:https");
const { PretenderError, ControlError } = require("./errors.js");
const { clearTimeout, setTimeout } = require("./time.js");

/**
 * Sends requests to one server. It has connections of its own, because the agent that Node.js shares may use a proxy. Idle
 * connections do not keep the process from ending.
 */
class Connection {
  #url;
  #agent;
  #region;
  #explain;

  /**
   * @param {string} url
   * @param {string} region
   * @param {() => string} explain Returns what is known about a server that does not answer.
   */
  constructor(url, region, explain) {
    this.#url = url;
    this.#region = region;
    this.#explain = explain;
    this.#agent = new (url.startsWith("https:") ? https : http).Agent({ keepAlive: true });
  }

  /**
   * Sends a command of the control API.
   *
   * @param {string} command What follows `/_pretender/`.
   * @param {object} [body] The body of a `POST` request; without it, a `GET` request is sent.
   * @param {string} [database] The path of a database, such as `/db/one`.
   * @returns {Promise<any>} The answer, whose names are in camel case.
   * @throws {ControlError}
   */
  async control(command, body, database = "") {
    /** @type {Record<string, string>} */
    const headers = {};
    if (process.env.PRETENDER_CONTROL_TOKEN) {
      headers.authorization = `Bearer ${process.env.PRETENDER_CONTROL_TOKEN}`;
    }
    if (body) headers["content-type"] = "application/json";
    const { status, text } = await this.#send(`${database}/_pretender/${command}`, headers, body);
    const answer = parse(text);
    if (status === 200) return camelCase(answer);
    throw new ControlError(answer?.error ?? `the server answered with status ${status}: ${text}`, status, command);
  }

  /**
   * Calls an operation of the Streams API. The call meets no injected faults, which are for the code under test.
   *
   * @param {string} database The path of a database.
   * @param {string} operation
   * @param {object} input
   * @param {number} limit How long the call may take, in milliseconds.
   * @returns {Promise<any>} The answer.
   * @throws {ApiError}
   */
  async streams(database, operation, input, limit) {
    const { status, text } = await this.#send(
      database || "/",
      {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": `DynamoDBStreams_20120810.${operation}`,
        "x-pretender-faults": "off",
        // The server requires a signature, and does not verify it.
        "x-amz-date": "20260101T000000Z",
        authorization:
          `AWS4-HMAC-SHA256 Credential=pretender/20260101/${this.#region}/dynamodb/aws4_request, ` +
          "SignedHeaders=host;x-amz-date, Signature=0",
      },
      input,
      limit,
    );
    const answer = parse(text);
    if (status === 200) return answer;
    const code = String(answer?.__type ?? status).split("#").pop() ?? "";
    throw new ApiError(`${operation}: ${code}: ${answer?.message ?? text}`, status, code);
  }

  close() {
    this.#agent.destroy();
  }

  /**
   * @param {string} path
   * @param {Record<string, string>} headers
   * @param {object} [body]
   * @param {number} [limit] How long the request may take, in milliseconds.
   * @returns {Promise<{ status: number, text: string }>}
   */
  #send(path, headers, body, limit) {
    return new Promise((resolve, reject) => {
      /** @param {NodeJS.ErrnoException} error */
      const fail = (error) => {
        // The server has closed an idle connection, which is noticed late if this process was busy or in a debugger.
        if (request.reusedSocket && error.code === "ECONNRESET") {
          resolve(this.#send(path, headers, body, limit));
          return;
        }
        const text = `the server at ${this.#url} does not answer: ${error.code ?? error.message}${this.#explain()}`;
        reject(new ConnectionError(text, { cause: error }));
      };
      const method = body ? "POST" : "GET";
      const module = this.#url.startsWith("https:") ? https : http;
      const request = module.request(this.#url + path, { method, headers, agent: this.#agent }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (/** @type {string} */ part) => (text += part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        response.on("error", fail);
      });
      request.on("error", fail);
      if (limit !== undefined) {
        const timer = setTimeout(() => request.destroy(new Error(`no answer in ${Math.round(limit)} ms`)), limit);
        request.on("close", () => clearTimeout(timer));
      }
      request.end(body && JSON.stringify(body));
    });
  }
}

/** An operation was refused. */
class ApiError extends PretenderError {
  constructor(/** @type {string} */ message, /** @type {number} */ status, /** @type {string} */ code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A request had no answer. */
class ConnectionError extends PretenderError {}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Renames `shard_id` to `shardId`, at all levels.
 *
 * @param {any} value
 * @returns {any}
 */
function camelCase(value) {
  if (Array.isArray(value)) return value.map(camelCase);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()),
      camelCase(member),
    ]),
  );
}

module.exports = { Connection, ApiError, ConnectionError };
