// Starting, finding and stopping the server.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import * as pretender from "@pretender/dynamodb";
import { answers, folder, ORDERS, program, runModule, setEnv, start, until } from "./support.mjs";

const require = createRequire(import.meta.url);
const { startPretender, StartError, version } = pretender;
const packageFolder = path.dirname(require.resolve("@pretender/dynamodb/package.json"));

test("a server starts, answers and stops", async () => {
  const server = await startPretender();
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(server.region, "us-east-1");
  assert.ok(await answers(server.url));
  assert.ok(fs.existsSync(server.logFile));
  await server.stop();
  assert.ok(!(await answers(server.url)));
  assert.ok(!fs.existsSync(server.logFile));
});

test("`import` and `require` give the same objects", () => {
  const required = require("@pretender/dynamodb");
  assert.deepEqual(Object.keys(pretender).filter((name) => name !== "default").sort(), Object.keys(required).sort());
  for (const [name, value] of Object.entries(required)) assert.equal(pretender[name], value, name);
});

test("a process can end although its server runs, and the server ends with it", async (t) => {
  const run = runModule(
    t,
    `import { startPretender } from "@pretender/dynamodb";
     const server = await startPretender();
     const db = await server.database();
     console.log(JSON.stringify([server.url, server.logFile]));`,
  );
  const [url, logFile] = JSON.parse(await run.line());
  assert.equal((await run.ended).code, 0);
  await until("the server has ended", async () => !(await answers(url)));
  assert.ok(!fs.existsSync(logFile));
});

test("kill -9 leaves no server, not even while a child of the killed process lives", async (t) => {
  const run = runModule(
    t,
    `import { spawn } from "node:child_process";
     import { startPretender } from "@pretender/dynamodb";
     const server = await startPretender();
     const child = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
     console.log(JSON.stringify([server.url, child.pid]));
     setInterval(() => {}, 1000);`,
  );
  const [url, child] = JSON.parse(await run.line());
  t.after(() => process.kill(child, "SIGKILL"));
  assert.ok(await answers(url));
  run.child.kill("SIGKILL");
  await until("the server has ended", async () => !(await answers(url)));
  assert.ok(process.kill(child, 0), "the child lives");
});

test("a server of a worker thread ends with the thread", async (t) => {
  const run = runModule(
    t,
    `import { Worker } from "node:worker_threads";
     const source = \`
       import { parentPort } from "node:worker_threads";
       import { startPretender } from "@pretender/dynamodb";
       parentPort.postMessage((await startPretender()).url);
       setInterval(() => {}, 1000);\`;
     const worker = new Worker(source, { eval: true });
     worker.on("message", async (url) => {
       await worker.terminate();
       console.log(url);
     });
     setInterval(() => {}, 1000);`,
  );
  const url = await run.line();
  await until("the server has ended", async () => !(await answers(url)));
});

test("another version is refused, and both versions are named", async (t) => {
  const announcement = { url: "http://127.0.0.1:1", port: 1, pid: 1, version: "9.9.9", region: "us-east-1" };
  const binary = program(t, `console.log('${JSON.stringify(announcement)}'); process.stdin.resume();`);
  setEnv(t, { PRETENDER_BIN: binary });
  const message = `cannot start ${binary}: its version is 9.9.9, and this package needs ${version}`;
  await assert.rejects(startPretender(), (error) => error instanceof StartError && error.message === message);
});

test("a failed start shows the log", async (t) => {
  const missing = path.join(folder(t), "tables.yaml");
  await assert.rejects(startPretender({ schema: missing }), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /it ended with exit code \d+\nIts log:\n/);
    assert.ok(error.message.includes(missing));
    return true;
  });
});

test("a program that cannot be run, or that says nothing, is an error", async (t) => {
  setEnv(t, { PRETENDER_BIN: path.join(folder(t), "nothing") });
  await assert.rejects(startPretender(), /nothing: it could not be run: .*ENOENT/);
  process.env.PRETENDER_BIN = program(t, "console.error('thinking'); process.stdin.resume();");
  await assert.rejects(startPretender({ startTimeout: 1000 }), /was not ready after 1000 ms\nIts log:\nthinking/);
});

