// How a project in TypeScript uses the package; this is compiled, not run.

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import {
  ControlError,
  insert,
  modify,
  PretenderError,
  remove,
  startPretender,
  UnexpectedChangesError,
  version,
  type Change,
  type Changes,
  type Database,
  type Fault,
  type Server,
  type Shard,
  type Snapshot,
  type StartOptions,
} from "@pretender/dynamodb";
import setup from "@pretender/dynamodb/vitest/setup";
import { test, useDatabase } from "@pretender/dynamodb/vitest";

const options: StartOptions = { schema: ["tables.yaml"], seed: "items", schemaParameters: { Stage: "dev" } };
await using server: Server = await startPretender(options);
await using db: Database = await server.database();

const clients: [DynamoDBClient, DynamoDBDocumentClient, DynamoDBStreamsClient] = [
  db.client({ maxAttempts: 1 }),
  db.documentClient({ marshallOptions: { convertEmptyValues: true } }),
  db.streams(),
];
const own = new DynamoDBClient(db.config);
const now: Date = (await db.clock.advance({ minutes: 16 })).now;
const fault: Fault = await db.faults.add("throttling", { operation: "PutItem", times: 2 });
await db.faults.remove(fault);
const snapshot: Snapshot = await db.snapshots.save("seeded");
const shards: Shard[] = await db.shards.split("orders");
const changes: Changes = await db.changes("orders");
changes.timeout = 100;
interface Order {
  id: string;
  total: number;
}
const order: Order = { id: "1", total: 42 };
const expected = [insert(order), modify({ total: 43 }, { total: 42 }), remove({}, { byTtl: true })];
const found: Change[] = await changes.expect(...expected);
const event: "INSERT" | "MODIFY" | "REMOVE" | undefined = found[0]?.event;
const restore: () => void = db.useEnv();
restore();
const stop: () => Promise<void> = await setup({ config: { root: "." } });

try {
  await db.trim("orders");
} catch (error) {
  if (error instanceof ControlError) console.log(error.status satisfies number, error.command satisfies string);
  if (error instanceof UnexpectedChangesError) console.log(error.found satisfies Change[]);
  if (error instanceof PretenderError) console.log(error.message, version satisfies string);
}

const database: () => Database = useDatabase({ env: false, schema: "tables.yaml" });
test("with fixtures", async ({ db, pretender }) => {
  console.log(db.endpoint, pretender.url, database().endpoint);
});

// @ts-expect-error There is no such kind of fault.
await db.faults.add("rain");
// @ts-expect-error There is no such option.
await startPretender({ scheme: "tables.yaml" });
// @ts-expect-error There is no such unit.
await db.clock.advance({ minute: 16 });

console.log(clients, own, now, snapshot, shards, event, stop);
