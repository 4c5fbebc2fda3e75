package main

import (
	"context"
	"errors"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/redpanda-data/benthos/v4/public/service"
)

var startOffsets = map[string]kgo.Offset{
	"earliest":  kgo.NewOffset().AtStart(),
	"latest":    kgo.NewOffset().AtEnd(),
	"committed": kgo.NewOffset().AtCommitted(),
}

func init() {
	service.MustRegisterBatchInput("redpanda", redpandaInputSpec(), newRedpandaInput)
}

func redpandaInputSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Summary("Stands in for the official `redpanda` input, always in a consumer group.").
		Fields(connectionFields()...).
		Fields(
			service.NewStringListField("topics"),
			service.NewStringField("consumer_group").Optional(),
			service.NewStringEnumField("start_offset", "earliest", "latest", "committed").Default("earliest"),
			service.NewStringEnumField("transaction_isolation_level", "read_uncommitted", "read_committed").
				Default("read_uncommitted"),
			service.NewDurationField("commit_period").Default("5s"),
			service.NewDurationField("rebalance_timeout").Default("45s"),
			service.NewDurationField("session_timeout").Default("1m"),
			service.NewDurationField("heartbeat_interval").Default("3s"),
			service.NewDurationField("fetch_max_wait").Default("5s"),
			service.NewStringField("partition_buffer_bytes").Default("1MB"),
			service.NewStringField("max_yield_batch_bytes").Default("32KB"),
			service.NewAutoRetryNacksToggleField(),
		).
		LintRule(`root = if this.consumer_group.or("") == "" { "this engine reads only in a consumer_group" }`)
}

// redpandaInput reads in a consumer group, in the order of each partition; it commits what was delivered.
type redpandaInput struct {
	options    []kgo.Opt
	log        *service.Logger
	batchBytes int
	queueBytes int

	mutex   sync.Mutex
	session *session
}

// session is one connection to the brokers, from `Connect` to the first lasting error.
type session struct {
	client *kgo.Client
	queues *partitionQueues
	stop   context.CancelFunc
	ended  chan struct{}
}

func newRedpandaInput(parsedConfig *service.ParsedConfig, resources *service.Resources) (service.BatchInput, error) {
	conf := &parsed{ParsedConfig: parsedConfig}
	if !conf.Contains("consumer_group") {
		return nil, errors.New("this engine reads only in a consumer_group")
	}
	input := &redpandaInput{
		options:    append(connectionOptions(conf, resources.Logger()), consumerOptions(conf)...),
		log:        resources.Logger(),
		batchBytes: int(conf.bytes("max_yield_batch_bytes")),
		queueBytes: int(conf.bytes("partition_buffer_bytes")),
	}
	if conf.err != nil {
		return nil, conf.err
	}
	return service.AutoRetryNacksBatchedToggled(parsedConfig, input)
}

func consumerOptions(conf *parsed) []kgo.Opt {
	options := []kgo.Opt{
		kgo.ConsumeTopics(splitCommas(conf.texts("topics"))...),
		kgo.ConsumerGroup(conf.text("consumer_group")),
		kgo.ConsumeResetOffset(startOffsets[conf.text("start_offset")]),
		kgo.RebalanceTimeout(conf.duration("rebalance_timeout")),
		kgo.SessionTimeout(conf.duration("session_timeout")),
		kgo.HeartbeatInterval(conf.duration("heartbeat_interval")),
		kgo.FetchMaxWait(conf.duration("fetch_max_wait")),
		kgo.AutoCommitMarks(),
		kgo.AutoCommitInterval(conf.duration("commit_period")),
	}
	if conf.text("transaction_isolation_level") == "read_committed" {
		options = append(options, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	return options
}

func (i *redpandaInput) Connect(ctx context.Context) error {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.session != nil {
		return nil
	}
	opened := &session{queues: newPartitionQueues(i.queueBytes), ended: make(chan struct{})}
	var err error
	if opened.client, err = dial(ctx, append(i.groupCallbacks(opened.queues), i.options...)); err != nil {
		return err
	}
	var fetching context.Context
	fetching, opened.stop = context.WithCancel(context.Background())
	i.session = opened
	go i.fetch(fetching, opened)
	return nil
}

func (i *redpandaInput) groupCallbacks(queues *partitionQueues) []kgo.Opt {
	return []kgo.Opt{
		kgo.OnPartitionsRevoked(func(ctx context.Context, client *kgo.Client, lost map[string][]int32) {
			if err := client.CommitMarkedOffsets(ctx); err != nil {
				i.log.Errorf("offsets not committed before the partitions went: %v", err)
			}
			queues.drop(lost)
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { queues.drop(lost) }),
	}
}

// fetch fills the queues until it is stopped, or an error remains; the engine then connects anew.
func (i *redpandaInput) fetch(ctx context.Context, opened *session) {
	defer close(opened.ended)
	defer func() {
		opened.client.Close()
		opened.queues.close()
		i.mutex.Lock()
		defer i.mutex.Unlock()
		i.session = nil
	}()
	for ctx.Err() == nil {
		fetches := opened.client.PollFetches(ctx)
		if err := lastingError(fetches); err != nil {
			i.log.Errorf("fetching ended: %v", err)
			return
		}
		opened.queues.add(ctx, fetches)
	}
}

func lastingError(fetches kgo.Fetches) error {
	for _, failed := range fetches.Errors() {
		if !errors.Is(failed.Err, context.Canceled) && !errors.Is(failed.Err, context.DeadlineExceeded) {
			return failed.Err
		}
	}
	return nil
}

func (i *redpandaInput) ReadBatch(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	i.mutex.Lock()
	opened := i.session
	i.mutex.Unlock()
	if opened == nil {
		return nil, nil, service.ErrNotConnected
	}
	taken, isThere := opened.queues.take(ctx, i.batchBytes)
	if !isThere {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		return nil, nil, service.ErrNotConnected
	}
	batch := make(service.MessageBatch, len(taken.records))
	for n, record := range taken.records {
		batch[n] = messageOf(record)
	}
	// An error comes here only with auto_replay_nacks: false, and then means "go on", as in the official input.
	return batch, func(context.Context, error) error {
		if opened.queues.done(taken) {
			opened.client.MarkCommitRecords(taken.records[len(taken.records)-1])
		}
		return nil
	}, nil
}

func messageOf(record *kgo.Record) *service.Message {
	message := service.NewMessage(record.Value)
	for _, header := range record.Headers {
		message.MetaSetMut(header.Key, string(header.Value))
	}
	if len(record.Headers) > 0 {
		// So does the official input. It is no text: an output that writes all metadata must exclude it.
		message.MetaSetMut("__rpcn_kafka_headers", record.Headers)
	}
	message.MetaSetMut("kafka_key", record.Key)
	message.MetaSetMut("kafka_topic", record.Topic)
	message.MetaSetMut("kafka_partition", int(record.Partition))
	message.MetaSetMut("kafka_offset", int(record.Offset))
	message.MetaSetMut("kafka_timestamp_unix", record.Timestamp.Unix())
	message.MetaSetMut("kafka_timestamp_ms", record.Timestamp.UnixMilli())
	message.MetaSetMut("kafka_tombstone_message", record.Value == nil)
	return message
}

func (i *redpandaInput) Close(ctx context.Context) error {
	i.mutex.Lock()
	opened := i.session
	i.mutex.Unlock()
	if opened == nil {
		return nil
	}
	err := opened.client.CommitMarkedOffsets(ctx)
	opened.stop()
	select {
	case <-opened.ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
