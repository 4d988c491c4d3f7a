package main

import (
	"fmt"
	"strings"
)

// The most items in a group, and the most tokens that are used twice.
const (
	maxKeys   = 5
	maxTokens = 128
)

// history is what clients saw of one group of items.
type history struct {
	Name string `json:"name"`
	Keys int    `json:"keys"`
	Ops  []op   `json:"ops"`
	// Records are the stream's, by key, in the order of the stream. With them, writes must take effect in that order.
	Records [][]record `json:"records"`
}

// item is the value of an item, without its key.
type item struct {
	V int32 `json:"v"`
	N int64 `json:"n"`
	B int8  `json:"b"`
}

// seen is what an answer showed of an item: nothing, parts of it, or that it does not exist.
type seen struct {
	Gone bool   `json:"gone"`
	V    *int32 `json:"v"`
	N    *int64 `json:"n"`
	B    *int8  `json:"b"`
}

// condition is what an item must be for a write to be carried out.
type condition struct {
	Absent bool   `json:"absent"`
	Exists bool   `json:"exists"`
	V      *int32 `json:"v"`
	Below  *int64 `json:"below"`
}

// update is UpdateItem: it sets v, perhaps b, and adds to n.
type update struct {
	V   int32 `json:"v"`
	B   *int8 `json:"b"`
	Add int64 `json:"add"`
}

// part is what an operation does to one item. Without an action it only checks the condition.
type part struct {
	Key     int        `json:"key"`
	If      *condition `json:"if"`
	Put     *item      `json:"put"`
	Update  *update    `json:"update"`
	Delete  bool       `json:"delete"`
	Refused bool       `json:"refused"`
	Before  *seen      `json:"before"`
	After   *seen      `json:"after"`
}

// read is what an operation found: an item, or null, for each key. With a bucket, an index was read, which has only the items in it.
type read struct {
	Keys   []int   `json:"keys"`
	Bucket int8    `json:"bucket"`
	Found  []*item `json:"found"`
}

// op is an operation with its answer.
type op struct {
	Client int    `json:"client"`
	Call   int64  `json:"call"`
	Return *int64 `json:"return"` // null: the operation may take effect at any later time
	Name   string `json:"name"`
	Parts  []part `json:"parts"`
	Read   *read  `json:"read"`
	// Token is the number, from 1, of a token that several operations carry.
	Token   int    `json:"token"`
	Outcome string `json:"outcome"` // done, refused or unknown
}

// record is a stream record.
type record struct {
	Item *item `json:"item"` // null if the item was removed
	// Before is, for each key, how many of its records come before this one in the same shard or its ancestors.
	Before []int `json:"before"`
}

// fits checks what the model relies on.
func (h *history) fits(o *op) error {
	if h.Keys > maxKeys || o.Token > maxTokens {
		return fmt.Errorf("%d keys and token %d are too many", h.Keys, o.Token)
	}
	switch o.Outcome {
	case done, refused, unknown:
	default:
		return fmt.Errorf("outcome %q", o.Outcome)
	}
	for _, p := range o.Parts {
		if p.Key < 0 || p.Key >= h.Keys {
			return fmt.Errorf("key %d of %d", p.Key, h.Keys)
		}
	}
	if o.Read != nil {
		if len(o.Read.Keys) != len(o.Read.Found) {
			return fmt.Errorf("%d keys, %d found", len(o.Read.Keys), len(o.Read.Found))
		}
		for _, key := range o.Read.Keys {
			if key < 0 || key >= h.Keys {
				return fmt.Errorf("key %d of %d", key, h.Keys)
			}
		}
	}
	return nil
}

func (o *op) describe() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s", o.Name)
	for _, p := range o.Parts {
		fmt.Fprintf(&text, " [%d%s%s%s]", p.Key, p.If.describe(), p.action(), p.observed())
	}
	if o.Read != nil {
		if o.Read.Bucket != 0 {
			fmt.Fprintf(&text, " in bucket %d", o.Read.Bucket)
		}
		for i, key := range o.Read.Keys {
			fmt.Fprintf(&text, " %d=%s", key, o.Read.Found[i].describe())
		}
	}
	if o.Token != 0 {
		fmt.Fprintf(&text, " token %d", o.Token)
	}
	return text.String() + " " + o.Outcome
}

func (p *part) action() string {
	switch {
	case p.Put != nil:
		return " put " + p.Put.describe()
	case p.Update != nil:
		text := fmt.Sprintf(" set v%d add %d", p.Update.V, p.Update.Add)
		if p.Update.B != nil {
			text += fmt.Sprintf(" b%d", *p.Update.B)
		}
		return text
	case p.Delete:
		return " delete"
	}
	return " check"
}

func (p *part) observed() string {
	text := ""
	if p.Refused {
		text += " refused"
	}
	if p.Before != nil {
		text += " before: " + p.Before.describe()
	}
	if p.After != nil {
		text += " after: " + p.After.describe()
	}
	return text
}

func (c *condition) describe() string {
	switch {
	case c == nil:
		return ""
	case c.Absent:
		return " if absent"
	case c.Exists:
		return " if exists"
	case c.V != nil:
		return fmt.Sprintf(" if v%d", *c.V)
	}
	return fmt.Sprintf(" if n<%d", *c.Below)
}

func (i *item) describe() string {
	if i == nil {
		return "-"
	}
	return fmt.Sprintf("v%d/%d/b%d", i.V, i.N, i.B)
}

func (s *seen) describe() string {
	if s.Gone {
		return "-"
	}
	text := ""
	if s.V != nil {
		text += fmt.Sprintf("v%d", *s.V)
	}
	if s.N != nil {
		text += fmt.Sprintf("/%d", *s.N)
	}
	if s.B != nil {
		text += fmt.Sprintf("/b%d", *s.B)
	}
	return text
}
