"use strict";

const { spawn } = require("node:child_process");
const { randomBytes } = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { findBinary } = require("./binary.js");
const { Database } = require("./database.js");
const { ControlError, PretenderError, StartError } = require("./errors.js");
const { Connection } = require("./http.js");
const { clearInterval, clearTimeout, setInterval, setTimeout } = require("./time.js");
const { version } = require("../package.json");

/** @typedef {import("../types").Server} ServerApi */
/** @typedef {import("../types").StartOptions} StartOptions */
/** @typedef {import("node:stream").Readable} Readable */
/** @typedef {import("node:stream").Writable} Writable */
/** @typedef {{ url: string, pid: number, version: string, region: string }} Announcement */

/** How long a server may take to stop before it is killed, in milliseconds. */
const STOP_TIMEOUT = 5_000;

/** How often a process looks whether the runner that has started it still lives, in milliseconds. */
const RUNNER_INTERVAL = 200;

/** The variables of the server that are passed on. Others could make it another server than the one that is asked for. */
const PASSED_ON = ["PRETENDER_LOG_LEVEL", "PRETENDER_LOG_FORMAT", "PRETENDER_CONTROL_TOKEN"];

/** The options that a server has only from its start. */
const START_ONLY = /** @type {const} */ (["schema", "schemaParameters", "seed", "args"]);

/** How much of the log an error shows, in characters. */
const LOG_IN_ERROR = 4_000;

/**
 * @param {StartOptions} options
 * @returns {Promise<ServerApi>}
 */
async function startPretender(options = {}) {
  const endpoint = process.env.PRETENDER_ENDPOINT;
  if (endpoint) return connect(endpoint, options);
  const region = options.region ?? (process.env.PRETENDER_REGION || "us-east-1");
  const started = await ServerProcess.start(options, region);
  return new Server(started.announcement, started.logFile, started);
}

/**
 * Uses a server that runs already.
 *
 * @param {string} endpoint
 * @param {StartOptions} options
 * @returns {Promise<ServerApi>}
 */
async function connect(endpoint, options) {
  const url = (endpoint.includes("://") ? endpoint : `http://${endpoint}`).replace(/\/+$/, "");
  const ignored = START_ONLY.filter((name) => options[name] !== undefined);
  if (ignored.length > 0) {
    throw new StartError(
      `PRETENDER_ENDPOINT is set, so the server at ${url} is used, which has been started without the options ` +
        `${ignored.join(", ")} of this call or of pretender.config.*: give these to that server, or unset the variable`,
    );
  }
  const connection = new Connection(url, "", () => "");
  try {
    const found = await connection.control("version");
    const missing = ["control", "databases"].filter((option) => !found?.[option]).map((option) => `--${option}`);
    if (found?.name !== "pretender") throw new StartError(`the server at ${url} (PRETENDER_ENDPOINT) is not pretender`);
    if (missing.length > 0) {
      throw new StartError(`the server at ${url} (PRETENDER_ENDPOINT) has been started without ${missing.join(" ")}`);
    }
    return new Server({ url, region: options.region ?? found.region }, process.env.PRETENDER_SERVER_LOG);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    throw new StartError(`the server at ${url} (PRETENDER_ENDPOINT) is not pretender: ${error.message}`, { cause: error });
  } finally {
    connection.close();
  }
}

/** @implements {ServerApi} */
class Server {
  #connection;
  #process;

  /**
   * @param {{ url: string, region: string }} address
   * @param {string | undefined} logFile
   * @param {ServerProcess} [started] The process, if this object has to stop it.
   */
  constructor({ url, region }, logFile, started) {
    this.url = url;
    this.region = region;
    this.logFile = logFile;
    this.pid = started?.announcement.pid;
    this.#process = started;
    this.#connection = new Connection(url, region, () => started?.explainEnd() ?? "");
  }

  get env() {
    return {
      PRETENDER_ENDPOINT: this.url,
      ...(this.logFile && { PRETENDER_SERVER_LOG: this.logFile }),
    };
  }

