package main

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

type partition struct {
	topic  string
	number int32
}

// partitionQueue holds what was fetched of one partition. While a batch of it is under way no other is given out:
// that keeps the order of its records.
type partitionQueue struct {
	records  []*kgo.Record
	underWay []*kgo.Record
}

// partitionQueues stand between the fetching of records and their delivery.
type partitionQueues struct {
	limit int // bytes above which nothing more should be fetched

	mutex  sync.Mutex
	queues map[partition]*partitionQueue
	held   int           // bytes
	moved  chan struct{} // closed and replaced at every change
	closed bool
}

// takenBatch is what `take` gave out; `done` gives it back.
type takenBatch struct {
	records []*kgo.Record
	queue   *partitionQueue
}

func newPartitionQueues(limit int) *partitionQueues {
	return &partitionQueues{limit: limit, queues: map[partition]*partitionQueue{}, moved: make(chan struct{})}
}

func sizeOf(records ...*kgo.Record) (size int) {
	for _, record := range records {
		size += len(record.Key) + len(record.Value)
	}
	return size
}

func (q *partitionQueues) tellMoved() {
	close(q.moved)
	q.moved = make(chan struct{})
}

// wait blocks until something moves; the mutex is held before and after, not meanwhile.
func (q *partitionQueues) wait(ctx context.Context) error {
	moved := q.moved
	q.mutex.Unlock()
	defer q.mutex.Lock()
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// add appends fetched records, then blocks while more than the limit is held.
func (q *partitionQueues) add(ctx context.Context, fetches kgo.Fetches) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	fetches.EachPartition(func(fetched kgo.FetchTopicPartition) {
		if len(fetched.Records) == 0 {
			return
		}
		where := partition{fetched.Topic, fetched.Partition}
		if q.queues[where] == nil {
			q.queues[where] = &partitionQueue{}
		}
		q.queues[where].records = append(q.queues[where].records, fetched.Records...)
		q.held += sizeOf(fetched.Records...)
	})
	q.tellMoved()
	for q.held >= q.limit && q.wait(ctx) == nil {
	}
}

// take waits for records of a partition that has nothing under way: at least one record, at most `maxBytes` of them.
// False when the queues were closed or the context ended.
func (q *partitionQueues) take(ctx context.Context, maxBytes int) (takenBatch, bool) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	for !q.closed {
		for _, queue := range q.queues {
			if queue.underWay == nil && len(queue.records) > 0 {
				return queue.takeFirst(maxBytes), true
			}
		}
		if q.wait(ctx) != nil {
			break
		}
	}
	return takenBatch{}, false
}

func (queue *partitionQueue) takeFirst(maxBytes int) takenBatch {
	count, size := 1, sizeOf(queue.records[0])
	for count < len(queue.records) {
		size += sizeOf(queue.records[count])
		if size > maxBytes {
			break
		}
		count++
	}
	queue.underWay, queue.records = queue.records[:count:count], queue.records[count:]
	return takenBatch{queue.underWay, queue}
}

// done ends the way of a batch; whether its partition is still ours, so that its offsets may be committed.
func (q *partitionQueues) done(taken takenBatch) bool {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	last := taken.records[len(taken.records)-1]
	if q.queues[partition{last.Topic, last.Partition}] != taken.queue {
		return false
	}
	taken.queue.underWay = nil
	q.held -= sizeOf(taken.records...)
	q.tellMoved()
	return true
}

// drop forgets partitions that went to another member of the group, with what is under way of them.
func (q *partitionQueues) drop(lost map[string][]int32) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	for topic, numbers := range lost {
		for _, number := range numbers {
			delete(q.queues, partition{topic, number})
		}
	}
	q.held = 0
	for _, queue := range q.queues {
		q.held += sizeOf(queue.records...) + sizeOf(queue.underWay...)
	}
	q.tellMoved()
}

// close ends every `take`.
func (q *partitionQueues) close() {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.closed = true
	q.tellMoved()
}
