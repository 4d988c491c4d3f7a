// How a CommonJS project in TypeScript uses the package; this is compiled, not run.

import pretender = require("@pretender/dynamodb");
import { useDatabase } from "@pretender/dynamodb/jest";

const database: () => pretender.Database = useDatabase();

export async function start(): Promise<pretender.Server> {
  const server = await pretender.startPretender();
  const changes = await database().changes("orders");
  await changes.expect(pretender.insert({ id: "1" }));
  return server;
}
