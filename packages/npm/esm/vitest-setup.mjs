// Vitest's global set-up: one server for the run.
import setup from "../lib/setup.js";

/** @param {{ config: { root: string } }} project */
export default (project) => setup.setUpRun(project.config.root);
