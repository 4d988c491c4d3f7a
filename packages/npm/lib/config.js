"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { PretenderError } = require("./errors.js");

/** The names of the configuration file; the first that exists counts. */
const NAMES = ["js", "mjs", "cjs", "json", "ts", "mts", "cts"].map((ending) => `pretender.config.${ending}`);

/**
 * Reads `pretender.config.*` in a folder, whose default export are the options of `startPretender`. Paths in it are
 * relative to the folder.
 *
 * @param {string} folder
 * @returns {Promise<import("../types").StartOptions>} The options; without a file, there are none.
 */
async function readConfig(folder) {
  const file = NAMES.map((name) => path.join(folder, name)).find((file) => fs.existsSync(file));
  if (!file) return {};
  try {
    const options = file.endsWith(".json")
      ? JSON.parse(fs.readFileSync(file, "utf8"))
      : (await import(pathToFileURL(file).href)).default;
    return { cwd: folder, ...options };
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    const hint = /ts$/.test(file) ? " (TypeScript needs Node.js 22.18 or newer; pretender.config.js works with all)" : "";
    throw new PretenderError(`cannot read ${file}: ${message}${hint}`, { cause: error });
  }
}

module.exports = { readConfig };
