// Package pretendertest gives each test a DynamoDB database of its own, with streams, on a local pretender server.
//
//	func TestShipping(t *testing.T) {
//		t.Parallel()
//		db := pretendertest.New(t)
//		orders := NewOrderStore(db.DynamoDB())
//		...
//		db.Clock().Advance(16 * time.Minute)
//	}
//
// The first test that needs a server starts one, and all tests of the test binary share it. Each call of [New] makes an empty
// database on it, which is dropped when the test ends. A database has a clock, faults and snapshots of its own, so tests can run in
// parallel. The server ends with the test binary, even if that is killed.
//
// The program is the file that the environment variable PRETENDER_BIN names, or `pretender` on the PATH. Nothing is downloaded. If
// PRETENDER_ENDPOINT is set, no server is started, and the databases are made on the server at that address. It must have been started
// with `--control --databases`. PRETENDER_CONTROL_TOKEN is sent with commands if it is set. A server that is started gets this token,
// PRETENDER_LOG_LEVEL and PRETENDER_LOG_FORMAT from the environment, and no other setting of pretender: use [Arguments].
//
// Functions and methods that can fail end the test with [testing.TB.Fatal], so call them from the goroutine of the test. Only
// [DB.Control] returns its error.
package pretendertest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
)

// Version is the version of this package and of the program that belongs to it.
const Version = "0.1.0"

// An Option changes the server on which [New] makes the database. Tests with the same options share a server.
type Option func(*settings)

type settings struct {
	arguments []string
	own       bool
}

// Schema creates tables in the new database from files or folders: CloudFormation, SAM, CDK, serverless, Terraform or CreateTable.
func Schema(paths ...string) Option { return repeated("--schema", paths) }

// Seed writes the items of files or folders into the new database. The tables must exist: see [Schema].
func Seed(paths ...string) Option { return repeated("--seed", paths) }

// Arguments are further arguments of `pretender serve`, such as "--shards", "4".
func Arguments(arguments ...string) Option {
	return func(s *settings) { s.arguments = append(s.arguments, arguments...) }
}

// OwnServer gives the test a server that it does not share. The server ends with the test.
func OwnServer() Option { return func(s *settings) { s.own = true } }

func repeated(name string, values []string) Option {
	return func(s *settings) {
		for _, value := range values {
			s.arguments = append(s.arguments, name, value)
		}
	}
}

// A DB is the database of one test. It cannot be used after the test.
type DB struct {
	t      testing.TB
	server *server
	name   string
	config aws.Config
}

// New makes an empty database, or one with the tables and items of the options, and drops it when the test ends. If the test fails,
// what the server logged meanwhile is logged. Databases of other tests share this log.
func New(t testing.TB, options ...Option) *DB {
	t.Helper()
	var wanted settings
	for _, option := range options {
		option(&wanted)
	}
	server, err := serverFor(wanted)
	if err != nil {
		t.Fatal(err)
	}
	db := &DB{t: t, server: server, name: databaseName(t.Name())}
	db.config = aws.Config{
		Region:       server.region,
		BaseEndpoint: aws.String(db.URL()),
		Credentials:  aws.CredentialsProviderFunc(credentials),
		HTTPClient:   httpClient,
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(options *retry.StandardOptions) { options.MaxBackoff = maxBackoff })
		},
	}
	logged := server.logSize()
	t.Cleanup(func() {
		if err := server.request(http.MethodPost, "", "databases/drop", map[string]string{"name": db.name}, nil); err != nil {
			t.Error(err)
		}
		if wanted.own {
			server.stop()
		}
		if t.Failed() {
			if log := server.logSince(logged); log != "" {
				t.Logf("log of pretender during this test:\n%s", log)
			}
		}
		if wanted.own {
			closeLog(server.log)
		}
	})
	// The first request makes the database. A schema that is refused, or a server without `--databases`, is reported here.
	db.must(http.MethodGet, "clock", nil, nil)
	return db
}

// Name returns the name of the database on its server.
func (db *DB) Name() string { return db.name }

// URL returns the endpoint of the database, for both APIs.
func (db *DB) URL() string { return db.server.url + "/db/" + db.name }

// Region returns the region that ARNs contain.
func (db *DB) Region() string { return db.server.region }

// Config returns a configuration for AWS clients that use the database. It does not read the environment or anyone's profile. Clients
// repeat a call as often as usual, but pause for at most 50 ms, so that a test with faults does not wait for seconds.
func (db *DB) Config() aws.Config { return db.config.Copy() }

// DynamoDB returns a new client of the database.
func (db *DB) DynamoDB(options ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.NewFromConfig(db.config, options...)
}

// Streams returns a new client of the database's streams.
func (db *DB) Streams(options ...func(*dynamodbstreams.Options)) *dynamodbstreams.Client {
	return dynamodbstreams.NewFromConfig(db.config, options...)
}

// Setenv sets AWS's variables until the test ends, for code that makes its own clients with config.LoadDefaultConfig. As with
// [testing.T.Setenv], the test and its parents cannot be parallel.
func (db *DB) Setenv() {
	db.t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL":                  db.URL(),
		"AWS_ENDPOINT_URL_DYNAMODB":         db.URL(),
		"AWS_ENDPOINT_URL_DYNAMODB_STREAMS": db.URL(),
		"AWS_ACCESS_KEY_ID":                 accessKey,
		"AWS_SECRET_ACCESS_KEY":             accessKey,
		"AWS_REGION":                        db.Region(),
		"AWS_DEFAULT_REGION":                db.Region(),
		"AWS_EC2_METADATA_DISABLED":         "true",
		// An address in the environment is ignored unless this is false.
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
		// A profile could name other credentials, or switch the endpoints off.
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		db.t.Setenv(name, value)
	}
	for _, name := range []string{
		"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_ACCOUNT_ID_ENDPOINT_MODE",
	} {
		// Setenv restores the variable after the test, which Unsetenv alone would not.
		db.t.Setenv(name, "")
		_ = os.Unsetenv(name)
	}
}

const maxBackoff = 50 * time.Millisecond

// The key id and the secret of all clients.
const accessKey = "pretender"

func credentials(_ context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: accessKey, Source: "pretendertest"}, nil
}

// One client for all databases, so that tests reuse connections. It never goes through a proxy.
var httpClient = awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
	transport.Proxy = nil
	transport.MaxIdleConnsPerHost = 64
})

// databaseName makes a unique name that begins with that of the test. Test binaries that run at the same time can share a server.
func databaseName(test string) string {
	letters := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, test)
	random := make([]byte, 6)
	_, _ = rand.Read(random) // never fails since Go 1.24
	return strings.TrimLeft(letters[:min(len(letters), 50)], "-_.") + "-" + hex.EncodeToString(random)
}