test("PRETENDER_BIN comes before the package, and the package before PATH", async (t) => {
  const announce = (region) =>
    `console.log(JSON.stringify({ url: "http://127.0.0.1:1", pid: 1, version: "${version}", region: "${region}" }));
     process.stdin.resume();`;
  const named = program(t, announce("named"));
  const other = folder(t);
  fs.writeFileSync(path.join(other, "pretender"), `#!${process.execPath}\n${announce("on-path")}`, { mode: 0o755 });
  setEnv(t, { PRETENDER_BIN: named, PATH: `${other}${path.delimiter}${process.env.PATH}` });
  const region = async () => {
    const server = await startPretender();
    await server.stop();
    return server.region;
  };
  assert.equal(await region(), "named");
  delete process.env.PRETENDER_BIN;
  assert.equal(await region(), "us-east-1");

  // A copy of the package that has no package with a program beside it. In a script of npm, its own command is on PATH.
  const alone = path.join(folder(t), "alone");
  fs.cpSync(packageFolder, alone, { recursive: true });
  const scripts = folder(t);
  fs.symlinkSync(path.join(alone, "bin/pretender.js"), path.join(scripts, "pretender"));
  const source = `import { startPretender } from "${path.join(alone, "esm/index.mjs")}";
    console.log((await startPretender()).region);`;
  process.env.PATH = `${scripts}${path.delimiter}${other}`;
  assert.equal(await runModule(t, source).line(), "on-path");
  process.env.PATH = scripts;
  assert.match((await runModule(t, source).ended).output, /@pretender\/server-.* is not installed.*set PRETENDER_BIN/s);

  // PRETENDER_BIN may name the command, directly or through a script as pnpm writes it.
  process.env.PRETENDER_BIN = path.join(scripts, "pretender");
  assert.match((await runModule(t, source).ended).output, /PRETENDER_BIN is .*, the command of @pretender\/dynamodb/);
  const script = path.join(scripts, "script");
  fs.writeFileSync(script, `#!/bin/sh\nexec ${process.execPath} ${path.join(alone, "bin/pretender.js")} "$@"\n`, { mode: 0o755 });
  const endless = await start(t, script, ["--version"], { env: { PRETENDER_BIN: script } }).ended;
  assert.equal(endless.code, 127);
  assert.match(endless.output, /^pretender: the program that PRETENDER_BIN or PATH names is this command/);

  // The package for musl has a name of its own.
  delete process.env.PRETENDER_BIN;
  const musl = path.join(alone, `node_modules/@pretender/server-${process.platform}-${process.arch}-musl/bin`);
  fs.mkdirSync(musl, { recursive: true });
  fs.copyFileSync(named, path.join(musl, "pretender"));
  assert.equal(await runModule(t, source).line(), "named");
});

test("PRETENDER_ENDPOINT names a server that is used and not stopped", async (t) => {
  const server = await startPretender({ region: "eu-west-1" });
  t.after(() => server.stop());
  setEnv(t, server.env);
  const other = await startPretender();
  assert.deepEqual([other.url, other.region, other.pid], [server.url, "eu-west-1", undefined]);
  const db = await other.database("shared");
  assert.deepEqual((await server.databases()).map(({ name }) => name), ["shared"]);
  await db.drop();
  await other.stop();
  assert.ok(await answers(server.url));

  process.env.PRETENDER_ENDPOINT = new URL(server.url).host;
  const withoutScheme = await startPretender({ region: "eu-west-2" });
  assert.deepEqual([withoutScheme.url, withoutScheme.region], [server.url, "eu-west-2"]);

  process.env.PRETENDER_ENDPOINT = "http://127.0.0.1:9/";
  await assert.rejects(startPretender(), /the server at http:\/\/127\.0\.0\.1:9 does not answer: ECONNREFUSED/);
});

test("a server of PRETENDER_ENDPOINT that cannot do what is needed is refused", async (t) => {
  const server = await startPretender();
  t.after(() => server.stop());
  setEnv(t, server.env);
  const ignored = /\.1:\d+ is used, which has been started without the options schema, seed of this call or of pretender\.config/;
  await assert.rejects(startPretender({ schema: "tables.json", seed: "items" }), ignored);

  const command = path.join(packageFolder, "bin/pretender.js");
  const plain = start(t, process.execPath, [command, "serve", "--port", "0", "--db", ":memory:"]);
  process.env.PRETENDER_ENDPOINT = (await plain.line()).replace("Listening on ", "");
  await assert.rejects(startPretender(), /\(PRETENDER_ENDPOINT\) has been started without --control --databases$/);
  plain.child.kill("SIGTERM");
  await plain.ended;

  const other = http.createServer((_, response) => response.writeHead(404).end("nothing here")).listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  process.env.PRETENDER_ENDPOINT = `http://127.0.0.1:${other.address().port}`;
  await assert.rejects(startPretender(), /is not pretender: .*nothing here/);
});

