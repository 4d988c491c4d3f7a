// Vitest's global set-up: one server for each project of the run.
import setup from "../lib/setup.js";

/** @param {{ config: { root: string, env?: Record<string, any> }, vitest?: { config: { root: string } } }} project */
export default ({ config, vitest }) =>
  setup.setUpRun([config.root, vitest?.config.root ?? config.root], (variables) => {
    // The variables of this process would be those of all projects.
    const before = config.env;
    config.env = { ...before, ...variables };
    return () => {
      config.env = before;
    };
  });
