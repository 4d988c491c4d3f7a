// Assertions about streams.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  CreateTableCommand,
  PutItemCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { GetRecordsCommand, GetShardIteratorCommand } from "@aws-sdk/client-dynamodb-streams";
import { DeleteCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { insert, modify, remove, startPretender, UnexpectedChangesError } from "@pretender/dynamodb";
import { createOrders, ORDERS } from "./support.mjs";

const server = await startPretender();
after(() => server.stop());

/** Returns a database with a table `orders`, and functions that write to it. */
async function orders(t) {
  const db = await server.database();
  t.after(() => db.drop());
  await createOrders(db);
  const client = db.documentClient();
  const put = (item) => client.send(new PutCommand({ TableName: "orders", Item: item }));
  const del = (id) => client.send(new DeleteCommand({ TableName: "orders", Key: { id } }));
  return { db, client, put, del, changes: await db.changes("orders") };
}

test("changes are compared in order, each only once", async (t) => {
  const { put, del, changes } = await orders(t);
  await put({ id: "1", total: 42, state: "new" });
  await put({ id: "1", total: 43, state: "new" });
  const found = await changes.expect(insert({ id: "1" }), modify({ id: "1", total: 43 }, { total: 42 }));
  assert.deepEqual(found[1].oldImage, { id: "1", total: 42, state: "new" });
  await del("1");
  await changes.expect(remove({ id: "1", total: 43 }));
  await changes.expect();
});

test("only later changes count", async (t) => {
  const { db, put, changes } = await orders(t);
  await put({ id: "1" });
  const later = await db.changes("orders");
  await put({ id: "2" });
  await later.expect(insert({ id: "2" }));
  await changes.expect(insert({ id: "1" }), insert({ id: "2" }));
});

test("an expired item is told from one that a client has deleted", async (t) => {
  const { db, client, put, del, changes } = await orders(t);
  const specification = { Enabled: true, AttributeName: "expires" };
  await client.send(new UpdateTimeToLiveCommand({ TableName: "orders", TimeToLiveSpecification: specification }));
  const { now } = await db.clock.hold();
  await put({ id: "1", expires: Math.floor(now / 1000) + 60 });
  await put({ id: "2" });
  await changes.read();
  await db.clock.advance({ hours: 1 });
  await del("2");
  await assert.rejects(
    changes.expect(remove({ id: "1" }, { byTtl: false }), remove({ id: "2" }, { byTtl: true })),
    /was done by TTL\n.*was not done by TTL$/,
  );
  const [expired, deleted] = await changes.expect(remove({ id: "1" }, { byTtl: true }), remove({ id: "2" }, { byTtl: false }));
  assert.deepEqual(expired.userIdentity, { type: "Service", principalId: "dynamodb.amazonaws.com" });
  assert.equal(deleted.userIdentity, undefined);
});

test("a failure shows both sides", async (t) => {
  const { put, del, changes } = await orders(t);
  changes.timeout = 50;
  await put({ id: "1", total: 42, note: "x" });
  await put({ id: "1", total: 43, note: "x" });
  await del("1");
  const expected = [insert({ id: "1" }), modify({ id: "1", total: 44 }, { total: 42 }), insert({ id: "2" }), remove()];
  const error = await changes.expect(...expected).catch((error) => error);
  assert.ok(error instanceof UnexpectedChangesError);
  assert.equal(
    error.message,
    [
      "the changes of orders are not as expected: 1 missing, 2 different",
      "      expected                    found",
      '   1  INSERT id="1"               INSERT id="1" note="x" total=42',
      '>  2  MODIFY id="1" total=42->44  MODIFY id="1" total=42->43       total is 43, expected 44',
      '>  3  INSERT id="2"               REMOVE id="1" note="x" total=43  is REMOVE, expected INSERT',
      ">  4  REMOVE                      -                                missing",
    ].join("\n"),
  );
  assert.deepEqual([error.expected, error.found.length], [expected, 3]);
  // The changes can be compared again.
  await changes.expect(insert(), modify({ total: 43 }), remove());
});

test("a change too many fails at once, and a missing one after the timeout", async (t) => {
  const { put, changes } = await orders(t);
  await put({ id: "1" });
  changes.timeout = 60_000;
  await assert.rejects(changes.expect(), /1 unexpected\n.*\n> +1 +- +INSERT id="1" +unexpected$/);
  changes.timeout = 20;
  await assert.rejects(changes.expect(insert({ id: "1" }), insert({ id: "2" })), /1 missing/);
});

test("changes that come later are waited for", async (t) => {
  const { put, changes } = await orders(t);
  setTimeout(() => put({ id: "1" }), 50);
  await changes.expect(insert({ id: "1" }));
});

test("changes of sibling shards come after those of their parent, in any order", async (t) => {
  const { db, put, changes } = await orders(t);
  const ids = ["a", "b", "c", "d", "e", "f"];
  for (const id of ids) await put({ id, version: 1 });
  await db.shards.split("orders");
  for (const id of ids) await put({ id, version: 2 });
  await db.shards.rotate("orders");
  for (const id of [...ids].reverse()) await put({ id, version: 3 });
  const written = [
    ...ids.map((id) => insert({ id, version: 1 })),
    ...ids.map((id) => modify({ id, version: 2 })),
    ...[...ids].reverse().map((id) => modify({ id, version: 3 })),
  ];
  const found = await changes.expect(...written);
  assert.equal(new Set(found.map(({ shardId }) => shardId)).size, 5);
  await db.shards.split("orders");
  await changes.expect();
});

test("all types become plain values", async (t) => {
  const { put, changes } = await orders(t);
  const item = {
    id: "1",
    number: 12.5,
    large: 12345678901234567890n,
    flag: true,
    nothing: null,
    list: ["a", 1, [null]],
    map: { inner: { deep: 1 } },
    bytes: new Uint8Array([1, 2]),
    strings: new Set(["a", "b"]),
    numbers: new Set([1, 2]),
    binaries: new Set([new Uint8Array([3])]),
  };
  await put(item);
  const [{ newImage }] = await changes.expect(insert({ ...item, list: ["a", 1, [null]], absent: undefined }));
  assert.deepEqual(newImage, item);
  await put({ ...item, list: ["b"] });
  changes.timeout = 0;
  await assert.rejects(changes.expect(modify({ list: ["a"], bytes: Buffer.from([1, 2]) })), /list is \["b"\], expected \["a"\]$/);
});

test("numbers are compared by their values, and not with text", async (t) => {
  const { client, changes } = await orders(t);
  const numbers = { large: "100000000000000000000", larger: "12345678901234567890", exact: "0.12345678901234567890" };
  const item = Object.fromEntries(Object.entries(numbers).map(([name, digits]) => [name, { N: digits }]));
  const text = { S: "12345678901234567890" };
  await client.send(new PutItemCommand({ TableName: "orders", Item: { id: { S: "1" }, text, ...item } }));
  await assert.rejects(changes.expect(insert({ text: 12345678901234567890n })), /text is "12345678901234567890", expected 1/);
  await assert.rejects(changes.expect(insert({ larger: "12345678901234567890" })), /larger is 12345678901234567890, expected "1/);
  await changes.expect(insert({ large: 10n ** 20n, larger: 12345678901234567890n, exact: "0.1234567890123456789" }));
});

test("matchers of test frameworks can stand for values", async (t) => {
  const { put, changes } = await orders(t);
  const any = (type) => ({ asymmetricMatch: (value) => typeof value === type, toAsymmetricMatcher: () => `Any<${type}>` });
  await put({ id: "1", total: 42, lines: ["a", { product: "lamp", count: 2 }] });
  await assert.rejects(changes.expect(insert({ total: any("string") })), /total is 42, expected Any<string>/);
  const lines = (count) => [any("string"), { product: any("string"), count: any(count) }];
  await assert.rejects(changes.expect(insert({ lines: lines("string") })), /lines is .* expected \[Any<string>, {product: Any</);
  await changes.expect(insert({ total: any("number"), lines: lines("number") }));
});

test("a stream without images is compared by its keys", async (t) => {
  const { db, client } = await orders(t);
  const keysOnly = { StreamEnabled: true, StreamViewType: "KEYS_ONLY" };
  await client.send(new CreateTableCommand({ ...ORDERS, TableName: "keys", StreamSpecification: keysOnly }));
  const changes = await db.changes("keys");
  for (const total of [42, 43]) await client.send(new PutCommand({ TableName: "keys", Item: { id: "1", total } }));
  const [{ newImage }] = await changes.expect(insert({ id: "1" }), modify({ id: "1" }));
  assert.equal(newImage, undefined);
});

test("a failed assertion consumes no changes", async (t) => {
  const { put, changes } = await orders(t);
  await put({ id: "1" });
  await assert.rejects(changes.expect(insert({ id: "2" })));
  await put({ id: "2" });
  await changes.expect(insert({ id: "1" }), insert({ id: "2" }));
});

test("assertions meet no faults, and leave them to the code under test", async (t) => {
  const { db, put, changes } = await orders(t);
  await put({ id: "1" });
  const [{ shardId: ShardId, streamArn: StreamArn }] = await db.shards.list("orders");
  await db.faults.add("throttling", { operation: "GetRecords", times: 1 });
  for (const kind of ["expired-iterator", "trimmed-data", "empty-page", "duplicate", "internal-error"]) {
    await db.faults.add(kind, { operation: "streams", skip: kind === "expired-iterator" ? 0 : 1 });
  }
  await changes.expect(insert({ id: "1" }));
  await db.changes("orders");
  const faults = await db.faults.list();
  assert.deepEqual(faults.map(({ matched, injected }) => [matched, injected]), faults.map(() => [0, 0]));

  const once = db.streams({ maxAttempts: 1 });
  const get = new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" });
  await db.faults.clear();
  await db.faults.add("throttling", { operation: "GetRecords", times: 1 });
  const { ShardIterator } = await once.send(get);
  await changes.expect();
  await assert.rejects(once.send(new GetRecordsCommand({ ShardIterator })), { name: "ThrottlingException" });
  assert.equal((await once.send(new GetRecordsCommand({ ShardIterator }))).Records.length, 1);
});

test("changes are compared after others were trimmed", async (t) => {
  const { db, put, changes } = await orders(t);
  await put({ id: "1" });
  await changes.expect(insert({ id: "1" }));
  await put({ id: "2" });
  await db.trim("orders");
  await put({ id: "3" });
  await changes.expect(insert({ id: "3" }));
  await changes.expect();
  // A shard that is trimmed as a whole is gone.
  await db.shards.rotate("orders");
  await db.trim("orders");
  await put({ id: "4" });
  await changes.expect(insert({ id: "4" }));
});

test("changes in all streams of a table are compared, the older stream first", async (t) => {
  const { db, client, put, changes } = await orders(t);
  const enable = (enabled) => {
    const StreamSpecification = enabled ? ORDERS.StreamSpecification : { StreamEnabled: false };
    return client.send(new UpdateTableCommand({ TableName: "orders", StreamSpecification }));
  };
  await put({ id: "1" });
  await enable(false);
  await put({ id: "2" });
  await enable(true);
  await put({ id: "3" });
  await assert.rejects(changes.expect(insert({ id: "3" }), insert({ id: "1" })));
  await changes.expect(insert({ id: "1" }), insert({ id: "3" }));

  await db.reset();
  await changes.expect();
  await createOrders(db);
  await put({ id: "4" });
  await changes.expect(insert({ id: "4" }));
});

test("an order that fits is found, and it keeps the order of each shard", async (t) => {
  const { db, put, changes } = await orders(t);
  await db.shards.split("orders");
  // Two items in different shards.
  const ids = [];
  for (let id = 0; ids.length < 2; id += 1) {
    await put({ id: `item-${id}` });
    const [{ shardId }] = await changes.read();
    if (!ids.some((other) => other.shardId === shardId)) ids.push({ id: `item-${id}`, shardId });
  }
  const [one, other] = ids.map(({ id }) => id);
  for (const id of [one, other]) for (const total of [1, 2]) await put({ id, total });
  const wanted = (...totals) => totals.map(([id, total]) => modify({ ...(id && { id }), total }));
  // Whichever shard the first expectation takes, one of the two orders needs the other one.
  const expectations = [
    wanted([undefined, 1], [one, 1], [undefined, 2], [undefined, 2]),
    wanted([undefined, 1], [other, 1], [undefined, 2], [undefined, 2]),
  ];
  await assert.rejects(changes.expect(...wanted([one, 2], [one, 1], [other, 1], [other, 2])), /different/);
  await changes.expect(...expectations[0]);
  for (const id of [one, other]) for (const total of [1, 2]) await put({ id, total });
  await changes.expect(...expectations[1]);
});

test("the search for an order ends", async (t) => {
  const { db, put, changes } = await orders(t);
  for (let turn = 0; turn < 2; turn += 1) await db.shards.split("orders");
  await Promise.all(Array.from({ length: 100 }, (_, id) => put({ id: `${id}` })));
  const expected = Array.from({ length: 99 }, () => insert());
  const begin = performance.now();
  await assert.rejects(changes.expect(...expected, insert({ id: "none" })), /1 different/);
  assert.ok(performance.now() - begin < 10_000);
  await changes.expect(...expected, insert());
});

test("the timeout holds while a test has stopped the time, and while the server does not answer", async (t) => {
  const { changes } = await orders(t);
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  t.mock.method(performance, "now", () => 0);
  changes.timeout = 50;
  await assert.rejects(changes.expect(insert()), /1 missing/);
  t.mock.reset();
  t.mock.timers.reset();

  const own = await startPretender();
  t.after(() => own.stop());
  const db = await own.database();
  await createOrders(db);
  const waiting = await db.changes("orders");
  waiting.timeout = 50;
  process.kill(own.pid, "SIGSTOP");
  await assert.rejects(waiting.expect(), /does not answer: no answer in \d+ ms/);
  process.kill(own.pid, "SIGCONT");
});

test("a table without a stream is an error", async (t) => {
  const { db } = await orders(t);
  await assert.rejects(db.changes("carts"), /there is no stream of a table `carts`/);
});
