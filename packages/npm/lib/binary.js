"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { StartError } = require("./errors.js");

const FILE = process.platform === "win32" ? "pretender.exe" : "pretender";

/** The package with the program for this machine. Where there is also one for musl, npm installs only the one that runs. */
const PACKAGE = `@pretender/server-${process.platform}-${process.arch}`;

/**
 * Returns the path of the program: `PRETENDER_BIN`, the one in the package for this platform, or the one on `PATH`.
 *
 * @returns {string}
 */
function findBinary() {
  const named = process.env.PRETENDER_BIN;
  if (named && isCommand(named)) {
    throw new StartError(`PRETENDER_BIN is ${named}, the command of @pretender/dynamodb, which looks for the program itself`);
  }
  const found = named || (inPackage(PACKAGE) ?? inPackage(`${PACKAGE}-musl`) ?? onPath());
  if (found) return found;
  throw new StartError(
    `there is no program for ${process.platform} on ${process.arch}: the package ${PACKAGE} is not installed (it is an ` +
      "optional dependency), and there is no `pretender` on PATH. Install one of them, or set PRETENDER_BIN",
  );
}

/** @param {string} name */
function inPackage(name) {
  try {
    return require.resolve(`${name}/bin/${FILE}`);
  } catch {
    return undefined;
  }
}

function onPath() {
  for (const folder of (process.env.PATH ?? "").split(path.delimiter).filter(Boolean)) {
    const file = path.resolve(folder, FILE);
    try {
      fs.accessSync(file, fs.constants.X_OK);
      // In scripts of npm, this package's own command is on PATH.
      if (!isCommand(file)) return file;
    } catch {
      // It is not there, or is not a program.
    }
  }
  return undefined;
}

/** Returns whether a file is the command of this package, or of a copy of it. It would look for the program without end. */
function isCommand(/** @type {string} */ file) {
  try {
    return path.basename(fs.realpathSync(file)) === "pretender.js";
  } catch {
    return false;
  }
}

module.exports = { findBinary };
