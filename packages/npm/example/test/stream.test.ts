import { insert, modify, remove } from "@pretender/dynamodb";
import { test } from "@pretender/dynamodb/vitest";
import { expect } from "vitest";
import { order, storeWithLamps } from "./orders.js";

test("the stream has INSERT, MODIFY, REMOVE in order with both images", async ({ db }) => {
  const store = await storeWithLamps(db);
  const changes = await db.changes("orders");
  await store.place(order("1"));
  await store.ship("1");
  await store.cancel("1");
  const [created, shipped, removed] = await changes.expect(
    insert({ id: "1", state: "new" }),
    modify({ id: "1", state: "shipped" }, { state: "new" }),
    remove({ id: "1", state: "shipped" }),
  );
  const [before, after] = [{ ...order("1"), state: "new" }, { ...order("1"), state: "shipped" }];
  expect([created?.oldImage, created?.newImage]).toEqual([undefined, before]);
  expect([shipped?.oldImage, shipped?.newImage]).toEqual([before, after]);
  expect([removed?.oldImage, removed?.newImage]).toEqual([after, undefined]);
});

test("a write that changes nothing makes no record", async ({ db }) => {
  const store = await storeWithLamps(db);
  const changes = await db.changes("orders");
  await store.place(order("1"));
  await store.ship("1");
  await changes.expect(insert({ id: "1" }), modify({ state: "shipped" }));
  await store.ship("1");
  await changes.expect();
});

test("a throttled write is retried and recorded once", async ({ db }) => {
  const store = await storeWithLamps(db);
  const changes = await db.changes("orders");
  const fault = await db.faults.add("throttling", { operation: "TransactWriteItems", times: 1 });
  await store.place(order("1"));
  await changes.expect(insert({ id: "1", total: 42 }));
  expect(await store.available("lamp")).toBe(99);
  expect((await db.faults.log()).map((injection) => injection.fault)).toEqual([fault.id]);
});

test("an expired order is removed by TTL, and the record names the service", async ({ db }) => {
  const store = await storeWithLamps(db);
  const changes = await db.changes("orders");
  const now = (await db.clock.hold()).now;
  await store.place(order("1", { expires: Math.floor(now.getTime() / 1000) + 3600 }));
  await store.place(order("2"));
  await changes.expect(insert({ id: "1" }), insert({ id: "2" }));

  await db.clock.advance({ hours: 2 });
  const [expired] = await changes.expect(remove({ id: "1" }, { byTtl: true }));
  expect(expired?.userIdentity).toEqual({ type: "Service", principalId: "dynamodb.amazonaws.com" });
  expect((await store.byCustomer("ann")).map(({ id }) => id)).toEqual(["2"]);
});
