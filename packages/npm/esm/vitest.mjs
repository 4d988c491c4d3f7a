import * as vitest from "vitest";
import hooks from "../lib/hooks.js";
import servers from "../lib/server.js";
import { startPretender } from "./index.mjs";

/** @param {import("../types").StartOptions & { env?: boolean }} [options] */
export function useDatabase(options) {
  return hooks.databaseHooks(vitest, options, showLogIfFailed);
}

export const test = vitest.test.extend({
  pretender: [
    // Vitest requires the braces: they name the fixtures that this one uses.
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const server = await startPretender();
      await use(server);
      await server.stop();
    },
    { scope: "file" },
  ],
  db: async ({ pretender, onTestFailed }, use) => {
    const database = await pretender.database();
    showLogIfFailed(pretender, database, { onTestFailed });
    await use(database);
    await database.drop();
  },
});

export const it = test;

/**
 * Shows what the server logs from now on, if the test fails, except for calls to databases of other tests.
 *
 * @param {import("../types").Server} server
 * @param {import("../types").Database} database
 * @param {{ onTestFailed: (callback: () => void) => void }} context
 */
function showLogIfFailed({ logFile }, { name }, { onTestFailed }) {
  const recent = servers.sinceNow(logFile);
  const concerns = (/** @type {string} */ line) => (/ database="?([\w.-]+)/.exec(line)?.[1] ?? name) === name;
  onTestFailed(() => {
    const log = recent().split("\n").filter(concerns).join("\n");
    if (log) console.error(`Log of pretender during the test:\n${log}`);
  });
}
