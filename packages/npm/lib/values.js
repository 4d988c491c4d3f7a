"use strict";

const { isDeepStrictEqual } = require("node:util");

/** @typedef {import("../types").Attributes} Attributes */

/**
 * Converts the attributes of a stream record into plain values. A number becomes a string if it would lose digits.
 *
 * @param {Record<string, any>} item
 * @returns {Attributes}
 */
function plainItem(item) {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)]));
}

/** @param {Record<string, any>} typed */
function plain(typed) {
  const [[type, value]] = Object.entries(typed);
  switch (type) {
    case "N":
      return plainNumber(value);
    case "NULL":
      return null;
    case "B":
      return bytes(value);
    case "L":
      return value.map(plain);
    case "M":
      return plainItem(value);
    case "SS":
      return new Set(value);
    case "NS":
      return new Set(value.map(plainNumber));
    case "BS":
      return new Set(value.map(bytes));
    default:
      return value;
  }
}

/** @param {string} digits */
function plainNumber(digits) {
  const number = Number(digits);
  return String(number) === digits || significant(digits).length <= 15 ? number : digits;
}

/** Returns the digits that a number must keep. @param {string} digits */
function significant(digits) {
  return digits.replace(/E.*$/i, "").replace(/[-.]/g, "").replace(/^0+|0+$/g, "");
}

/** @param {string} base64 */
function bytes(base64) {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

/**
 * Returns the names of the attributes that an item does not have as they are expected.
 *
 * @param {Attributes} expected
 * @param {Attributes} found
 */
function differences(expected, found) {
  return Object.keys(expected).filter((name) => !matches(expected[name], found[name]));
}

/**
 * @param {any} expected A plain value, or an asymmetric matcher of a test framework.
 * @param {unknown} found
 */
function matches(expected, found) {
  if (typeof expected?.asymmetricMatch === "function") return Boolean(expected.asymmetricMatch(found));
  return isDeepStrictEqual(comparable(expected), comparable(found));
}

/**
 * Makes values comparable that code for DynamoDB uses for the same thing: all kinds of bytes, bigints and numbers, and
 * attributes that are `undefined` and absent.
 *
 * @param {any} value
 * @returns {unknown}
 */
function comparable(value) {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value === null || typeof value !== "object") return value;
  if (ArrayBuffer.isView(value)) {
    return `bytes ${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")}`;
  }
  if (Array.isArray(value)) return value.map(comparable);
  if (value instanceof Set) return new Set([...value].map(comparable));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, comparable(member)]),
  );
}

/** Returns a value for people. @param {any} value @returns {string} */
function shown(value) {
  if (typeof value?.asymmetricMatch === "function") return value.toAsymmetricMatcher?.() ?? String(value);
  if (value instanceof Set) return `{${[...value].map(shown).join(", ")}}`;
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
  if (typeof value === "bigint") return String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "absent";
  const members = Object.entries(value).map(([name, member]) => `${name}: ${shown(member)}`);
  return `{${members.join(", ")}}`;
}

module.exports = { plainItem, differences, matches, shown };
