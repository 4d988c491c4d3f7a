import type { TestAPI } from "vitest";
import type { Database, Server, StartOptions } from "./index.js";

/**
 * Gives each test that follows in this file, or in this `describe`, an empty database, and drops it afterwards. Call it
 * outside of tests. While a test runs, the variables of `Database.env` are set.
 *
 * Tests of one file that run at the same time need the fixture `db` of {@link test} instead.
 *
 * @param options Options of a server for this file. If a global set-up has started one, `schema` and `seed` are an error.
 *   `env: false` leaves the environment as it is.
 * @returns A function that returns the database of the running test.
 */
export function useDatabase(options?: StartOptions & { env?: boolean }): () => Database;

/** Vitest's `test` with the fixtures `db`, a database for this test, and `pretender`, the server. */
export const test: TestAPI<{ db: Database; pretender: Server }>;
/** Another name of {@link test}. */
export const it: typeof test;
