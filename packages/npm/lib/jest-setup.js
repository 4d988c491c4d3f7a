// Jest's global set-up: one server for the run.
"use strict";

const { setUpRun } = require("./setup.js");

/** Jest loads set-up and tear-down separately, and gives them only this object in common. */
const SHARED = Symbol.for("@pretender/dynamodb/jest");

/** @param {{ rootDir: string }} globalConfig */
module.exports = async ({ rootDir }) => {
  /** @type {any} */ (globalThis)[SHARED] = await setUpRun(rootDir);
};
