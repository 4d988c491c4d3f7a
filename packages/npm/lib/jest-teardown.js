// Jest's global tear-down: stops the server that jest-setup.js has started.
"use strict";

module.exports = () => /** @type {any} */ (globalThis)[Symbol.for("@pretender/dynamodb/jest")]?.();
