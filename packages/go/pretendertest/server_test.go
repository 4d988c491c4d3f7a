package pretendertest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A script that stands for the program.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pretender")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func checkStartError(t *testing.T, part string) {
	t.Helper()
	started, err := start(nil)
	if err == nil {
		started.stop()
		t.Fatal("it started")
	}
	if !strings.Contains(err.Error(), part) {
		t.Error(err)
	}
}

func TestAMissingProgramIsExplained(t *testing.T) {
	t.Setenv("PRETENDER_BIN", "")
	t.Setenv("PATH", t.TempDir())
	checkStartError(t, "cargo install")
	t.Setenv("PRETENDER_BIN", "/absent/pretender")
	checkStartError(t, "PRETENDER_BIN: ")
}

func TestTheProgramOnThePathIsFound(t *testing.T) {
	program := script(t, "exit 3")
	t.Setenv("PRETENDER_BIN", "")
	t.Setenv("PATH", filepath.Dir(program))
	checkStartError(t, program+" did not start: exit status 3")
}

func TestAnotherVersionIsRefused(t *testing.T) {
	t.Setenv("PRETENDER_BIN", script(t, `echo '{"url": "http://127.0.0.1:1", "version": "0.0.9", "region": "us-east-1"}'; cat >&2`))
	checkStartError(t, "has version 0.0.9, but this package needs "+Version)
}

func TestAFailedStartShowsTheLog(t *testing.T) {
	t.Parallel()
	recorded := record(t, func(t testing.TB) { New(t, Arguments("--nonsense")) })
	if !strings.Contains(recorded.failure, "did not start: exit status 2\nerror: unexpected argument '--nonsense'") {
		t.Error(recorded.failure)
	}
}

func TestAServerThatHasEndedIsReported(t *testing.T) {
	t.Parallel()
	started, err := start(nil)
	if err != nil {
		t.Fatal(err)
	}
	started.stop()
	if err := started.request("GET", "", "databases", nil, nil); err == nil || !strings.Contains(err.Error(), "the server has ended: exit status 0") {
		t.Errorf("%v", err)
	}
}

func TestTheServerAtPretenderEndpointIsUsed(t *testing.T) {
	started, err := start([]string{"--region", "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	defer started.stop()
	t.Setenv("PRETENDER_ENDPOINT", started.url)
	t.Run("inner", func(t *testing.T) {
		db := New(t)
		if !strings.HasPrefix(db.URL(), started.url+"/db/") || db.Config().Region != "eu-west-1" {
			t.Errorf("%s in %s", db.URL(), db.Region())
		}
		createOrders(t, db)
	})
	recorded := record(t, func(t testing.TB) { New(t, OwnServer()) })
	if !strings.Contains(recorded.failure, "PRETENDER_ENDPOINT is set") {
		t.Error(recorded.failure)
	}
}

func TestTheServerInheritsNothingOfAWS(t *testing.T) {
	t.Parallel()
	kept := environment([]string{"PATH=/bin", "AWS_PROFILE=production", "PRETENDER_READY_FILE=x", "PRETENDER_LOG_LEVEL=info", "PRETENDER_DB=x"})
	if fmt.Sprint(kept) != "[PATH=/bin PRETENDER_LOG_LEVEL=info]" {
		t.Error(kept)
	}
}

func TestAServerThatCannotServeDatabasesIsRefused(t *testing.T) {
	for answer, expected := range map[string]string{
		`{"name": "pretender", "version": "0.0.9", "control": true, "databases": true}`:             "has version 0.0.9, but this package needs " + Version,
		`{"name": "pretender", "version": "` + Version + `", "control": true, "databases": false}`:  "was started without --databases",
		`{"name": "pretender", "version": "` + Version + `", "control": false, "databases": false}`: "was started without --control --databases",
		`{"name": "other"}`: "is not pretender",
	} {
		other := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) { _, _ = writer.Write([]byte(answer)) }))
		_, err := connect(strings.TrimPrefix(other.URL, "http://"))
		other.Close()
		if err == nil || !strings.HasPrefix(err.Error(), "PRETENDER_ENDPOINT: the server at "+other.URL) || !strings.HasSuffix(err.Error(), expected) {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// Names the way in which the helper process ends.
const endVariable = "PRETENDERTEST_END"

// TestHelperProcess is no test: it is the test binary that the next test runs, and that ends badly.
func TestHelperProcess(t *testing.T) {
	how := os.Getenv(endVariable)
	if how == "" {
		t.Skip("only for TestTheServerEndsWithTheTestBinary")
	}
	db := New(t)
	// A child that outlives this process must not hold the pipe of the server.
	child := exec.Command("sleep", "20")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\n%s %d\n", db.URL(), child.Process.Pid)
	switch how {
	case "exit":
		os.Exit(3)
	case "panic":
		panic("on purpose")
	}
	time.Sleep(time.Minute)
}

func endProcess(id int) {
	if process, err := os.FindProcess(id); err == nil {
		_ = process.Kill()
	}
}

func TestTheServerEndsWithTheTestBinary(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"kill", "panic", "exit"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			binary := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$")
			binary.Env = append(os.Environ(), endVariable+"="+how)
			output, err := binary.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := binary.Start(); err != nil {
				t.Fatal(err)
			}
			var address string
			for lines := bufio.NewScanner(output); address == "" && lines.Scan(); {
				var child int
				if _, err := fmt.Sscanf(lines.Text(), "http://%s %d", &address, &child); err == nil {
					defer endProcess(child)
				}
			}
			address, _, _ = strings.Cut(address, "/")
			if address == "" {
				t.Fatal("the helper process has no server")
			}
			if how == "kill" {
				// SIGKILL: the process can do nothing about it.
				_ = binary.Process.Kill()
			}
			if err := binary.Wait(); err == nil {
				t.Error("the helper process succeeded")
			}
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				connection, err := net.Dial("tcp", address)
				if err != nil {
					break
				}
				_ = connection.Close()
				if time.Now().After(deadline) {
					t.Fatal("the server runs on")
				}
			}
		})
	}
}
