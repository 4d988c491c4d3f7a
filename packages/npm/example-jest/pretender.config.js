/** @type {import("@pretender/dynamodb").StartOptions} */
module.exports = {
  schema: "tables.json",
};
