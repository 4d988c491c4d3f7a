/**
 * Vitest's global set-up: starts one server for the run, with the options in `pretender.config.*` in the root of the
 * project.
 *
 * @returns A function that stops the server.
 */
export default function setup(project: { config: { root: string } }): Promise<() => Promise<void>>;
