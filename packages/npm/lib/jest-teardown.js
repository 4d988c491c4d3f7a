// Jest's global tear-down: stops what jest-setup.js has started.
"use strict";

module.exports = async () => {
  /** @type {(() => Promise<void>)[]} */
  const stops = /** @type {any} */ (globalThis)[Symbol.for("@pretender/dynamodb/jest")] ?? [];
  for (const stop of stops.splice(0).reverse()) await stop();
};
