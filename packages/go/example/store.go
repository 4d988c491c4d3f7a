// Package orders is a small order service: a store of orders and stock in DynamoDB, and totals that follow the stream of orders.
package orders

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Why an operation was refused.
var (
	ErrOrderExists = errors.New("the order exists already")
	ErrNoOrder     = errors.New("there is no such order")
	ErrSoldOut     = errors.New("the product is sold out")
)

// Names of the tables and of the index.
const (
	ordersTable = "orders"
	stockTable  = "stock"
	byCustomer  = "by-customer"
)

// An Order is an item of the table `orders`.
type Order struct {
	ID       string `dynamodbav:"id"`
	Customer string `dynamodbav:"customer"`
	// Placed is the time in ISO 8601, which sorts as text.
	Placed  string `dynamodbav:"placed"`
	Product string `dynamodbav:"product"`
	Total   int    `dynamodbav:"total"`
	State   string `dynamodbav:"state"`
	// Expires is the time, in seconds since 1970, after which the order is deleted; 0 keeps it.
	Expires int64 `dynamodbav:"expires,omitempty"`
}

// An OrderStore keeps orders and stock.
type OrderStore struct {
	db *dynamodb.Client
}

// NewOrderStore returns the store in the database of this client.
func NewOrderStore(db *dynamodb.Client) *OrderStore { return &OrderStore{db} }

// CreateTables creates the tables of the service.
func (s *OrderStore) CreateTables(ctx context.Context) error {
	text := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS}
	}
	key := func(name string, kind types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: &name, KeyType: kind}
	}
	_, err := s.db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            aws.String(ordersTable),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{text("id"), text("customer"), text("placed")},
		KeySchema:            []types.KeySchemaElement{key("id", types.KeyTypeHash)},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String(byCustomer),
			KeySchema:  []types.KeySchemaElement{key("customer", types.KeyTypeHash), key("placed", types.KeyTypeRange)},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages,
		},
	})
	if err != nil {
		return err
	}
	_, err = s.db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               aws.String(ordersTable),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(true)},
	})
	if err != nil {
		return err
	}
	_, err = s.db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            aws.String(stockTable),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{text("product")},
		KeySchema:            []types.KeySchemaElement{key("product", types.KeyTypeHash)},
	})
	return err
}

// Restock sets how many pieces of a product are available.
func (s *OrderStore) Restock(ctx context.Context, product string, available int) error {
	_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(stockTable), Item: map[string]types.AttributeValue{
		"product": text(product), "available": number(available),
	}})
	return err
}

// Stock returns how many pieces of a product are available.
func (s *OrderStore) Stock(ctx context.Context, product string) (int, error) {
	found, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(stockTable), Key: map[string]types.AttributeValue{"product": text(product)},
	})
	if err != nil {
		return 0, err
	}
	var stock struct {
		Available int `dynamodbav:"available"`
	}
	err = attributevalue.UnmarshalMap(found.Item, &stock)
	return stock.Available, err
}

// Place stores a new order and takes its product from the stock, or does neither. It fails with [ErrOrderExists] or [ErrSoldOut].
func (s *OrderStore) Place(ctx context.Context, order Order) error {
	order.State = "placed"
	item, err := attributevalue.MarshalMap(order)
	if err != nil {
		return err
	}
	_, err = s.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{
			TableName: aws.String(ordersTable), Item: item, ConditionExpression: aws.String("attribute_not_exists(id)"),
		}},
		{Update: &types.Update{
			TableName:                 aws.String(stockTable),
			Key:                       map[string]types.AttributeValue{"product": text(order.Product)},
			UpdateExpression:          aws.String("SET available = available - :one"),
			ConditionExpression:       aws.String("available >= :one"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":one": number(1)},
		}},
	}})
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) {
		for i, refused := range []error{ErrOrderExists, ErrSoldOut} {
			if aws.ToString(canceled.CancellationReasons[i].Code) == "ConditionalCheckFailed" {
				return refused
			}
		}
	}
	return err
}

// Get returns an order, or [ErrNoOrder].
func (s *OrderStore) Get(ctx context.Context, id string) (Order, error) {
	found, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(ordersTable), Key: orderKey(id), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return Order{}, err
	}
	if found.Item == nil {
		return Order{}, ErrNoOrder
	}
	var order Order
	err = attributevalue.UnmarshalMap(found.Item, &order)
	return order, err
}

// Ship marks an order as shipped. It fails with [ErrNoOrder].
func (s *OrderStore) Ship(ctx context.Context, id string) error {
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String(ordersTable),
		Key:                       orderKey(id),
		UpdateExpression:          aws.String("SET #state = :shipped"),
		ConditionExpression:       aws.String("attribute_exists(id)"),
		ExpressionAttributeNames:  map[string]string{"#state": "state"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":shipped": text("shipped")},
	})
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return ErrNoOrder
	}
	return err
}

// Delete deletes an order.
func (s *OrderStore) Delete(ctx context.Context, id string) error {
	_, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(ordersTable), Key: orderKey(id)})
	return err
}

// A Page is a part of the orders of a customer.
type Page struct {
	Orders []Order
	// Next is to be passed on to get the next page; nil after the last one.
	Next map[string]types.AttributeValue
}

// OfCustomer returns the orders of a customer by date, at most `limit` of them, from a page on.
func (s *OrderStore) OfCustomer(ctx context.Context, customer string, limit int32, from map[string]types.AttributeValue) (Page, error) {
	found, err := s.db.Query(ctx, &dynamodb.QueryInput{
		TableName:                 aws.String(ordersTable),
		IndexName:                 aws.String(byCustomer),
		KeyConditionExpression:    aws.String("customer = :customer"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":customer": text(customer)},
		Limit:                     &limit,
		ExclusiveStartKey:         from,
	})
	if err != nil {
		return Page{}, err
	}
	page := Page{Next: found.LastEvaluatedKey}
	err = attributevalue.UnmarshalListOfMaps(found.Items, &page.Orders)
	return page, err
}

// All returns all orders, in no order.
func (s *OrderStore) All(ctx context.Context) ([]Order, error) {
	var all []Order
	pages := dynamodb.NewScanPaginator(s.db, &dynamodb.ScanInput{TableName: aws.String(ordersTable), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		var orders []Order
		if err := attributevalue.UnmarshalListOfMaps(page.Items, &orders); err != nil {
			return nil, err
		}
		all = append(all, orders...)
	}
	return all, nil
}

// StreamARN returns the stream of the orders.
func (s *OrderStore) StreamARN(ctx context.Context) (string, error) {
	described, err := s.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(ordersTable)})
	if err != nil {
		return "", err
	}
	return aws.ToString(described.Table.LatestStreamArn), nil
}

func orderKey(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"id": text(id)}
}

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func number(value int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(value)}
}
