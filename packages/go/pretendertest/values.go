package pretendertest

import (
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// A Set is a set of strings, numbers or []byte, in any order.
type Set []any

// A number is a DynamoDB number. It keeps all its digits.
type number string

// Names that need no quotes.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// plainItem returns attributes as plain values.
func plainItem(attributes map[string]types.AttributeValue) Item {
	if attributes == nil {
		return nil
	}
	item := Item{}
	for name, value := range attributes {
		item[name] = plain(value)
	}
	return item
}

func plain(value types.AttributeValue) any {
	switch value := value.(type) {
	case *types.AttributeValueMemberS:
		return value.Value
	case *types.AttributeValueMemberN:
		return number(value.Value)
	case *types.AttributeValueMemberB:
		return value.Value
	case *types.AttributeValueMemberBOOL:
		return value.Value
	case *types.AttributeValueMemberL:
		list := make([]any, len(value.Value))
		for i, element := range value.Value {
			list[i] = plain(element)
		}
		return list
	case *types.AttributeValueMemberM:
		return map[string]any(plainItem(value.Value))
	case *types.AttributeValueMemberSS:
		return setOf(value.Value, func(one string) any { return one })
	case *types.AttributeValueMemberNS:
		return setOf(value.Value, func(one string) any { return number(one) })
	case *types.AttributeValueMemberBS:
		return setOf(value.Value, func(one []byte) any { return one })
	default: // NULL
		return nil
	}
}

func setOf[T any](elements []T, convert func(T) any) Set {
	set := Set{}
	for _, element := range elements {
		set = append(set, convert(element))
	}
	return set
}

// show returns a value as text: the same text for equal values of DynamoDB, and different texts for different ones.
func show(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("%q", value)
	case []byte:
		return fmt.Sprintf("0x%x", value)
	case number:
		return showNumber(string(value))
	case Set:
		return "set(" + strings.Join(sorted(value), ", ") + ")"
	case Item:
		return show(map[string]any(value))
	case map[string]any:
		members := make([]string, 0, len(value))
		for _, name := range slices.Sorted(maps.Keys(value)) {
			shown := name
			if !plainName.MatchString(name) {
				shown = strconv.Quote(name)
			}
			members = append(members, shown+": "+show(value[name]))
		}
		return "{" + strings.Join(members, ", ") + "}"
	}
	reflected := reflect.ValueOf(value)
	switch reflected.Kind() {
	case reflect.String:
		return show(reflected.String())
	case reflect.Slice, reflect.Array:
		elements := make([]string, reflected.Len())
		for i := range elements {
			elements[i] = show(reflected.Index(i).Interface())
		}
		return "[" + strings.Join(elements, ", ") + "]"
	case reflect.Bool:
		return fmt.Sprint(value)
	default: // integers and floating-point numbers, and what has no counterpart in DynamoDB and so equals nothing
		return showNumber(fmt.Sprint(value))
	}
}

func sorted(set Set) []string {
	texts := make([]string, len(set))
	for i, element := range set {
		texts[i] = show(element)
	}
	slices.Sort(texts)
	return texts
}

// showNumber returns the same text for equal numbers: 1.50, 1.5 and 15E-1.
func showNumber(text string) string {
	parsed, ok := new(big.Rat).SetString(text)
	if !ok {
		return text
	}
	if parsed.IsInt() {
		return parsed.Num().String()
	}
	// A DynamoDB number has a finite decimal form, of at most 38 digits after 130 zeros.
	return strings.TrimRight(parsed.FloatString(168), "0")
}
