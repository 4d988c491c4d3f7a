"use strict";

const { readConfig } = require("./config.js");
const { setEnv } = require("./database.js");
const { startPretender } = require("./server.js");

/**
 * Starts the server of a test run, with the options in `pretender.config.*`, and sets the variables with which the
 * processes of the run find it.
 *
 * @param {string} folder The folder of the configuration file.
 * @returns {Promise<() => Promise<void>>} A function that stops the server.
 */
async function setUpRun(folder) {
  const server = await startPretender(await readConfig(folder));
  const restore = setEnv(server.env);
  return async () => {
    restore();
    await server.stop();
  };
}

module.exports = { setUpRun };
