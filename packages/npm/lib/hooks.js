"use strict";

const { startPretender } = require("./server.js");

/**
 * Registers hooks that give each test a database.
 *
 * @param {Record<"beforeAll" | "beforeEach" | "afterEach" | "afterAll", (hook: (context: any) => unknown) => void>} framework
 * @param {import("../types").StartOptions & { env?: boolean }} options
 * @param {(server: import("../types").Server, database: import("../types").Database, context: any) => void} [begin] Called
 *   before each test.
 * @returns {() => import("../types").Database}
 */
function databaseHooks({ beforeAll, beforeEach, afterEach, afterAll }, { env = true, ...options } = {}, begin) {
  /** @type {import("../types").Server} */
  let server;
  /** @type {import("../types").Database | undefined} */
  let database;
  let restore = () => {};
  beforeAll(async () => {
    server = await startPretender(options);
  });
  // Jest passes a callback to hooks that have a parameter, and waits for its call.
  const before = async (/** @type {any} */ context) => {
    database = await server.database();
    begin?.(server, database, context);
    if (env) restore = database.useEnv();
  };
  beforeEach(begin ? (context) => before(context) : () => before(undefined));
  afterEach(async () => {
    // If the next test gets no database, this must not be done again.
    const [undo, dropped] = [restore, database];
    restore = () => {};
    database = undefined;
    undo();
    await dropped?.drop();
  });
  afterAll(() => server?.stop());
  return () => {
    if (!database) throw new Error("the database exists only while a test or its hooks run");
    return database;
  };
}

module.exports = { databaseHooks };
