const { DynamoDBClient, ScanCommand } = require("@aws-sdk/client-dynamodb");
const { PutCommand } = require("@aws-sdk/lib-dynamodb");
const { insert, modify } = require("@pretender/dynamodb");
const { useDatabase } = require("@pretender/dynamodb/jest");

const database = useDatabase();

test("a cart is created and changed", async () => {
  const client = database().documentClient();
  const changes = await database().changes("carts");
  await client.send(new PutCommand({ TableName: "carts", Item: { id: "1", items: ["lamp"] } }));
  await client.send(new PutCommand({ TableName: "carts", Item: { id: "1", items: ["lamp", "bulb"] } }));
  const withBulb = expect.arrayContaining(["bulb"]);
  await changes.expect(insert({ id: "1", items: ["lamp"] }), modify({ id: "1", items: withBulb }));
});

test("code that creates its own client uses the database of the test, which is empty", async () => {
  const { Items } = await new DynamoDBClient().send(new ScanCommand({ TableName: "carts" }));
  expect(Items).toEqual([]);
  expect(process.env.AWS_ENDPOINT_URL_DYNAMODB).toBe(database().endpoint);
});
