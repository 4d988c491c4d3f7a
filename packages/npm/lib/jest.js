"use strict";

const framework = /** @type {any} */ (require("@jest/globals"));
const { databaseHooks } = require("./hooks.js");

/** @param {import("../types").StartOptions & { env?: boolean }} [options] */
function useDatabase(options) {
  return databaseHooks(framework, options);
}

module.exports = { useDatabase };
