// Jest's global set-up: one server for the run.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { configFile } = require("./config.js");
const { setEnv } = require("./database.js");
const { PretenderError } = require("./errors.js");
const { setUpRun } = require("./setup.js");

/** Jest loads set-up and tear-down separately, and gives them only this object in common. */
const SHARED = Symbol.for("@pretender/dynamodb/jest");

/**
 * Jest calls this once for all projects that have this set-up, and gives all of them the same variables.
 *
 * @param {{ rootDir: string, projects?: (string | { rootDir?: string })[] }} globalConfig
 * @param {{ rootDir: string }} [projectConfig]
 */
module.exports = async ({ rootDir, projects = [] }, project = { rootDir }) => {
  const others = projects.map((other) => path.resolve(rootDir, typeof other === "string" ? other : rootOf(other, rootDir)));
  // A project may be named by its configuration of Jest.
  const folders = others.map((other) => (fs.existsSync(other) && fs.statSync(other).isFile() ? path.dirname(other) : other));
  const files = new Set([rootDir, project.rootDir, ...folders].flatMap((folder) => configFile(folder) ?? []));
  if (files.size > 1) {
    throw new PretenderError(
      `the projects of a run of Jest share one server, but there are several configurations: ${[...files].sort().join(", ")}. ` +
        "Run these projects separately, or put one configuration for all into the root",
    );
  }
  const [folder = rootDir] = [...files].map((file) => path.dirname(file));
  /** @type {(() => Promise<void>)[]} */
  const stops = (/** @type {any} */ (globalThis)[SHARED] ??= []);
  stops.push(await setUpRun([folder], setEnv));
};

/** @param {{ rootDir?: string }} project @param {string} rootDir */
function rootOf(project, rootDir) {
  return (project.rootDir ?? rootDir).replace("<rootDir>", rootDir);
}
