"use strict";

// A test framework may replace the timers and the clock of the process, also in these modules. The functions are taken
// when this module is loaded, so that a limit holds while a test has stopped the time.
const { performance } = require("node:perf_hooks");
const { clearInterval, clearTimeout, setInterval, setTimeout } = require("node:timers");

/** Returns the time since the start of the process, in milliseconds. @type {() => number} */
const now = performance.now.bind(performance);

/** @param {number} milliseconds @returns {Promise<void>} */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

module.exports = { now, pause, clearInterval, clearTimeout, setInterval, setTimeout };
