"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { StartError } = require("./errors.js");

const FILE = process.platform === "win32" ? "pretender.exe" : "pretender";

/** The package with the program for this machine. */
const PACKAGE = `@pretender/server-${process.platform}-${process.arch}`;

/**
 * Returns the path of the program: `PRETENDER_BIN`, the one in the package for this platform, or the one on `PATH`.
 *
 * @returns {string}
 */
function findBinary() {
  if (process.env.PRETENDER_BIN) return process.env.PRETENDER_BIN;
  const found = inPackage() ?? onPath();
  if (found) return found;
  throw new StartError(
    `there is no program for ${process.platform} on ${process.arch}: the package ${PACKAGE} is not installed (it is an ` +
      "optional dependency), and there is no `pretender` on PATH. Install one of them, or set PRETENDER_BIN",
  );
}

function inPackage() {
  try {
    return require.resolve(`${PACKAGE}/bin/${FILE}`);
  } catch {
    return undefined;
  }
}

function onPath() {
  // In scripts of npm, this package's own command is on PATH. It would look for the program again, without end.
  const own = fs.realpathSync(path.join(__dirname, "..", "bin", "pretender.js"));
  for (const folder of (process.env.PATH ?? "").split(path.delimiter).filter(Boolean)) {
    const file = path.resolve(folder, FILE);
    try {
      fs.accessSync(file, fs.constants.X_OK);
      if (fs.realpathSync(file) !== own) return file;
    } catch {
      // It is not there, or is not a program.
    }
  }
  return undefined;
}

module.exports = { findBinary };
