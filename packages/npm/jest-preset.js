"use strict";

module.exports = {
  globalSetup: require.resolve("./lib/jest-setup.js"),
  globalTeardown: require.resolve("./lib/jest-teardown.js"),
  reporters: ["default", require.resolve("./lib/jest-reporter.js")],
};