test("a command is sent again if the server has closed the idle connection", async (t) => {
  const answer = JSON.stringify({ name: "pretender", control: true, databases: [], region: "us-east-1" });
  const used = new Set();
  const other = http.createServer(({ socket }, response) => {
    if (used.has(socket)) return socket.destroy();
    used.add(socket);
    response.end(answer);
  });
  other.listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  setEnv(t, { PRETENDER_ENDPOINT: `http://127.0.0.1:${other.address().port}` });
  const server = await startPretender();
  for (let turn = 0; turn < 3; turn += 1) assert.deepEqual(await server.databases(), []);
  await server.stop();
  assert.equal(used.size, 4);
});

test("several servers share the listener that removes their logs", async () => {
  const before = process.listenerCount("exit");
  const servers = await Promise.all([startPretender(), startPretender(), startPretender()]);
  assert.equal(process.listenerCount("exit"), before + 1);
  for (const server of servers) await server.stop();
  assert.equal(process.listenerCount("exit"), before);
});

test("the log of a killed process is removed by the next start", async (t) => {
  const env = { TMPDIR: folder(t) };
  const source = `import { startPretender } from "@pretender/dynamodb";
    console.log((await startPretender()).logFile);
    setInterval(() => {}, 1000);`;
  const killed = runModule(t, source, { env });
  const lost = await killed.line();
  killed.child.kill("SIGKILL");
  await killed.ended;
  assert.ok(fs.existsSync(lost));
  const running = await runModule(t, source, { env }).line();
  assert.ok(!fs.existsSync(lost));
  const third = await runModule(t, source, { env }).line();
  assert.ok(fs.existsSync(running) && fs.existsSync(third));
});

test("Ctrl-C does not end the server before the process that handles it", async (t) => {
  const source = `import { startPretender } from "@pretender/dynamodb";
    const server = await startPretender();
    process.on("SIGINT", async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      console.log((await server.databases()).length);
      process.exit();
    });
    console.log("ready");
    setInterval(() => {}, 1000);`;
  const run = runModule(t, source, { detached: true });
  await run.line();
  // The terminal sends the signal to the whole group of processes.
  process.kill(-run.child.pid, "SIGINT");
  assert.equal(await run.line(), "0", run.output());
});

test("a server of a worker process ends when the runner is killed, although the worker hangs", async (t) => {
  const worker = path.join(folder(t), "worker.mjs");
  const index = path.join(packageFolder, "esm/index.mjs");
  fs.writeFileSync(
    worker,
    `import { startPretender } from ${JSON.stringify(index)};
     console.log(JSON.stringify([(await startPretender()).url, process.pid]));
     setInterval(() => {}, 1000);`,
  );
  const runner = runModule(t, `import { fork } from "node:child_process"; fork(${JSON.stringify(worker)}, { execArgv: [] });`);
  const [url, pid] = JSON.parse(await runner.line());
  t.after(() => process.kill(pid, "SIGKILL"));
  assert.ok(await answers(url));
  runner.child.kill("SIGKILL");
  await until("the server has ended", async () => !(await answers(url)));
  assert.ok(process.kill(pid, 0), "the worker lives");
});

test("no proxy is used", { skip: !process.allowedNodeEnvironmentFlags.has("--use-env-proxy") }, async (t) => {
  const proxy = "http://127.0.0.1:9";
  const env = { NODE_USE_ENV_PROXY: "1", HTTP_PROXY: proxy, http_proxy: proxy, NO_PROXY: "", no_proxy: "" };
  const source = `import { startPretender } from "@pretender/dynamodb";
    const server = await startPretender();
    const db = await server.database();
    await db.drop();
    console.log("done");`;
  assert.equal(await runModule(t, source, { env }).line(), "done");
});

test("a server that has ended is explained", async () => {
  const server = await startPretender();
  const db = await server.database();
  process.kill(server.pid, "SIGKILL");
  await until("the end is known", async () => {
    const error = await db.clock.now().catch((error) => error);
    return error.message?.includes("it ended with SIGKILL");
  });
  await server.stop();
});

test("the server gets no variables for AWS and for other servers, and the options are arguments", async (t) => {
  const binary = program(
    t,
    `const names = Object.keys(process.env).filter((name) => /^(AWS|PRETENDER)_/.test(name));
     console.error(JSON.stringify([names, process.argv.slice(2)]));`,
  );
  setEnv(t, { PRETENDER_BIN: binary, AWS_PROFILE: "work", AWS_SECRET_ACCESS_KEY: "secret" });
  setEnv(t, { PRETENDER_SNAPSHOT: "nothing", PRETENDER_READY_FILE: "ready", PRETENDER_LOG_FORMAT: "json" });
  const options = {
    schema: ["a.yaml", "b.yaml"],
    schemaParameters: { Stage: "dev" },
    seed: "items",
    region: "eu-west-1",
    logLevel: "info",
    args: ["--shards", "4"],
  };
  const { message } = await startPretender(options).catch((error) => error);
  const [names, args] = JSON.parse(message.slice(message.indexOf("\n[") + 1));
  assert.deepEqual(names, ["PRETENDER_LOG_FORMAT"]);
  assert.equal(
    args.join(" "),
    "serve --host 127.0.0.1 --port 0 --db :memory: --control --databases --announce json --stop-on-stdin-close " +
      "--region eu-west-1 --schema a.yaml --schema b.yaml --schema-parameter Stage=dev --seed items --log-level info --shards 4",
  );
});

