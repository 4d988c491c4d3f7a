"use strict";

const { readConfig } = require("./config.js");
const { startPretender } = require("./server.js");

/**
 * Starts the server of a test run or of one of its projects, with the options in `pretender.config.*`.
 *
 * @param {string[]} folders The folders of the configuration file; the first that has one counts.
 * @param {(variables: Record<string, string>) => () => void} setVariables Sets the variables with which the processes that
 *   run the tests find the server. Returns a function that restores the old values.
 * @returns {Promise<() => Promise<void>>} A function that stops the server.
 */
async function setUpRun(folders, setVariables) {
  const server = await startPretender(await readConfig(folders));
  const restore = setVariables(server.env);
  return async () => {
    restore();
    await server.stop();
  };
}

module.exports = { setUpRun };
