package main

import (
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
)

// output builds a redpanda output of this YAML and says what is wrong with it.
func output(t *testing.T, yaml string) error {
	t.Helper()
	conf, err := redpandaOutputSpec().ParseYAML("seed_brokers: [ a:1 ]\ntopic: t\n"+yaml, service.NewEnvironment())
	if err != nil {
		return err
	}
	_, _, _, err = newRedpandaOutput(conf, service.MockResources())
	return err
}

func TestWhatCanNotBeMeantIsRefused(t *testing.T) {
	for yaml, reason := range map[string]string{
		"acks: leader":                        "idempotent_write needs acks: all",
		"max_message_bytes: many":             "max_message_bytes",
		"max_message_bytes: 3GiB":             "larger than 2 GiB",
		"timeout: soon":                       "timeout",
		"sasl: [ { mechanism: OAUTHBEARER }]": "OAUTHBEARER",
	} {
		if err := output(t, yaml); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%q gives %v, not %q", yaml, err, reason)
		}
	}
}

func TestWhatPipelinesSayIsTaken(t *testing.T) {
	for _, yaml := range []string{
		"",
		"acks: leader\nidempotent_write: false",
		"sasl: [ { mechanism: SCRAM-SHA-512, username: u, password: p }]",
		"sasl: [ { mechanism: none }]\ntls: { enabled: true }\ncompression: zstd\nrecord_delivery_timeout: 4s",
	} {
		if err := output(t, yaml); err != nil {
			t.Errorf("%q is refused: %v", yaml, err)
		}
	}
}

func TestARecordHasOnlyTheHeadersThatAreIncluded(t *testing.T) {
	conf, err := redpandaOutputSpec().ParseYAML(
		"seed_brokers: [ a:1 ]\ntopic: t-${! @kind }\nkey: ${! @id }\nmetadata: { include_patterns: [ '^source$' ] }", nil)
	if err != nil {
		t.Fatal(err)
	}
	made, _, _, err := newRedpandaOutput(conf, service.MockResources())
	if err != nil {
		t.Fatal(err)
	}
	message := service.NewMessage([]byte("value"))
	for name, value := range map[string]string{"source": "page", "id": "7", "kind": "a", "cookie": "secret"} {
		message.MetaSetMut(name, value)
	}
	record, err := made.(*redpandaOutput).record(message)
	if err != nil {
		t.Fatal(err)
	}
	if record.Topic != "t-a" || string(record.Key) != "7" || string(record.Value) != "value" {
		t.Errorf("the record is %v", record)
	}
	if len(record.Headers) != 1 || record.Headers[0].Key != "source" || string(record.Headers[0].Value) != "page" {
		t.Errorf("its headers are %v", record.Headers)
	}
}
