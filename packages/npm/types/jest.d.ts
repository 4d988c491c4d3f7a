import type { Database, StartOptions } from "./index.js";

/**
 * Gives each test that follows in this file, or in this `describe`, an empty database, and drops it afterwards. Call it
 * outside of tests. While a test runs, the variables of `Database.env` are set.
 *
 * @param options Options of a server for this file. If a global set-up has started one, `schema` and `seed` are an error.
 *   `env: false` leaves the environment as it is.
 * @returns A function that returns the database of the running test.
 */
export function useDatabase(options?: StartOptions & { env?: boolean }): () => Database;