test("each database begins with the schema and the seed", async (t) => {
  const cwd = folder(t);
  fs.writeFileSync(path.join(cwd, "tables.json"), JSON.stringify(ORDERS));
  fs.writeFileSync(path.join(cwd, "orders.json"), JSON.stringify([{ id: "1", total: 42 }]));
  const server = await startPretender({ cwd, schema: "tables.json", seed: "orders.json" });
  t.after(() => server.stop());
  for (let turn = 0; turn < 2; turn += 1) {
    const db = await server.database();
    const { Items } = await db.documentClient().send(new ScanCommand({ TableName: "orders" }));
    assert.deepEqual(Items, [{ id: "1", total: 42 }]);
    await db.reset("orders");
  }
});

test("the types need no package of the AWS SDK", async (t) => {
  const cwd = folder(t);
  fs.cpSync(path.join(packageFolder, "types/index.d.ts"), path.join(cwd, "index.d.ts"));
  const usage = `import { insert, type Database } from "./index.js";
    export const changes = (db: Database) => db.changes("orders");
    export const wrong: number = insert();`;
  fs.writeFileSync(path.join(cwd, "usage.mts"), usage);
  const compiler = path.join(path.dirname(require.resolve("typescript/package.json")), "bin/tsc");
  const args = [compiler, "--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--types", "", "usage.mts"];
  const { output } = await start(t, process.execPath, args, { cwd }).ended;
  // The one error shows that the types were read.
  assert.match(output, /^usage\.mts\S+ error TS2322: [^\n]*\n?$/);
});

test("the example of the README for any framework runs", async (t) => {
  const readme = fs.readFileSync(path.join(packageFolder, "README.md"), "utf8");
  const [, example] = /## Any other framework\n\n```js\n([^]*?)```/.exec(readme);
  const cwd = folder(t);
  fs.writeFileSync(path.join(cwd, "template.yml"), JSON.stringify(ORDERS));
  // The resolution of packages begins at the working directory.
  fs.symlinkSync(path.join(packageFolder, "../.."), path.join(cwd, "node_modules"));
  const { code, output } = await runModule(t, example, { cwd }).ended;
  assert.equal(code, 0, output);
});

test("the command passes arguments, the exit code and signals through", async (t) => {
  const command = path.join(packageFolder, "bin/pretender.js");
  const shown = await start(t, process.execPath, [command, "--version"]).ended;
  assert.deepEqual([shown.code, shown.output], [0, `pretender ${version}\n`]);
  assert.equal((await start(t, process.execPath, [command, "nonsense"]).ended).code, 2);

  const serving = start(t, process.execPath, [command, "serve", "--port", "0", "--db", ":memory:"]);
  const url = (await serving.line()).replace("Listening on ", "");
  assert.ok(await answers(url));
  serving.child.kill("SIGTERM");
  assert.equal((await serving.ended).code, 0);
  assert.ok(!(await answers(url)));

  const binary = program(t, "console.log(process.pid); setInterval(() => {}, 1000);");
  const killed = start(t, process.execPath, [command], { env: { PRETENDER_BIN: binary } });
  process.kill(Number(await killed.line()), "SIGKILL");
  assert.equal((await killed.ended).signal, "SIGKILL");
});

test("a server that the command has started does not outlive the command", async (t) => {
  const command = path.join(packageFolder, "bin/pretender.js");
  // The shell is the parent, so that the killed command is not this process's child that is still to be waited for.
  const shell = spawn("/bin/sh", ["-c", `"$0" "$1" serve -p 0 -d :memory: & echo $!; wait`, process.execPath, command], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => shell.kill("SIGKILL"));
  let text = "";
  shell.stdout.on("data", (part) => (text += part));
  await until("the server answers", () => text.includes("Listening on"));
  const url = /Listening on (\S+)/.exec(text)[1];
  process.kill(Number.parseInt(text, 10), "SIGKILL");
  await until("the server has ended", async () => !(await answers(url)));
});
