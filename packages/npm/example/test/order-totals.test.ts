import type { Database } from "@pretender/dynamodb";
import { test } from "@pretender/dynamodb/vitest";
import { expect } from "vitest";
import { OrderTotals, type Checkpoint } from "../src/order-totals.js";
import { order, storeWithLamps } from "./orders.js";

function consumer(db: Database, checkpoint?: Checkpoint): OrderTotals {
  return new OrderTotals(db.streams(), db.client(), checkpoint);
}

test("the consumer computes totals", async ({ db }) => {
  const store = await storeWithLamps(db);
  await store.place(order("1", { total: 10 }));
  await store.place(order("2", { total: 20 }));
  await store.place(order("3", { total: 30, customer: "bob" }));
  await store.cancel("1");
  const totals = consumer(db);
  await totals.poll();
  expect(totals.totals()).toEqual({ ann: 20, bob: 30 });
  expect(totals.handled).toBe(4);
});

test("the consumer continues from its checkpoint after a restart", async ({ db }) => {
  const store = await storeWithLamps(db);
  await store.place(order("1", { total: 10 }));
  const first = consumer(db);
  await first.poll();

  await store.place(order("2", { total: 20 }));
  const second = consumer(db, first.checkpoint());
  await second.poll();
  expect(second.totals()).toEqual({ ann: 30 });
  expect(second.handled).toBe(1);
});

test("the consumer survives an expired iterator", async ({ db }) => {
  const store = await storeWithLamps(db);
  const totals = consumer(db);
  await store.place(order("1", { total: 10 }));
  await totals.poll();

  await db.clock.advance({ minutes: 16 });
  await store.place(order("2", { total: 20 }));
  await totals.poll();
  expect(totals.totals()).toEqual({ ann: 30 });
  expect([totals.handled, totals.repairs]).toEqual([2, 0]);
});

test("the consumer reads each record once across a split", async ({ db }) => {
  const store = await storeWithLamps(db);
  const totals = consumer(db);
  for (let id = 0; id < 10; id += 1) await store.place(order(`${id}`, { total: 10 }));
  await totals.poll();
  for (let id = 0; id < 5; id += 1) await store.ship(`${id}`);
  await db.shards.split("orders");
  for (let id = 5; id < 10; id += 1) await store.cancel(`${id}`);
  await totals.poll();
  expect(totals.totals()).toEqual({ ann: 50 });
  expect([totals.handled, totals.repairs]).toEqual([20, 0]);
  expect(await db.shards.list("orders")).toHaveLength(3);
});

test("the consumer recovers from trimmed records", async ({ db }) => {
  const store = await storeWithLamps(db);
  const totals = consumer(db);
  await store.place(order("1", { total: 10 }));
  await totals.poll();

  await store.place(order("2", { total: 20 }));
  await db.clock.advance({ hours: 25 });
  await store.place(order("3", { total: 30 }));
  await totals.poll();
  expect(totals.totals()).toEqual({ ann: 60 });
  expect(totals.repairs).toBe(1);
});

test("a throttled GetRecords does not lose records", async ({ db }) => {
  const store = await storeWithLamps(db);
  // The SDK's own attempts would hide the fault from the consumer.
  const totals = new OrderTotals(db.streams({ maxAttempts: 1 }), db.client());
  await store.place(order("1", { total: 10 }));
  await db.faults.add("limit-exceeded", { operation: "GetRecords", times: 1 });
  await totals.poll();
  expect(totals.totals()).toEqual({});

  await store.place(order("2", { total: 20 }));
  await totals.poll();
  expect(totals.totals()).toEqual({ ann: 30 });
  expect(totals.handled).toBe(2);
});
