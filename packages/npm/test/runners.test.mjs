// The set-up for Vitest and Jest: one server for a run, one database for each test, and nothing is left behind.

import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { answers, folder, start, until } from "./support.mjs";

const require = createRequire(import.meta.url);
const fixtures = fileURLToPath(new URL("fixtures", import.meta.url));

const RUNNERS = [
  {
    name: "vitest",
    args: [path.join(path.dirname(require.resolve("vitest/package.json")), "vitest.mjs"), "run", "--no-color"],
    tests: 4,
  },
  {
    name: "jest",
    args: [
      path.join(path.dirname(require.resolve("jest/package.json")), "bin/jest.js"),
      "--no-color",
      "--maxWorkers=2",
      `--cacheDirectory=${path.join(fixtures, ".jest-cache")}`,
    ],
    tests: 3,
  },
];

/** Runs the tests of a fixture, which do what `check` says. */
function run(t, { name, args }, check, env = {}) {
  const notes = path.join(folder(t), "notes");
  fs.writeFileSync(notes, "");
  const options = { cwd: path.join(fixtures, name), env: { CHECK: check, NOTES: notes, NODE_NO_WARNINGS: "1", ...env } };
  return {
    ...start(t, process.execPath, args, options),
    notes: () => fs.readFileSync(notes, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line)),
  };
}

/** Returns the address of the server of a database. */
function serverOf({ endpoint }) {
  return new URL(endpoint).origin;
}

for (const runner of RUNNERS) {
  test(`${runner.name}: all tests use one server, and each has a database of its own`, async (t) => {
    const running = run(t, runner, "pass");
    const { code, output } = await running.ended;
    assert.equal(code, 0, output);
    const notes = running.notes();
    assert.equal(new Set(notes.map(({ endpoint }) => endpoint)).size, runner.tests);
    assert.equal(new Set(notes.map(serverOf)).size, 1);
    for (const { tables } of notes) assert.deepEqual(tables, ["orders"]);
    // The hooks set the variables of the database; tests that run at the same time cannot.
    const withVariables = notes.filter(({ endpoint, own }) => endpoint === own);
    assert.equal(withVariables.length, 2);
    assert.equal(notes.filter(({ own }) => own === undefined).length, runner.tests - 2);
    assert.ok(!(await answers(serverOf(notes[0]))), "the server has ended with the run");
    assert.ok(!output.includes("Log of pretender"), output);
  });

  test(`${runner.name}: the log is shown when a test fails`, async (t) => {
    const { code, output } = await run(t, runner, "fail").ended;
    assert.equal(code, 1);
    assert.match(output, /Log of pretender [^\n]*:\n[^]*ListTables/);
  });

  test(`${runner.name}: kill -9 of the runner leaves no server`, async (t) => {
    const running = run(t, runner, "hang");
    await until("a test runs", () => running.notes().length > 0);
    const [url] = running.notes().map(serverOf);
    assert.ok(await answers(url));
    running.child.kill("SIGKILL");
    await until("the server has ended", async () => !(await answers(url)));
  });
}

test("vitest: without a global set-up, a file has a server of its own", async (t) => {
  const running = run(t, RUNNERS[0], "pass", { WITHOUT_SETUP: "yes" });
  const { code, output } = await running.ended;
  assert.equal(code, 0, output);
  const servers = new Set(running.notes().map(serverOf));
  assert.equal(servers.size, 1);
  for (const url of servers) assert.ok(!(await answers(url)));
});

test("a configuration that cannot be read fails the run", async (t) => {
  const { code, output } = await run(t, RUNNERS[0], "throw").ended;
  assert.notEqual(code, 0);
  assert.match(output, /cannot read .*pretender\.config\.mjs: this configuration fails/);
});