  async database(name = `js-${process.pid}-${randomBytes(6).toString("hex")}`) {
    try {
      // The first request creates the database, so that its cost and its errors are here and not in the code under test.
      await this.#connection.control("clock", undefined, `/db/${name}`);
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      throw new PretenderError(`the server at ${this.url} did not create the database \`${name}\`: ${error.message}`, {
        cause: error,
      });
    }
    return new Database(this, this.#connection, name);
  }

  async databases() {
    return (await this.#connection.control("databases")).databases;
  }

  log() {
    return this.logFile ? readLog(this.logFile) : "";
  }

  async stop() {
    this.#connection.close();
    await this.#process?.stop();
  }

  [Symbol.asyncDispose]() {
    return this.stop();
  }
}

/** A server that this process has started. It ends when its standard input closes, which this process holds. */
class ServerProcess {
  #child;
  /** @type {Promise<void>} */
  #ended;
  /** @type {string | undefined} */
  #end;
  /** @type {NodeJS.Timeout | undefined} */
  #watch;

  /**
   * @param {string} binary
   * @param {StartOptions} options
   * @param {string} region
   */
  constructor(binary, options, region) {
    this.logFile = path.join(os.tmpdir(), `pretender-${process.pid}-${randomBytes(6).toString("hex")}.log`);
    const log = fs.openSync(this.logFile, "wx", 0o600);
    if (logFiles.size === 0) process.once("exit", removeLogs);
    logFiles.add(this.logFile);
    const child = spawn(binary, serveArguments(options, region), {
      cwd: options.cwd,
      env: environment(),
      stdio: ["pipe", "pipe", log],
      windowsHide: true,
      // Ctrl-C in the terminal is not for the server, which is still needed by what runs after the tests.
      detached: process.platform !== "win32",
    });
    this.#child = /** @type {import("node:child_process").ChildProcessByStdio<Writable, Readable, null>} */ (child);
    fs.closeSync(log);
    // The server may end before this process closes its side.
    this.#child.stdin.on("error", () => {});
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => {
        this.#end = `it could not be run: ${error.message}`;
        resolve();
      });
      this.#child.once("exit", (code, signal) => {
        this.#end = `it ended with ${signal ?? `exit code ${code}`}`;
        resolve();
      });
    });
    /** @type {Announcement} */
    this.announcement = /** @type {any} */ (undefined);
  }

  /**
   * @param {StartOptions} options
   * @param {string} region
   */
  static async start(options, region) {
    const binary = findBinary();
    removeOldLogs();
    const started = new ServerProcess(binary, options, region);
    try {
      started.announcement = await started.#announced(options.startTimeout ?? 30_000);
      const found = started.announcement.version;
      if (found !== version) {
        throw `its version is ${found}, and this package needs ${version}`;
      }
    } catch (reason) {
      const log = tail(readLog(started.logFile));
      await started.stop();
      throw new StartError(`cannot start ${binary}: ${reason}${log && `\nIts log:\n${log}`}`);
    }
    started.#release();
    started.#endWithRunner();
    return started;
  }

  /** Returns why the server does not answer, as far as it is known. */
  explainEnd() {
    if (!this.#end) return "";
    const log = tail(readLog(this.logFile));
    return `; ${this.#end}${log && `\nIts log:\n${log}`}`;
  }

  async stop() {
    this.#child.stdin.destroy();
    this.#child.ref();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_TIMEOUT);
    await this.#ended;
    clearTimeout(timer);
    clearInterval(this.#watch);
    fs.rmSync(this.logFile, { force: true });
    logFiles.delete(this.logFile);
    if (logFiles.size === 0) process.removeListener("exit", removeLogs);
  }

  /**
   * Waits for the line with which the server says that it answers. The reason of a failure is a text.
   *
   * @param {number} timeout
   * @returns {Promise<Announcement>}
   */
  #announced(timeout) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(`it was not ready after ${timeout} ms`), timeout);
      let text = "";
      this.#child.stdout.setEncoding("utf8");
      this.#child.stdout.on("data", (/** @type {string} */ part) => {
        text += part;
        if (!text.includes("\n")) return;
        clearTimeout(timer);
        this.#child.stdout.removeAllListeners("data").resume();
        try {
          resolve(JSON.parse(text.slice(0, text.indexOf("\n"))));
        } catch {
          reject(`it announced itself with ${text.trim()}`);
        }
      });
      void this.#ended.then(() => {
        clearTimeout(timer);
        reject(this.#end);
      });
    });
  }

  /** Lets this process end although the server runs. */
  #release() {
    this.#child.unref();
    for (const pipe of [this.#child.stdin, this.#child.stdout]) {
      /** @type {import("node:net").Socket} */ (/** @type {unknown} */ (pipe)).unref();
    }
  }

  /** Stops the server when the runner of which this process is a worker is gone, although a test may still hang here. */
  #endWithRunner() {
    // In the sandbox of Jest, `process` is a copy that has no events, and whose `ppid` does not change.
    const runner = process.ppid;
    if (!process.connected) return;
    this.#watch = setInterval(() => isAlive(runner) || this.#child.stdin.destroy(), RUNNER_INTERVAL);
    this.#watch.unref();
  }
}

/** The log files of the servers of this process. @type {Set<string>} */
const logFiles = new Set();

function removeLogs() {
  for (const file of logFiles) fs.rmSync(file, { force: true });
}

/** Removes the logs that killed processes have left behind. */
function removeOldLogs() {
  for (const name of fs.readdirSync(os.tmpdir())) {
    const [, pid] = /^pretender-(\d+)-[0-9a-f]{12}\.log$/.exec(name) ?? [];
    if (!pid || isAlive(Number(pid))) continue;
    try {
      fs.rmSync(path.join(os.tmpdir(), name), { force: true });
    } catch {
      // It belongs to another user.
    }
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}

/**
 * @param {StartOptions} options
 * @param {string} region
 */
function serveArguments(options, region) {
  const args = ["serve", "--host", "127.0.0.1", "--port", "0", "--db", ":memory:", "--control", "--databases"];
  args.push("--announce", "json", "--stop-on-stdin-close", "--region", region);
  for (const file of [options.schema ?? []].flat()) args.push("--schema", file);
  for (const [name, value] of Object.entries(options.schemaParameters ?? {})) {
    args.push("--schema-parameter", `${name}=${value}`);
  }
  for (const file of [options.seed ?? []].flat()) args.push("--seed", file);
  if (options.logLevel) args.push("--log-level", options.logLevel);
  return [...args, ...(options.args ?? [])];
}

/** Returns the environment for the server, without settings for other servers and for AWS. */
function environment() {
  const isForServer = (/** @type {string} */ name) => PASSED_ON.includes(name) || !/^(AWS|PRETENDER)_/i.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => isForServer(name)));
}

/** @param {string} file */
function readLog(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** @param {string} log */
function tail(log) {
  return log.trimEnd().slice(-LOG_IN_ERROR);
}

/**
 * Marks the present end of a log. Returns a function that returns what was logged since.
 *
 * @param {string | undefined} file
 */
function sinceNow(file) {
  const start = file && fs.existsSync(file) ? fs.statSync(file).size : 0;
  return () => (file && fs.existsSync(file) ? fs.readFileSync(file).subarray(start).toString().trimEnd() : "");
}

module.exports = { startPretender, sinceNow, version };
