// The set-up for Vitest and Jest: one server for a run, one database for each test, and nothing is left behind.

import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { answers, folder, runModule, start, until } from "./support.mjs";

const require = createRequire(import.meta.url);
const packageFolder = path.dirname(require.resolve("@pretender/dynamodb/package.json"));
const { databaseHooks } = require(path.join(packageFolder, "lib/hooks.js"));
const { readConfig } = require(path.join(packageFolder, "lib/config.js"));
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

  test(`${runner.name}: a missing change is shown before the test times out`, async (t) => {
    const args = [...runner.args, "--testTimeout=5000"];
    const { code, output } = await run(t, { ...runner, args }, "miss").ended;
    assert.equal(code, 1);
    assert.match(output, /1 missing\n.*expected.*found\n.*INSERT id="1".*\n.*INSERT id="2" +- +missing/);
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

/** Makes two projects in one folder, which have different tables. Returns the folder. */
function twoProjects(t, { manifest, ending, source }) {
  const cwd = folder(t);
  const tables = JSON.parse(fs.readFileSync(path.join(fixtures, "tables.json"), "utf8"));
  for (const name of ["one", "two"]) {
    const write = (file, text) => fs.writeFileSync(path.join(cwd, name, file), text);
    fs.mkdirSync(path.join(cwd, name));
    write("tables.json", JSON.stringify({ ...tables, TableName: name }));
    write("pretender.config.json", JSON.stringify({ schema: "tables.json" }));
    write(`${name}${ending}`, source(name));
  }
  for (const [file, text] of Object.entries(manifest)) fs.writeFileSync(path.join(cwd, file), text);
  fs.symlinkSync(path.join(packageFolder, "../.."), path.join(cwd, "node_modules"));
  return cwd;
}

test("vitest: each project of a run has its own tables", async (t) => {
  const cwd = twoProjects(t, {
    ending: ".test.mjs",
    manifest: {
      "vitest.config.mjs": `const test = (root) => ({ test: { root, globalSetup: "@pretender/dynamodb/vitest/setup" } });
        export default { test: { projects: [test("one"), test("two")] } };`,
    },
    source: (name) => `import { expect } from "vitest";
      import { test } from "@pretender/dynamodb/vitest";
      test("has its table", async ({ db }) => expect((await db.shards.list("${name}")).length).toBe(1));`,
  });
  const { code, output } = await start(t, process.execPath, RUNNERS[0].args, { cwd }).ended;
  assert.equal(code, 0, output);
  assert.match(output, /2 passed/);
});

test("jest: projects that need different tables are refused", async (t) => {
  const project = (rootDir) => ({ rootDir, preset: "@pretender/dynamodb" });
  const cwd = twoProjects(t, {
    ending: ".test.js",
    manifest: { "jest.config.json": JSON.stringify({ projects: [project("<rootDir>/one"), project("<rootDir>/two")] }) },
    source: () => `const { useDatabase } = require("@pretender/dynamodb/jest");
      const database = useDatabase();
      test("has the table", async () => expect((await database().shards.list("one")).length).toBe(1));`,
  });
  const { code, output } = await start(t, process.execPath, RUNNERS[1].args, { cwd }).ended;
  assert.notEqual(code, 0, output);
  assert.match(output, /several configurations: .*one.pretender\.config\.json, .*two.pretender\.config\.json\. Run these/);

  // One configuration in the root is that of all projects.
  for (const name of ["one", "two"]) fs.rmSync(path.join(cwd, name, "pretender.config.json"));
  fs.writeFileSync(path.join(cwd, "pretender.config.json"), JSON.stringify({ schema: "one/tables.json" }));
  const shared = await start(t, process.execPath, RUNNERS[1].args, { cwd }).ended;
  assert.equal(shared.code, 0, shared.output);
});

test("jest: the log is shown when a file cannot be loaded", async (t) => {
  const log = path.join(folder(t), "log");
  fs.writeFileSync(log, "before\n");
  const source = `import fs from "node:fs";
    import Reporter from "@pretender/dynamodb/jest/reporter";
    const reporter = new Reporter();
    for (const [testFilePath, testExecError] of [["good", undefined], ["bad", new Error("no such module")]]) {
      fs.appendFileSync(process.env.PRETENDER_SERVER_LOG, "while " + testFilePath + "\\n");
      reporter.onTestResult(undefined, { numFailingTests: 0, testExecError, testFilePath });
    }`;
  const { output } = await runModule(t, source, { env: { PRETENDER_SERVER_LOG: log } }).ended;
  assert.equal(output, "Log of pretender until the end of bad:\nwhile bad\n");
});

test("a hook that fails does not restore the variables of an earlier test", async () => {
  const hooks = {};
  const framework = Object.fromEntries(
    ["beforeAll", "beforeEach", "afterEach", "afterAll"].map((name) => [name, (hook) => (hooks[name] = hook)]),
  );
  const database = databaseHooks(framework);
  await hooks.beforeAll();
  await hooks.beforeEach();
  await hooks.afterEach();
  process.env.AWS_REGION = "of-the-test";
  await hooks.afterEach();
  assert.equal(process.env.AWS_REGION, "of-the-test");
  delete process.env.AWS_REGION;

  // If the database cannot be dropped, it is not that of the next test.
  await hooks.beforeEach();
  await hooks.afterAll();
  await assert.rejects(hooks.afterEach(), /does not answer/);
  assert.throws(database, /only while a test/);
});

test("vitest: without a global set-up, a file has a server of its own", async (t) => {
  const running = run(t, RUNNERS[0], "pass", { WITHOUT_SETUP: "yes" });
  const { code, output } = await running.ended;
  assert.equal(code, 0, output);
  const servers = new Set(running.notes().map(serverOf));
  assert.equal(servers.size, 1);
  for (const url of servers) assert.ok(!(await answers(url)));
});

test("a configuration without a default export is an error", async (t) => {
  const cwd = folder(t);
  fs.writeFileSync(path.join(cwd, "pretender.config.mjs"), "export const schema = 'tables.json';");
  await assert.rejects(readConfig([folder(t), cwd]), /cannot read .*pretender\.config\.mjs: it has no default export/);
});

test("a configuration that cannot be read fails the run", async (t) => {
  const { code, output } = await run(t, RUNNERS[0], "throw").ended;
  assert.notEqual(code, 0);
  assert.match(output, /cannot read .*pretender\.config\.mjs: this configuration fails/);
});
