"use strict";

const { differences, matches, shown } = require("./values.js");

/** @typedef {import("../types").Change} Change */
/** @typedef {import("../types").ExpectedChange} ExpectedChange */
/** @typedef {import("../types").Attributes} Attributes */

/**
 * Returns why a change is not the one that is expected.
 *
 * @param {ExpectedChange} expected
 * @param {Change} found
 * @returns {string[]}
 */
function reasons({ event, newAttributes = {}, oldAttributes = {}, byTtl }, found) {
  if (event !== found.event) return [`is ${found.event}, expected ${event}`];
  const isByTtl = found.userIdentity?.principalId === "dynamodb.amazonaws.com";
  if ((byTtl ?? isByTtl) !== isByTtl) return [isByTtl ? "was done by TTL" : "was not done by TTL"];
  // Records of a stream without images have only the keys.
  const after = { ...found.keys, ...found.newImage };
  const before = { ...found.keys, ...found.oldImage };
  return [...complaints(newAttributes, after, "is"), ...complaints(oldAttributes, before, "was")];
}

/**
 * @param {Attributes} expected
 * @param {Attributes} found
 * @param {string} verb
 */
function complaints(expected, found, verb) {
  return differences(expected, found).map(
    (name) => `${name} ${verb} ${shown(found[name])}, expected ${shown(expected[name])}`,
  );
}

/**
 * Shows expected and found changes side by side.
 *
 * @param {string} table
 * @param {ExpectedChange[]} expected
 * @param {Change[]} found
 */
function report(table, expected, found) {
  const counts = { missing: 0, unexpected: 0, different: 0 };
  const rows = [["", "expected", "found", ""]];
  for (let at = 0; at < Math.max(expected.length, found.length); at += 1) {
    const [wanted, change] = [expected[at], found[at]];
    let reason = "";
    if (!change) reason = "missing";
    else if (!wanted) reason = "unexpected";
    else reason = reasons(wanted, change).join("; ");
    if (reason) counts[reason === "missing" || reason === "unexpected" ? reason : "different"] += 1;
    rows.push([
      `${reason ? ">" : " "}${String(at + 1).padStart(3)}`,
      wanted ? showExpected(wanted) : "-",
      change ? showFound(change, wanted) : "-",
      reason,
    ]);
  }
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd());
  const summary = Object.entries(counts).flatMap(([what, count]) => (count ? [`${count} ${what}`] : []));
  return [`the changes of ${table} are not as expected: ${summary.join(", ")}`, ...lines].join("\n");
}

/** @param {ExpectedChange} expected */
function showExpected({ event, newAttributes = {}, oldAttributes = {} }) {
  return line(event, { ...newAttributes, ...oldAttributes, ...newAttributes }, oldAttributes);
}

/**
 * Shows the keys of a change, what it has changed, and the attributes that were expected.
 *
 * @param {Change} found
 * @param {ExpectedChange | undefined} wanted
 */
function showFound({ event, keys, newImage, oldImage }, wanted) {
  const item = { ...keys, ...(newImage ?? oldImage) };
  if (event !== "MODIFY" || !newImage || !oldImage) return line(event, item);
  const all = { ...keys, ...oldImage, ...newImage };
  const names = new Set([...Object.keys(keys), ...Object.keys(wanted?.newAttributes ?? {})]);
  const old = Object.fromEntries(Object.entries(oldImage).filter(([name]) => !matches(oldImage[name], newImage[name])));
  const shownNames = Object.keys(all).filter((name) => names.has(name) || name in old || !(name in oldImage));
  return line(event, Object.fromEntries(shownNames.map((name) => [name, newImage[name] ?? keys[name]])), old);
}

/**
 * @param {string} event
 * @param {Attributes} attributes
 * @param {Attributes} old Values that some of the attributes had before.
 */
function line(event, attributes, old = {}) {
  const parts = Object.entries(attributes).map(([name, value]) => {
    const before = name in old && !matches(old[name], value) ? `${shown(old[name])}->` : "";
    return `${name}=${before}${shown(value)}`;
  });
  return [event, ...parts].join(" ");
}

module.exports = { report, reasons };
