#!/usr/bin/env node
// Runs the program with the arguments of this command, and ends as it ends.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");
const { findBinary } = require("../lib/binary.js");

/** @type {string} */
let binary;
try {
  if (process.env.PRETENDER_COMMAND_PID === String(process.ppid)) {
    throw new Error("the program that PRETENDER_BIN or PATH names is this command, which looks for the program itself");
  }
  binary = findBinary();
} catch (error) {
  console.error(`pretender: ${/** @type {Error} */ (error).message}`);
  process.exit(127);
}

const args = process.argv.slice(2);
// A script may stand for this command, as with pnpm. The copy that it starts would find the script again, without end.
/** @type {NodeJS.ProcessEnv} */
const env = { ...process.env, PRETENDER_COMMAND_PID: String(process.pid) };
// A server must not outlive this process, even if it is killed. The first process of a container has no such end.
if (args[0] === "serve" && process.platform !== "win32" && process.pid !== 1) {
  env.PRETENDER_STOP_WITH_PARENT ??= "true";
}
const child = spawn(binary, args, { stdio: "inherit", env });

const hasTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => {
    // A terminal sends Ctrl-C to both processes. A second one would end commands that are cleaning up.
    if (signal !== "SIGINT" || !hasTerminal) child.kill(signal);
  });
}

child.on("error", (error) => {
  console.error(`pretender: cannot run ${binary}: ${error.message}`);
  process.exit(126);
});
child.on("exit", (code, signal) => {
  if (!signal) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Some signals do not end this process at once, or at all.
  setTimeout(() => process.exit(128 + constants.signals[signal]), 100);
});
