// Isolated databases, and control over each.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { DynamoDBClient, GetItemCommand, ListTablesCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient, ListStreamsCommand } from "@aws-sdk/client-dynamodb-streams";
import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { ControlError, PretenderError, startPretender } from "@pretender/dynamodb";
import { createOrders, folder, setEnv } from "./support.mjs";

const server = await startPretender();
after(() => server.stop());

/** Returns a database with a table `orders` that is dropped after the test. */
async function database(t) {
  const db = await server.database();
  t.after(() => db.drop());
  await createOrders(db);
  return db;
}

test("databases are isolated, and dropping one removes it", async () => {
  const [one, other] = [await server.database("one"), await server.database("other")];
  await createOrders(one);
  assert.deepEqual((await one.client().send(new ListTablesCommand())).TableNames, ["orders"]);
  assert.deepEqual((await other.client().send(new ListTablesCommand())).TableNames, []);
  assert.equal(await server.database("one").then((db) => db.endpoint), one.endpoint);

  await one.drop();
  const names = (await server.databases()).map(({ name }) => name);
  assert.ok(!names.includes("one") && names.includes("other"), names.join());
  const again = await server.database("one");
  assert.deepEqual((await again.client().send(new ListTablesCommand())).TableNames, []);
  await again.drop();
  await other.drop();
});

test("an invalid name is refused", async () => {
  await assert.rejects(server.database("no/name"), (error) => {
    assert.ok(error instanceof PretenderError);
    assert.match(error.message, /did not create the database `no\/name`: /);
    return true;
  });
});

test("clients work together, are reused, and take other settings", async (t) => {
  const db = await database(t);
  assert.equal(db.client(), db.client());
  assert.equal(db.streams(), db.streams());
  const item = { id: "1", absent: undefined, tags: new Set(["new"]) };
  await db.documentClient().send(new PutCommand({ TableName: "orders", Item: item }));
  const { Item } = await db.documentClient().send(new GetCommand({ TableName: "orders", Key: { id: "1" } }));
  assert.deepEqual(Item, { id: "1", tags: new Set(["new"]) });
  assert.equal((await db.streams().send(new ListStreamsCommand({}))).Streams.length, 1);

  const numbers = db.documentClient({ unmarshallOptions: { wrapNumbers: true } });
  await numbers.send(new PutCommand({ TableName: "orders", Item: { id: "2", total: 42 } }));
  const wrapped = await numbers.send(new GetCommand({ TableName: "orders", Key: { id: "2" } }));
  assert.equal(wrapped.Item.total.value, "42");
  const once = db.client({ maxAttempts: 1 });
  assert.notEqual(once, db.client());
  assert.equal(await once.config.maxAttempts(), 1);
});

test("any client works with `config`", async (t) => {
  const db = await database(t);
  const config = path.join(folder(t), "config");
  fs.writeFileSync(config, "[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n");
  setEnv(t, { AWS_CONFIG_FILE: config });
  for (const client of [new DynamoDBClient(db.config), new DynamoDBClient({ ...db.config, endpoint: `${db.endpoint}/` })]) {
    assert.deepEqual((await client.send(new ListTablesCommand())).TableNames, ["orders"]);
    client.destroy();
  }
});

test("clients without settings work while the variables are set", async (t) => {
  const config = path.join(folder(t), "config");
  fs.writeFileSync(config, "[default]\nuse_fips_endpoint = true\n");
  const [AWS_CONFIG_FILE, AWS_USE_DUALSTACK_ENDPOINT] = [config, "true"];
  setEnv(t, { AWS_CONFIG_FILE, AWS_USE_DUALSTACK_ENDPOINT });
  setEnv(t, { AWS_PROFILE: "work", AWS_SESSION_TOKEN: "token", AWS_REGION: undefined });
  const db = await database(t);
  const restore = db.useEnv();
  assert.equal("AWS_PROFILE" in process.env, false);
  const client = new DynamoDBClient();
  const streams = new DynamoDBStreamsClient();
  assert.deepEqual((await client.send(new ListTablesCommand())).TableNames, ["orders"]);
  assert.equal((await streams.send(new ListStreamsCommand({}))).Streams.length, 1);
  const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
  assert.deepEqual([accessKeyId, secretAccessKey, sessionToken], ["pretender", "pretender", undefined]);
  restore();
  const { AWS_PROFILE, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL_DYNAMODB } = process.env;
  assert.deepEqual(
    [AWS_PROFILE, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL_DYNAMODB, process.env.AWS_CONFIG_FILE],
    ["work", "token", undefined, undefined, config],
  );
  client.destroy();
  streams.destroy();
});

test("the clock is held, moved and released", async (t) => {
  const db = await database(t);
  const held = await db.clock.hold();
  assert.deepEqual([held.held, held.speed], [true, undefined]);
  assert.deepEqual(await db.clock.now(), held.now);

  const moves = [{ minutes: 16, seconds: 1 }, 1500, "1d"];
  const expected = [16 * 60_000 + 1000, 1500, 86_400_000];
  let now = held.now.getTime();
  for (const [at, duration] of moves.entries()) {
    const moved = await db.clock.advance(duration);
    now += expected[at];
    assert.equal(moved.now.getTime(), now);
  }
  assert.equal((await db.clock.advance({ hours: 5 })).done.rotatedShards, 1);
  const time = "2031-05-01T10:00:00.000Z";
  for (const same of [time, new Date(time), Date.parse(time)]) {
    assert.equal((await db.clock.set(same)).now.toISOString(), time);
  }
  const running = await db.clock.run({ speed: 2 });
  assert.deepEqual([running.held, running.speed], [false, 2]);
  assert.equal((await db.clock.run()).speed, 1);
  assert.equal((await db.clock.state()).held, false);
  await assert.rejects(db.clock.advance({ minute: 1 }), /`minute` is not a unit of time: use days, hours/);

  const other = await database(t);
  assert.ok((await other.clock.now()).getTime() < Date.parse("2031-01-01"), "each database has a clock of its own");
});

