"use strict";

class PretenderError extends Error {
  constructor(/** @type {string} */ message, /** @type {ErrorOptions} */ options = {}) {
    super(message, options);
    this.name = new.target.name;
  }
}

class StartError extends PretenderError {}

class ControlError extends PretenderError {
  constructor(/** @type {string} */ message, /** @type {number} */ status, /** @type {string} */ command) {
    super(message);
    this.status = status;
    this.command = command;
  }
}

class UnexpectedChangesError extends PretenderError {
  /**
   * @param {string} message
   * @param {import("../types").ExpectedChange[]} expected
   * @param {import("../types").Change[]} found
   */
  constructor(message, expected, found) {
    super(message);
    this.expected = expected;
    this.found = found;
  }
}

module.exports = { PretenderError, StartError, ControlError, UnexpectedChangesError };
