package main

import (
	"context"
	"errors"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/redpanda-data/benthos/v4/public/service"
)

func init() {
	service.MustRegisterBatchOutput("redis_streams", redisStreamsSpec(), newRedisStreams)
}

func redisStreamsSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Summary("Stands in for the official `redis_streams` output, with a client of one server.").
		Fields(
			service.NewStringField("url"),
			service.NewInterpolatedStringField("stream"),
			service.NewStringField("body_key").Default("body"),
			service.NewIntField("max_length").Default(0),
			service.NewOutputMaxInFlightField(),
			service.NewMetadataExcludeFilterField("metadata"),
			service.NewBatchPolicyField("batching"),
		)
}

// redisStreams appends each message to a stream with XADD.
type redisStreams struct {
	log       *service.Logger
	options   *redis.Options
	stream    *service.InterpolatedString
	bodyKey   string
	maxLength int64
	metadata  *service.MetadataExcludeFilter

	mutex  sync.RWMutex
	client *redis.Client
}

func newRedisStreams(
	parsedConfig *service.ParsedConfig, resources *service.Resources,
) (service.BatchOutput, service.BatchPolicy, int, error) {
	conf := &parsed{ParsedConfig: parsedConfig}
	output := &redisStreams{
		log:       resources.Logger(),
		stream:    conf.template("stream"),
		bodyKey:   conf.text("body_key"),
		maxLength: int64(conf.number("max_length")),
		metadata:  read(conf, conf.FieldMetadataExcludeFilter, "metadata"),
	}
	var err error
	output.options, err = redis.ParseURL(conf.text("url"))
	conf.fail("url", err)
	return output, read(conf, conf.FieldBatchPolicy, "batching"), read(conf, fieldless(conf.FieldMaxInFlight), ""), conf.err
}

// fieldless makes a reader that knows its field's name fit `read`.
func fieldless[T any](field func() (T, error)) func(...string) (T, error) {
	return func(...string) (T, error) { return field() }
}

func (o *redisStreams) Connect(ctx context.Context) error {
	client := redis.NewClient(o.options)
	if err := client.Ping(ctx).Err(); err != nil {
		return errors.Join(err, client.Close())
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.client = client
	return nil
}

// WriteBatch answers every failure of Redis with "not connected", as the official output does: the engine connects
// anew and repeats the batch, without end.
func (o *redisStreams) WriteBatch(ctx context.Context, batch service.MessageBatch) error {
	o.mutex.RLock()
	client := o.client
	o.mutex.RUnlock()
	if client == nil {
		return service.ErrNotConnected
	}
	pipeline := client.Pipeline()
	for _, message := range batch {
		entry, err := o.entry(message)
		if err != nil {
			return err
		}
		pipeline.XAdd(ctx, entry)
	}
	if _, err := pipeline.Exec(ctx); err != nil {
		o.log.Errorf("Redis does not take the batch: %v", err)
		_ = o.Close(ctx)
		return service.ErrNotConnected
	}
	return nil
}

func (o *redisStreams) entry(message *service.Message) (*redis.XAddArgs, error) {
	values := map[string]any{}
	_ = o.metadata.WalkMut(message, func(name string, value any) error {
		values[name] = value
		return nil
	})
	body, bodyError := message.AsBytes()
	values[o.bodyKey] = body
	stream, streamError := o.stream.TryString(message)
	entry := &redis.XAddArgs{Stream: stream, MaxLen: o.maxLength, Approx: o.maxLength > 0, Values: values}
	return entry, errors.Join(bodyError, streamError)
}

func (o *redisStreams) Close(context.Context) error {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.client == nil {
		return nil
	}
	err := o.client.Close()
	o.client = nil
	return err
}
