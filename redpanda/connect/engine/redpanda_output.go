package main

import (
	"context"
	"errors"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/redpanda-data/benthos/v4/public/service"
)

var (
	acknowledgements = map[string]kgo.Acks{"all": kgo.AllISRAcks(), "leader": kgo.LeaderAck(), "none": kgo.NoAck()}
	compressions     = map[string]kgo.CompressionCodec{
		"lz4": kgo.Lz4Compression(), "snappy": kgo.SnappyCompression(), "gzip": kgo.GzipCompression(),
		"none": kgo.NoCompression(), "zstd": kgo.ZstdCompression(),
	}
)

func init() {
	service.MustRegisterBatchOutput("redpanda", redpandaOutputSpec(), newRedpandaOutput)
}

func redpandaOutputSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Summary("Stands in for the official `redpanda` output.").
		Fields(connectionFields()...).
		Fields(
			service.NewInterpolatedStringField("topic"),
			service.NewInterpolatedStringField("key").Optional(),
			service.NewMetadataFilterField("metadata").Optional(),
			service.NewIntField("max_in_flight").Default(256),
			service.NewBatchPolicyField("batching"),
			service.NewBoolField("idempotent_write").Default(true),
			service.NewStringEnumField("acks", "all", "leader", "none").Default("all"),
			service.NewStringEnumField("compression", "lz4", "snappy", "gzip", "none", "zstd").Optional(),
			service.NewBoolField("allow_auto_topic_creation").Default(true),
			service.NewDurationField("timeout").Default("10s"),
			service.NewStringField("max_message_bytes").Default("1MiB"),
			service.NewDurationField("record_delivery_timeout").Default("0s"),
		).
		LintRule(`root = if this.idempotent_write.or(true) && this.acks.or("all") != "all" {
  "idempotent_write needs acks: all"
}`)
}

// redpandaOutput writes batches and acknowledges them when the brokers have.
type redpandaOutput struct {
	options    []kgo.Opt
	topic, key *service.InterpolatedString
	headers    *service.MetadataFilter

	// Held until the brokers have answered, as in the official output: one batch at a time. `batching` is what gets
	// several messages into one round trip.
	writing sync.Mutex
	client  *kgo.Client
}

func newRedpandaOutput(
	parsedConfig *service.ParsedConfig, resources *service.Resources,
) (service.BatchOutput, service.BatchPolicy, int, error) {
	conf := &parsed{ParsedConfig: parsedConfig}
	output := &redpandaOutput{
		options: append(connectionOptions(conf, resources.Logger()), producerOptions(conf)...),
		topic:   conf.template("topic"),
		key:     conf.template("key"),
	}
	if conf.Contains("metadata") {
		output.headers = read(conf, conf.FieldMetadataFilter, "metadata")
	}
	return output, read(conf, conf.FieldBatchPolicy, "batching"), conf.number("max_in_flight"), conf.err
}

func producerOptions(conf *parsed) []kgo.Opt {
	acks := conf.text("acks")
	options := []kgo.Opt{
		kgo.RequiredAcks(acknowledgements[acks]),
		kgo.ProduceRequestTimeout(conf.duration("timeout")),
		kgo.ProducerBatchMaxBytes(conf.bytes("max_message_bytes")),
		kgo.MaxProduceRequestsInflightPerBroker(1),
		// Kafka's murmur2: the same key goes to the same partition as from every other client of this system.
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
	}
	if !conf.isOn("idempotent_write") {
		options = append(options, kgo.DisableIdempotentWrite())
	} else if acks != "all" {
		conf.fail("acks", errors.New("idempotent_write needs acks: all"))
	}
	if conf.isOn("allow_auto_topic_creation") {
		options = append(options, kgo.AllowAutoTopicCreation())
	}
	if limit := conf.duration("record_delivery_timeout"); limit > 0 {
		options = append(options, kgo.RecordDeliveryTimeout(limit))
	}
	if conf.Contains("compression") {
		options = append(options, kgo.ProducerBatchCompression(compressions[conf.text("compression")]))
	}
	return options
}

func (o *redpandaOutput) Connect(ctx context.Context) (err error) {
	o.writing.Lock()
	defer o.writing.Unlock()
	if o.client == nil {
		o.client, err = dial(ctx, o.options)
	}
	return err
}

func (o *redpandaOutput) WriteBatch(ctx context.Context, batch service.MessageBatch) error {
	o.writing.Lock()
	defer o.writing.Unlock()
	if o.client == nil {
		return service.ErrNotConnected
	}
	records := make([]*kgo.Record, len(batch))
	for i, message := range batch {
		record, err := o.record(message)
		if err != nil {
			return err
		}
		records[i] = record
	}
	return o.client.ProduceSync(ctx, records...).FirstErr()
}

func (o *redpandaOutput) record(message *service.Message) (*kgo.Record, error) {
	record := &kgo.Record{}
	var valueError, topicError, keyError error
	record.Value, valueError = message.AsBytes()
	record.Topic, topicError = o.topic.TryString(message)
	if o.key != nil {
		record.Key, keyError = o.key.TryBytes(message)
	}
	if o.headers != nil {
		_ = o.headers.Walk(message, func(name, value string) error {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
			return nil
		})
	}
	return record, errors.Join(valueError, topicError, keyError)
}

func (o *redpandaOutput) Close(context.Context) error {
	o.writing.Lock()
	defer o.writing.Unlock()
	if o.client != nil {
		o.client.Close()
		o.client = nil
	}
	return nil
}
