"use strict";

const { isDeepStrictEqual, types } = require("node:util");

/** @typedef {import("../types").Attributes} Attributes */

/**
 * Converts the attributes of a stream record into plain values. A number that would lose digits becomes a bigint, or a
 * string if it is not an integer.
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
  if (String(number) === digits || significant(digits).length <= 15) return number;
  return /^-?\d+$/.test(digits) ? BigInt(digits) : digits;
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
 * @param {any} expected A plain value, or an asymmetric matcher of a test framework, also inside lists and maps.
 * @param {any} found
 * @returns {boolean}
 */
function matches(expected, found) {
  if (typeof expected?.asymmetricMatch === "function") return Boolean(expected.asymmetricMatch(found));
  if (Array.isArray(expected) && Array.isArray(found)) {
    return expected.length === found.length && expected.every((value, at) => matches(value, found[at]));
  }
  if (isMap(expected) && isMap(found)) {
    return [...new Set([...Object.keys(expected), ...Object.keys(found)])].every((name) => matches(expected[name], found[name]));
  }
  return isDeepStrictEqual(comparable(expected), comparable(found));
}

/** @param {any} value */
function isMap(value) {
  const isOther = Array.isArray(value) || ArrayBuffer.isView(value) || types.isSet(value);
  return typeof value === "object" && value !== null && !isOther;
}

/**
 * Makes values comparable that code for DynamoDB uses for the same thing: all kinds of bytes, bigints and numbers.
 *
 * @param {any} value
 * @returns {unknown}
 */
function comparable(value) {
  if (typeof value === "bigint") return BigInt(Number(value)) === value ? Number(value) : value;
  if (ArrayBuffer.isView(value)) {
    return `bytes ${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")}`;
  }
  if (value instanceof Set) return new Set([...value].map(comparable));
  return value;
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
