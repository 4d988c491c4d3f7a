import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  type DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";

export interface Order {
  id: string;
  customer: string;
  product: string;
  quantity: number;
  total: number;
  /** When the order was placed, as ISO 8601. */
  placed: string;
  state: "new" | "shipped";
  /** When the order may be deleted, in seconds since 1970. */
  expires?: number;
}

/** A part of a list, and where the next part begins. */
export interface Page {
  orders: Order[];
  next?: Record<string, unknown>;
}

export class OrderExistsError extends Error {}
export class UnknownOrderError extends Error {}
export class SoldOutError extends Error {}

/** Orders, and the stock that they take from. */
export class OrderStore {
  readonly #db: DynamoDBDocumentClient;

  constructor(client: DynamoDBClient) {
    this.#db = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  }

  /** Adds to the stock of a product. */
  async restock(product: string, quantity: number): Promise<void> {
    await this.#db.send(
      new UpdateCommand({
        TableName: "stock",
        Key: { product },
        UpdateExpression: "ADD available :quantity",
        ExpressionAttributeValues: { ":quantity": quantity },
      }),
    );
  }

  /** Returns how many pieces of a product are available. */
  async available(product: string): Promise<number> {
    const { Item } = await this.#db.send(
      new GetCommand({ TableName: "stock", Key: { product }, ConsistentRead: true }),
    );
    return Item?.available ?? 0;
  }

  /** Stores a new order and takes its products from the stock, or does neither. */
  async place(order: Omit<Order, "state">): Promise<Order> {
    const placed: Order = { ...order, state: "new" };
    try {
      await this.#db.send(
        new TransactWriteCommand({
          TransactItems: [
            { Put: { TableName: "orders", Item: placed, ConditionExpression: "attribute_not_exists(id)" } },
            {
              Update: {
                TableName: "stock",
                Key: { product: order.product },
                UpdateExpression: "SET available = available - :quantity",
                ConditionExpression: "available >= :quantity",
                ExpressionAttributeValues: { ":quantity": order.quantity },
              },
            },
          ],
        }),
      );
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const [put, update] = (error.CancellationReasons ?? []).map((reason) => reason.Code);
      if (put === "ConditionalCheckFailed") throw new OrderExistsError(`order ${order.id} exists`);
      if (update === "ConditionalCheckFailed") throw new SoldOutError(`${order.product} is sold out`);
      throw error;
    }
    return placed;
  }

  async get(id: string): Promise<Order | undefined> {
    const { Item } = await this.#db.send(new GetCommand({ TableName: "orders", Key: { id }, ConsistentRead: true }));
    return Item as Order | undefined;
  }

  async ship(id: string): Promise<void> {
    try {
      await this.#db.send(
        new UpdateCommand({
          TableName: "orders",
          Key: { id },
          UpdateExpression: "SET #state = :shipped",
          ConditionExpression: "attribute_exists(id)",
          ExpressionAttributeNames: { "#state": "state" },
          ExpressionAttributeValues: { ":shipped": "shipped" },
        }),
      );
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) throw new UnknownOrderError(`there is no order ${id}`);
      throw error;
    }
  }

  async cancel(id: string): Promise<void> {
    await this.#db.send(new DeleteCommand({ TableName: "orders", Key: { id } }));
  }

  /** Returns a page of the orders of a customer, the oldest first. */
  async page(customer: string, limit: number, from?: Page["next"]): Promise<Page> {
    const { Items, LastEvaluatedKey } = await this.#db.send(
      new QueryCommand({
        TableName: "orders",
        IndexName: "by-customer",
        KeyConditionExpression: "customer = :customer",
        ExpressionAttributeValues: { ":customer": customer },
        Limit: limit,
        ExclusiveStartKey: from,
      }),
    );
    return { orders: (Items ?? []) as Order[], next: LastEvaluatedKey };
  }

  /** Returns all orders of a customer, the oldest first. */
  async byCustomer(customer: string): Promise<Order[]> {
    const orders: Order[] = [];
    let next: Page["next"];
    do {
      const page = await this.page(customer, 100, next);
      orders.push(...page.orders);
      next = page.next;
    } while (next);
    return orders;
  }
}
