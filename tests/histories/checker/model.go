package main

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// The outcomes of an operation: it was carried out, a condition failed, or nobody knows.
const (
	done    = "done"
	refused = "refused"
	unknown = "unknown"
)

// state is a group of items. It is compared with ==.
type state struct {
	here   [maxKeys]bool
	items  [maxKeys]item
	tokens [maxTokens / 64]uint64 // the tokens of transactions that took effect
	next   [maxKeys]uint16        // with records: how many of each key's were passed
}

// model returns the sequential behaviour of the group.
func (h *history) model() porcupine.Model {
	return porcupine.Model{
		Init: func() interface{} { return state{} },
		Step: func(before, input, _ interface{}) (bool, interface{}) {
			after, legal := h.step(before.(state), input.(*op))
			return legal, after
		},
		Hash:              func(s interface{}) uint64 { return s.(state).hash() },
		DescribeOperation: func(input, _ interface{}) string { return input.(*op).describe() },
		DescribeState:     func(s interface{}) string { return s.(state).describe(h.Keys) },
	}
}

// step carries out an operation, and says whether its answer is possible.
func (h *history) step(s state, o *op) (state, bool) {
	if o.Read != nil {
		return s, s.shows(o.Read)
	}
	if o.Token != 0 && s.used(o.Token) {
		// A repetition changes nothing and succeeds.
		return s, o.Outcome != refused
	}
	meets := true
	for i := range o.Parts {
		p := &o.Parts[i]
		fulfilled := p.If.holds(&s, p.Key)
		meets = meets && fulfilled
		if o.Outcome == refused && p.Refused == fulfilled && !p.mayChange() || !s.matches(p.Before, p.Key) {
			return s, false
		}
	}
	switch o.Outcome {
	case refused:
		return s, !meets
	case done:
		if !meets {
			return s, false
		}
	case unknown:
		if !meets {
			return s, true
		}
	}
	after, follows := h.apply(s, o)
	if !follows {
		// An operation of which nobody has heard may never have happened. If it puts something that the stream shows, it has.
		return s, o.Outcome == unknown && !o.leavesTrace()
	}
	for i := range o.Parts {
		if p := &o.Parts[i]; !after.matches(p.After, p.Key) {
			return s, false
		}
	}
	return after, true
}

// apply changes the items, and says whether the stream has just these records next.
func (h *history) apply(s state, o *op) (state, bool) {
	for i := range o.Parts {
		p := &o.Parts[i]
		here, old := s.here[p.Key], s.items[p.Key]
		switch {
		case p.Put != nil:
			s.here[p.Key], s.items[p.Key] = true, *p.Put
		case p.Update != nil:
			s.here[p.Key] = true
			s.items[p.Key].V = p.Update.V
			s.items[p.Key].N += p.Update.Add
			if p.Update.B != nil {
				s.items[p.Key].B = *p.Update.B
			}
		case p.Delete:
			s.here[p.Key], s.items[p.Key] = false, item{}
		}
		if h.Records == nil || here == s.here[p.Key] && old == s.items[p.Key] {
			continue
		}
		// The change has a record, and it is the next one of this key.
		records := h.Records[p.Key]
		if int(s.next[p.Key]) >= len(records) {
			return s, false
		}
		shown := records[s.next[p.Key]].Item
		if (shown != nil) != s.here[p.Key] || shown != nil && *shown != s.items[p.Key] {
			return s, false
		}
		s.next[p.Key]++
	}
	if h.Records != nil && !h.inShardOrder(&s, o) {
		return s, false
	}
	if o.Token != 0 {
		s.tokens[(o.Token-1)/64] |= 1 << ((o.Token - 1) % 64)
	}
	return s, true
}

// inShardOrder says whether everything that the shards have before the last records of the operation's items has happened.
func (h *history) inShardOrder(s *state, o *op) bool {
	for i := range o.Parts {
		key := o.Parts[i].Key
		if s.next[key] == 0 {
			continue
		}
		for other, count := range h.Records[key][s.next[key]-1].Before {
			if int(s.next[other]) < count {
				return false
			}
		}
	}
	return true
}

// mayChange says whether the condition may have held at another moment of a transaction that is refused: nothing holds the place of an item
// that a transaction wants to create, until it does.
func (p *part) mayChange() bool {
	return !p.Refused && p.If != nil && p.If.Absent && (p.Put != nil || p.Update != nil)
}

// leavesTrace says whether the operation, if it was carried out, is in the stream under a value of its own.
func (o *op) leavesTrace() bool {
	for i := range o.Parts {
		if o.Parts[i].Put != nil || o.Parts[i].Update != nil {
			return true
		}
	}
	return false
}

func (c *condition) holds(s *state, key int) bool {
	here, it := s.here[key], s.items[key]
	switch {
	case c == nil:
		return true
	case c.Absent:
		return !here
	case c.Exists:
		return here
	case c.V != nil:
		return here && it.V == *c.V
	case c.Below != nil:
		return here && it.N < *c.Below
	}
	return true
}

func (s *state) matches(want *seen, key int) bool {
	if want == nil {
		return true
	}
	if want.Gone || !s.here[key] {
		return want.Gone && !s.here[key]
	}
	it := s.items[key]
	return (want.V == nil || *want.V == it.V) && (want.N == nil || *want.N == it.N) &&
		(want.B == nil || *want.B == it.B)
}

func (s *state) shows(r *read) bool {
	for i, key := range r.Keys {
		here := s.here[key] && (r.Bucket == 0 || s.items[key].B == r.Bucket)
		if found := r.Found[i]; (found != nil) != here || here && *found != s.items[key] {
			return false
		}
	}
	return true
}

func (s *state) used(token int) bool {
	return s.tokens[(token-1)/64]&(1<<((token-1)%64)) != 0
}

func (s state) hash() uint64 {
	sum := uint64(14695981039346656037)
	add := func(value uint64) { sum = (sum ^ value) * 1099511628211 }
	for key := range s.items {
		if s.here[key] {
			add(uint64(s.items[key].V)<<20 ^ uint64(s.items[key].N)<<4 ^ uint64(s.items[key].B))
		}
		add(uint64(s.next[key]) + 7)
	}
	for _, word := range s.tokens {
		add(word)
	}
	return sum
}

func (s state) describe(keys int) string {
	text := ""
	for key := 0; key < keys; key++ {
		var it *item
		if s.here[key] {
			it = &s.items[key]
		}
		text += fmt.Sprintf("%d=%s ", key, it.describe())
	}
	return text
}
