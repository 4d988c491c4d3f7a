"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { PretenderError } = require("./errors.js");

/** The names of the configuration file; the first that exists counts. */
const NAMES = ["js", "mjs", "cjs", "json", "ts", "mts", "cts"].map((ending) => `pretender.config.${ending}`);

/** Returns the path of the configuration file in a folder, if there is one. @param {string} folder */
function configFile(folder) {
  return NAMES.map((name) => path.join(folder, name)).find((file) => fs.existsSync(file));
}

/**
 * Reads `pretender.config.*` in one of some folders, whose default export are the options of `startPretender`. Paths in it are
 * relative to its folder.
 *
 * @param {string[]} folders The first that has such a file counts.
 * @returns {Promise<import("../types").StartOptions>} The options; without a file, there are none.
 */
async function readConfig(folders) {
  const [file] = folders.flatMap((folder) => configFile(folder) ?? []);
  if (!file) return { cwd: folders[0] };
  try {
    const options = file.endsWith(".json")
      ? JSON.parse(fs.readFileSync(file, "utf8"))
      : (await import(pathToFileURL(file).href)).default;
    if (!options) throw new Error("it has no default export");
    return { cwd: path.dirname(file), ...options };
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    const hint = /ts$/.test(file) ? " (TypeScript needs Node.js 22.18 or newer; pretender.config.mjs works with all)" : "";
    throw new PretenderError(`cannot read ${file}: ${message}${hint}`, { cause: error });
  }
}

module.exports = { configFile, readConfig };
