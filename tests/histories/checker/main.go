// Command checker reads histories, one JSON object a line, and says of each whether it is linearizable.
//
// The search is porcupine's. What an operation does to the items of a group is in model.go.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/anishathalye/porcupine"
)

// verdict is the answer to one history.
type verdict struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"` // ok, illegal or undecided
	Ops     int    `json:"ops"`
	Millis  int64  `json:"millis"`
	// Placed is the length of the longest order that was found, if it is not the whole history.
	Placed int `json:"placed,omitempty"`
	// Stuck describes operations that could not follow that order.
	Stuck []string `json:"stuck,omitempty"`
	// Picture is the file that shows the history.
	Picture string `json:"picture,omitempty"`
}

func main() {
	timeout := flag.Duration("timeout", 20*time.Second, "how long to search in one history")
	pictures := flag.String("pictures", ".", "folder for pictures of histories that are refused")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *timeout, *pictures); err != nil {
		fmt.Fprintln(os.Stderr, "checker:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, timeout time.Duration, pictures string) error {
	reader, encoder := bufio.NewReaderSize(in, 1<<20), json.NewEncoder(out)
	for {
		line, err := reader.ReadBytes('\n')
		if len(line) > 1 {
			var h history
			if err := json.Unmarshal(line, &h); err != nil {
				return fmt.Errorf("a line is not a history: %w", err)
			}
			v, err := check(&h, timeout, pictures)
			if err != nil {
				return err
			}
			if err := encoder.Encode(v); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// check searches for an order of the operations of a history.
func check(h *history, timeout time.Duration, pictures string) (*verdict, error) {
	operations := make([]porcupine.Operation, 0, len(h.Ops))
	for i := range h.Ops {
		op := &h.Ops[i]
		if err := h.fits(op); err != nil {
			return nil, fmt.Errorf("history %s: %w", h.Name, err)
		}
		end := int64(math.MaxInt64)
		if op.Return != nil {
			end = *op.Return
		}
		operations = append(operations, porcupine.Operation{
			ClientId: op.Client, Input: op, Call: op.Call, Output: op, Return: end,
		})
	}
	began := time.Now()
	model := h.model()
	// Most histories are in order, and a picture costs more than the search: it is made for the others only.
	result := porcupine.CheckOperationsTimeout(model, operations, timeout)
	v := &verdict{Name: h.Name, Ops: len(operations), Millis: time.Since(began).Milliseconds()}
	switch result {
	case porcupine.Ok:
		v.Verdict = "ok"
		return v, nil
	case porcupine.Unknown:
		v.Verdict = "undecided"
		return v, nil
	case porcupine.Illegal:
	}
	v.Verdict = "illegal"
	_, info := porcupine.CheckOperationsVerbose(model, operations, timeout)
	v.Placed, v.Stuck = stuck(operations, info)
	v.Picture = filepath.Join(pictures, h.Name+".html")
	if err := porcupine.VisualizePath(model, info, v.Picture); err != nil {
		return nil, err
	}
	return v, nil
}

// stuck returns the length of the longest order, and the first operations that it leaves over.
func stuck(operations []porcupine.Operation, info porcupine.LinearizationInfo) (int, []string) {
	longest := map[interface{}]bool{}
	for _, partition := range info.PartialLinearizationsOperations() {
		for _, order := range partition {
			if len(order) > len(longest) {
				longest = map[interface{}]bool{}
				for _, operation := range order {
					longest[operation.Input] = true
				}
			}
		}
	}
	var left []string
	for _, operation := range operations {
		if op := operation.Input.(*op); !longest[operation.Input] && op.Return != nil && len(left) < 8 {
			left = append(left, op.describe())
		}
	}
	return len(longest), left
}
