import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";

/** The definition of the table `orders`, with a stream. */
export const ORDERS = {
  TableName: "orders",
  BillingMode: "PAY_PER_REQUEST",
  KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
  AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
  StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
};

export async function createOrders(db) {
  await db.client().send(new CreateTableCommand(ORDERS));
}

/** Returns an empty folder that is removed after the test. */
export function folder(t) {
  const created = fs.mkdtempSync(path.join(os.tmpdir(), "pretender-test-"));
  t.after(() => fs.rmSync(created, { recursive: true, force: true }));
  return created;
}

/** Writes a program in JavaScript that can be run by its path. */
export function program(t, source) {
  const file = path.join(folder(t), "program.cjs");
  fs.writeFileSync(file, `#!${process.execPath}\n${source}`, { mode: 0o755 });
  return file;
}

/** Returns whether a server answers at this address, whatever it answers. */
export function answers(url) {
  return fetch(`${url}/_pretender/health`).then(
    () => true,
    () => false,
  );
}

/** Waits until a condition is true. */
export async function until(what, condition) {
  for (let tries = 0; tries < 1500; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain until ${what}`);
}

/** Runs the source of a module in a process of its own that is killed after the test at the latest. */
export function runModule(t, source, options = {}) {
  return start(t, process.execPath, ["--input-type=module", "--eval", source], options);
}

/** Starts a program, and gives its lines of output, and how it ended. */
export function start(t, command, args, { env = {}, cwd = process.cwd(), detached = false } = {}) {
  // A killed process leaves the log of its server behind.
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "pretender-test-"));
  const child = spawn(command, args, {
    cwd,
    detached,
    env: { ...process.env, TMPDIR: temporary, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    fs.rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (output += part));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    /** Returns the next line of standard output. */
    line: async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`the program has ended:\n${output}`);
      return value;
    },
    /** Returns everything that was printed so far. */
    output: () => output,
    ended: once(child, "close").then(([code, signal]) => ({ code, signal, output })),
  };
}

/** Sets variables of this process until the end of the test; removes those that are `undefined`. */
export function setEnv(t, variables) {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    t.after(() => assign(name, before));
    assign(name, value);
  }
}

function assign(name, value) {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
