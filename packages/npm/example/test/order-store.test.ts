import { test } from "@pretender/dynamodb/vitest";
import { expect } from "vitest";
import { OrderExistsError, OrderStore, SoldOutError, UnknownOrderError } from "../src/order-store.js";
import { order, storeWithLamps } from "./orders.js";

test("places an order and reads it", async ({ db }) => {
  const store = await storeWithLamps(db);
  await store.place(order("1"));
  expect(await store.get("1")).toEqual({ ...order("1"), state: "new" });
});

test("refuses the same order twice", async ({ db }) => {
  const store = await storeWithLamps(db);
  await store.place(order("1"));
  await expect(store.place(order("1", { total: 43 }))).rejects.toThrow(OrderExistsError);
  expect((await store.get("1"))?.total).toBe(42);
});

test("ships an order", async ({ db }) => {
  const store = await storeWithLamps(db);
  await store.place(order("1"));
  await store.ship("1");
  expect((await store.get("1"))?.state).toBe("shipped");
});

test("cannot ship an unknown order", async ({ db }) => {
  const store = new OrderStore(db.client());
  await expect(store.ship("1")).rejects.toThrow(UnknownOrderError);
  expect(await store.get("1")).toBeUndefined();
});

test("lists the orders of a customer by date", async ({ db }) => {
  const store = await storeWithLamps(db);
  await store.place(order("1", { placed: "2026-03-03T10:00:00Z" }));
  await store.place(order("2", { placed: "2026-03-01T10:00:00Z" }));
  await store.place(order("3", { placed: "2026-03-02T10:00:00Z" }));
  await store.place(order("4", { customer: "bob" }));
  expect((await store.byCustomer("ann")).map(({ id }) => id)).toEqual(["2", "3", "1"]);
});

test("pages through the orders of a customer", async ({ db }) => {
  const store = await storeWithLamps(db);
  for (const day of [1, 2, 3, 4, 5]) await store.place(order(`${day}`, { placed: `2026-03-0${day}T10:00:00Z` }));
  const first = await store.page("ann", 2);
  const second = await store.page("ann", 2, first.next);
  const third = await store.page("ann", 2, second.next);
  expect([first, second, third].map(({ orders }) => orders.map(({ id }) => id))).toEqual([["1", "2"], ["3", "4"], ["5"]]);
  expect(third.next).toBeUndefined();
});

test("placing reserves stock in one transaction", async ({ db }) => {
  const store = await storeWithLamps(db);
  await store.place({ ...order("1"), quantity: 3 });
  expect(await store.available("lamp")).toBe(97);
});

test("a sold-out product cancels the transaction and changes nothing", async ({ db }) => {
  const store = await storeWithLamps(db);
  const changes = await db.changes("orders");
  await expect(store.place({ ...order("1"), quantity: 101 })).rejects.toThrow(SoldOutError);
  expect(await store.get("1")).toBeUndefined();
  expect(await store.available("lamp")).toBe(100);
  await changes.expect();
});

test("each test starts with an empty database", async ({ db }) => {
  const store = new OrderStore(db.client());
  expect(await store.get("1")).toBeUndefined();
  expect(await store.byCustomer("ann")).toEqual([]);
  expect(await store.available("lamp")).toBe(0);
});

test("a snapshot brings back the seeded orders", async ({ db }) => {
  const store = await storeWithLamps(db);
  await store.place(order("1", { placed: "2026-03-01T10:00:00Z" }));
  await store.place(order("2", { placed: "2026-03-02T10:00:00Z" }));
  await db.snapshots.save("seeded");

  await store.ship("1");
  await store.cancel("2");
  await db.snapshots.restore("seeded");
  expect((await store.byCustomer("ann")).map(({ id, state }) => [id, state])).toEqual([
    ["1", "new"],
    ["2", "new"],
  ]);
});
