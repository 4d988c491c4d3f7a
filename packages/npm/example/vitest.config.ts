import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: "@pretender/dynamodb/vitest/setup",
    sequence: { concurrent: true },
  },
});
