package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/redpanda-data/benthos/v4/public/service"
)

// connectionFields are those that the redpanda input and output share.
func connectionFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringListField("seed_brokers"),
		service.NewStringField("client_id").Default("redpanda-connect"),
		service.NewTLSToggledField("tls"),
		service.NewObjectListField("sasl",
			service.NewStringEnumField("mechanism", "none", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
			service.NewStringField("username").Default(""),
			service.NewStringField("password").Default("").Secret(),
		).Optional(),
	}
}

func connectionOptions(conf *parsed, log *service.Logger) []kgo.Opt {
	options := []kgo.Opt{
		kgo.SeedBrokers(splitCommas(conf.texts("seed_brokers"))...),
		kgo.ClientID(conf.text("client_id")),
		kgo.WithLogger(kafkaLog{log}),
	}
	tls, isOn, err := conf.FieldTLSToggled("tls")
	conf.fail("tls", err)
	if isOn {
		options = append(options, kgo.DialTLSConfig(tls))
	}
	if conf.Contains("sasl") {
		options = append(options, kgo.SASL(mechanisms(conf)...))
	}
	return options
}

func mechanisms(conf *parsed) []sasl.Mechanism {
	var found []sasl.Mechanism
	for _, entry := range read(conf, conf.FieldObjectList, "sasl") {
		login := &parsed{ParsedConfig: entry}
		name, user, password := login.text("mechanism"), login.text("username"), login.text("password")
		switch name {
		case "PLAIN":
			found = append(found, plain.Auth{User: user, Pass: password}.AsMechanism())
		case "SCRAM-SHA-256":
			found = append(found, scram.Auth{User: user, Pass: password}.AsSha256Mechanism())
		case "SCRAM-SHA-512":
			found = append(found, scram.Auth{User: user, Pass: password}.AsSha512Mechanism())
		case "none":
		default:
			login.fail("mechanism", fmt.Errorf("%q is not supported here", name))
		}
		conf.fail("sasl", login.err)
	}
	return found
}

func splitCommas(texts []string) []string {
	var parts []string
	for _, text := range texts {
		parts = append(parts, strings.Split(text, ",")...)
	}
	return parts
}

// dial makes a client and waits until a broker answers it.
func dial(ctx context.Context, options []kgo.Opt) (*kgo.Client, error) {
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	if err := client.Ping(ctx); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

// kafkaLog says what the Kafka client warns of in the engine's own log.
type kafkaLog struct{ log *service.Logger }

func (kafkaLog) Level() kgo.LogLevel { return kgo.LogLevelWarn }

func (k kafkaLog) Log(level kgo.LogLevel, message string, details ...any) {
	if level == kgo.LogLevelError {
		k.log.With(details...).Error(message)
		return
	}
	k.log.With(details...).Warn(message)
}
