"use strict";

const { insert, modify, remove } = require("./changes.js");
const { ControlError, PretenderError, StartError, UnexpectedChangesError } = require("./errors.js");
const { startPretender, version } = require("./server.js");

module.exports = {
  startPretender,
  insert,
  modify,
  remove,
  PretenderError,
  StartError,
  ControlError,
  UnexpectedChangesError,
  version,
};
