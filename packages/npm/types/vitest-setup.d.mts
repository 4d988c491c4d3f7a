/**
 * Vitest's global set-up: starts one server for each project of the run, with the options in `pretender.config.*` in the
 * root of the project, or else in that of the run.
 *
 * @returns A function that stops the server.
 */
export default function setup(project: {
  config: { root: string; env?: Record<string, any> };
  vitest?: { config: { root: string } };
}): Promise<() => Promise<void>>;
