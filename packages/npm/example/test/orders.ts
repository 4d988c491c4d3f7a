import type { Database } from "@pretender/dynamodb";
import { OrderStore } from "../src/order-store.js";

/** Returns a store with a stock of one hundred lamps. */
export async function storeWithLamps(db: Database): Promise<OrderStore> {
  const store = new OrderStore(db.client());
  await store.restock("lamp", 100);
  return store;
}

/** Returns an order of one lamp, with other attributes as given. */
export function order(id: string, others: { customer?: string; total?: number; placed?: string; expires?: number } = {}) {
  return { id, customer: "ann", product: "lamp", quantity: 1, total: 42, placed: "2026-03-01T10:00:00Z", ...others };
}
