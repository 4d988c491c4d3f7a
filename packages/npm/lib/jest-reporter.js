// A reporter for Jest that shows what the server has logged while a test file ran that failed. The file has to be in the
// main process, because a hook in a test does not learn that the test has failed.
"use strict";

const fs = require("node:fs");

class PretenderReporter {
  #shown = 0;

  /**
   * @param {unknown} _test
   * @param {{ numFailingTests: number, testFilePath: string }} result
   */
  onTestResult(_test, { numFailingTests, testFilePath }) {
    const file = process.env.PRETENDER_SERVER_LOG;
    if (!file || !fs.existsSync(file)) return;
    const log = fs.readFileSync(file, "utf8");
    const recent = log.slice(this.#shown).trimEnd();
    this.#shown = log.length;
    if (numFailingTests > 0 && recent) {
      process.stderr.write(`Log of pretender until the end of ${testFilePath}:\n${recent}\n`);
    }
  }
}

module.exports = PretenderReporter;
