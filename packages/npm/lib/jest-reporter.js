// A reporter for Jest that shows what the server has logged while a test file ran that failed. The file has to be in the
// main process, because a hook in a test does not learn that the test has failed.
"use strict";

const { sinceNow } = require("./server.js");

class PretenderReporter {
  #recent = sinceNow(process.env.PRETENDER_SERVER_LOG);

  /**
   * @param {unknown} _test
   * @param {{ numFailingTests: number, testExecError?: unknown, testFilePath: string }} result
   */
  onTestResult(_test, { numFailingTests, testExecError, testFilePath }) {
    const recent = this.#recent();
    this.#recent = sinceNow(process.env.PRETENDER_SERVER_LOG);
    // A file that could not be loaded has no failing tests.
    if ((numFailingTests > 0 || testExecError) && recent) {
      process.stderr.write(`Log of pretender until the end of ${testFilePath}:\n${recent}\n`);
    }
  }
}

module.exports = PretenderReporter;
