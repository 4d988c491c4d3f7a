package pretendertest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// How long a server may take to start, and to stop.
const (
	startTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
)

const howToInstall = `pretender was not found: set PRETENDER_BIN to the program, or put it on the PATH. One of these installs it:
  a release: unpack pretender-` + Version + `-<target>.tar.gz, and put its bin folder on the PATH
  from the sources: cargo install --path crates/pdb-server
  with pip or npm: pip install pretender, npm install --global @pretender/dynamodb`

// A server is a process that this one has started, or the server at PRETENDER_ENDPOINT.
type server struct {
	url    string
	region string
	// The rest is missing for a server at PRETENDER_ENDPOINT.
	process *os.Process
	log     *os.File
	stdin   io.Closer
	ended   chan struct{} // closed when the process has ended
	state   string        // how it ended; to be read after that
}

// All servers that tests share, by their arguments.
var (
	sharedMutex sync.Mutex
	shared      = map[string]func() (*server, error){}
)

// serverFor returns the server with these settings, and starts it if no test has needed it before. All tests see the same error.
func serverFor(wanted settings) (*server, error) {
	if endpoint := os.Getenv("PRETENDER_ENDPOINT"); endpoint != "" {
		if wanted.own || len(wanted.arguments) > 0 {
			return nil, errors.New("this test needs a server with other options, but PRETENDER_ENDPOINT is set, so none is started")
		}
		return sharedServer("at "+endpoint, func() (*server, error) { return connect(endpoint) })
	}
	if wanted.own {
		return start(wanted.arguments)
	}
	key := strings.Join(wanted.arguments, "\x00")
	return sharedServer(key, func() (*server, error) { return start(wanted.arguments) })
}

func sharedServer(key string, start func() (*server, error)) (*server, error) {
	sharedMutex.Lock()
	once, known := shared[key]
	if !known {
		once = sync.OnceValues(start)
		shared[key] = once
	}
	sharedMutex.Unlock()
	return once()
}

// connect returns the server at an address that was given.
func connect(endpoint string) (*server, error) {
	if !strings.Contains(endpoint, "://") {
		endpoint = "http://" + endpoint
	}
	server := &server{url: strings.TrimRight(endpoint, "/")}
	var found struct {
		Name, Version, Region string
		Control, Databases    bool
	}
	if err := server.request(http.MethodGet, "", "version", nil, &found); err != nil {
		return nil, fmt.Errorf("PRETENDER_ENDPOINT: %w", err)
	}
	if found.Name != "pretender" {
		return nil, fmt.Errorf("PRETENDER_ENDPOINT: the server at %s is not pretender", server.url)
	}
	if found.Version != Version {
		return nil, fmt.Errorf("PRETENDER_ENDPOINT: the server at %s has version %s, but this package needs %s", server.url, found.Version, Version)
	}
	var missing []string
	if !found.Control {
		missing = append(missing, "--control")
	}
	if !found.Databases {
		missing = append(missing, "--databases")
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("PRETENDER_ENDPOINT: the server at %s was started without %s", server.url, strings.Join(missing, " "))
	}
	server.region = found.Region
	return server, nil
}

// start starts a server and waits until it answers.
func start(arguments []string) (*server, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	log, err := openLog()
	if err != nil {
		return nil, fmt.Errorf("cannot create the log of pretender: %w", err)
	}
	command := exec.Command(program, append([]string{
		"serve", "--host", "127.0.0.1", "--port", "0", "--db", ":memory:", "--control", "--databases",
		"--announce", "json", "--stop-on-stdin-close",
	}, arguments...)...)
	command.Env = environment(os.Environ())
	command.Stderr = log
	// The server ends when this pipe is closed. The system does that when this process ends, however it ends. Go marks the pipe so that
	// no other child process inherits it.
	stdin, err := command.StdinPipe()
	if err != nil {
		closeLog(log)
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		closeLog(log)
		return nil, err
	}
	if err := command.Start(); err != nil {
		closeLog(log)
		return nil, fmt.Errorf("cannot start pretender: %w", err)
	}
	tooLong := time.AfterFunc(startTimeout, func() { _ = command.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	started := &server{process: command.Process, log: log, stdin: stdin, ended: make(chan struct{})}
	inTime := tooLong.Stop()
	go func() {
		_ = command.Wait()
		started.state = command.ProcessState.String()
		close(started.ended)
	}()
	if err != nil {
		<-started.ended
		if !inTime {
			started.state = fmt.Sprintf("no announcement within %v", startTimeout)
		}
		defer closeLog(log)
		return nil, fmt.Errorf("%s did not start: %s\n%s", program, started.state, started.logSince(0))
	}
	var announced struct{ URL, Version, Region string }
	if err := json.Unmarshal(line, &announced); err != nil {
		started.stop()
		closeLog(log)
		return nil, fmt.Errorf("%s announced something that is not understood: %s", program, line)
	}
	if announced.Version != Version {
		started.stop()
		closeLog(log)
		return nil, fmt.Errorf("%s has version %s, but this package needs %s", program, announced.Version, Version)
	}
	started.url, started.region = announced.URL, announced.Region
	return started, nil
}

// find returns the path of the program.
func find() (string, error) {
	if program := os.Getenv("PRETENDER_BIN"); program != "" {
		found, err := exec.LookPath(program)
		if err != nil {
			return "", fmt.Errorf("PRETENDER_BIN: %w", err)
		}
		return found, nil
	}
	found, err := exec.LookPath("pretender")
	if err != nil {
		return "", errors.New(howToInstall)
	}
	return found, nil
}

// Settings of pretender that the server inherits. Others are meant for another server, and could make this one fail or keep data.
var inherited = []string{"PRETENDER_LOG_LEVEL", "PRETENDER_LOG_FORMAT", "PRETENDER_CONTROL_TOKEN"}

// environment returns what the server inherits: nothing of AWS, and few settings of pretender.
func environment(all []string) []string {
	var kept []string
	for _, variable := range all {
		name, _, _ := strings.Cut(variable, "=")
		foreign := strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "PRETENDER_")
		if !foreign || slices.Contains(inherited, name) {
			kept = append(kept, variable)
		}
	}
	return kept
}

// openLog creates the file for the server's log. Where the system can do that, it has no name and disappears with the last process.
func openLog() (*os.File, error) {
	file, err := os.CreateTemp("", "pretender-*.log")
	if err == nil && runtime.GOOS != "windows" {
		_ = os.Remove(file.Name())
	}
	return file, err
}

// closeLog closes the file of a server that has ended, and removes it if it still has a name.
func closeLog(log *os.File) {
	_ = log.Close()
	if runtime.GOOS == "windows" {
		_ = os.Remove(log.Name())
	}
}

func (s *server) logSize() int64 {
	if s.log == nil {
		return 0
	}
	info, err := s.log.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// logSince returns the log from a position on.
func (s *server) logSince(position int64) string {
	if s.log == nil {
		return ""
	}
	text, err := io.ReadAll(io.NewSectionReader(s.log, position, math.MaxInt64-position))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// stop ends a server that this process has started, and waits for its end. Its log can still be read.
func (s *server) stop() {
	_ = s.stdin.Close()
	select {
	case <-s.ended:
	case <-time.After(stopTimeout):
		_ = s.process.Kill()
		<-s.ended
	}
}