test("faults are added, counted and removed", async (t) => {
  const db = await database(t);
  const once = db.client({ maxAttempts: 1 });
  const put = () => once.send(new PutItemCommand({ TableName: "orders", Item: { id: { S: "1" } } }));
  const fault = await db.faults.add("throttling", { operation: ["PutItem", "reads"], table: "orders", skip: 1, times: 1 });
  assert.deepEqual([fault.kind, fault.operations, fault.table, fault.times], ["throttling", ["PutItem", "reads"], "orders", 1]);
  await put();
  await assert.rejects(put(), { name: "ThrottlingException" });
  await put();
  const [{ id, matched, injected, over }] = await db.faults.list();
  assert.deepEqual([id, matched, injected, over], [fault.id, 2, 1, true]);
  const [injection] = await db.faults.log();
  assert.deepEqual([injection.fault, injection.operation, injection.tables], [fault.id, "PutItem", ["orders"]]);
  assert.ok(Math.abs(injection.time - (await db.clock.now())) < 60_000);

  const slow = await db.faults.add("latency", { delay: 20 });
  assert.deepEqual(slow.delayMillis, [20, 20]);
  assert.deepEqual((await db.faults.add("latency", { delay: "10ms..20ms" })).delayMillis, [10, 20]);
  await db.faults.remove(slow);
  assert.equal(await db.faults.clear(), 2);
  assert.deepEqual(await db.faults.list(), []);

  await assert.rejects(db.faults.remove(99), (error) => {
    assert.ok(error instanceof ControlError);
    assert.deepEqual([error.status, error.command, error.message], [404, "faults/remove", "there is no fault 99"]);
    return true;
  });
  await assert.rejects(db.faults.add("rain"), { name: "ControlError", status: 400 });
});

test("snapshots are saved, restored, listed and deleted", async (t) => {
  const db = await database(t);
  const { now } = await db.clock.hold();
  const saved = await db.snapshots.save("empty");
  assert.deepEqual([saved.name, saved.tables, saved.items, saved.taken], ["empty", 1, 0, now]);
  await db.client().send(new PutItemCommand({ TableName: "orders", Item: { id: { S: "1" } } }));
  await db.clock.advance({ hours: 1 });

  await db.snapshots.restore("empty");
  const get = new GetItemCommand({ TableName: "orders", Key: { id: { S: "1" } } });
  assert.equal((await db.client().send(get)).Item, undefined);
  assert.notDeepEqual(await db.clock.now(), now);
  await db.snapshots.restore("empty", { clock: true });
  assert.deepEqual(await db.clock.now(), now);

  assert.deepEqual((await db.snapshots.list()).map(({ name }) => name), ["empty"]);
  await db.snapshots.delete("empty");
  assert.deepEqual(await db.snapshots.list(), []);
  await assert.rejects(db.snapshots.restore("empty"), { name: "ControlError" });
});

test("shards are listed, split and rotated", async (t) => {
  const db = await database(t);
  const [first] = await db.shards.list("orders");
  assert.equal(first.open, true);
  const children = await db.shards.split(first.streamArn);
  assert.deepEqual(children.map(({ parentShardId }) => parentShardId), [first.shardId, first.shardId]);
  const [grandchild] = await db.shards.rotate("orders", { shardId: children[0].shardId });
  assert.equal(grandchild.parentShardId, children[0].shardId);
  const listed = await db.shards.list("orders");
  assert.deepEqual(listed.filter(({ open }) => open).length, 2);
  const [closed] = await db.shards.list("orders", { shardId: first.shardId });
  assert.ok(closed.endingSequenceNumber);
  await assert.rejects(db.shards.split("carts"), { name: "ControlError", status: 404 });
});

test("records are trimmed, and a database is reset", async (t) => {
  const db = await database(t);
  const put = (id) => db.client().send(new PutItemCommand({ TableName: "orders", Item: { id: { S: id } } }));
  const changes = await db.changes("orders");
  for (const id of ["1", "2", "3"]) await put(id);
  const third = (await changes.read())[2];
  assert.equal((await db.trim("orders", { before: third.sequenceNumber })).records, 2);
  const [{ streamArn }] = await db.shards.list("orders");
  assert.equal((await db.trim(streamArn)).records, 1);

  await db.reset("orders");
  const get = new GetItemCommand({ TableName: "orders", Key: { id: { S: "1" } } });
  assert.equal((await db.client().send(get)).Item, undefined);
  await db.reset();
  assert.deepEqual((await db.client().send(new ListTablesCommand())).TableNames, []);
});

test("a control token is sent", async (t) => {
  setEnv(t, { PRETENDER_CONTROL_TOKEN: "a-long-secret-token" });
  const guarded = await startPretender();
  t.after(() => guarded.stop());
  const db = await guarded.database();
  assert.equal((await db.clock.hold()).held, true);
  delete process.env.PRETENDER_CONTROL_TOKEN;
  await assert.rejects(db.clock.run(), { name: "ControlError", status: 401 });
});

test("`await using` releases databases and servers", async () => {
  const own = await startPretender();
  const db = await own.database("used");
  await db[Symbol.asyncDispose]();
  assert.deepEqual(await own.databases(), []);
  await own[Symbol.asyncDispose]();
  await assert.rejects(own.databases(), /does not answer/);
});
