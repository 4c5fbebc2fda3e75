package main

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// fetched are records of one partition with the given offsets, each of ten bytes.
func fetched(topic string, number int32, offsets ...int64) kgo.Fetches {
	records := make([]*kgo.Record, len(offsets))
	for i, offset := range offsets {
		records[i] = &kgo.Record{Topic: topic, Partition: number, Offset: offset, Value: []byte("0123456789")}
	}
	return kgo.Fetches{{Topics: []kgo.FetchTopic{{
		Topic:      topic,
		Partitions: []kgo.FetchPartition{{Partition: number, Records: records}},
	}}}}
}

func shortly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestABatchIsGivenOutOnlyWhenTheOneBeforeIsDone(t *testing.T) {
	queues := newPartitionQueues(1000)
	queues.add(context.Background(), fetched("t", 0, 1, 2, 3))
	first, isThere := queues.take(context.Background(), 20)
	if !isThere || len(first.records) != 2 || first.records[0].Offset != 1 {
		t.Fatalf("the first batch is %v", first.records)
	}
	if _, isThere := queues.take(shortly(t), 20); isThere {
		t.Fatal("a second batch of the partition was given out")
	}
	if !queues.done(first) {
		t.Fatal("the partition is ours, so its offsets may be committed")
	}
	second, _ := queues.take(context.Background(), 20)
	if len(second.records) != 1 || second.records[0].Offset != 3 {
		t.Fatalf("the second batch is %v", second.records)
	}
}

func TestPartitionsDoNotWaitForEachOther(t *testing.T) {
	queues := newPartitionQueues(1000)
	queues.add(context.Background(), fetched("t", 0, 1))
	queues.add(context.Background(), fetched("t", 1, 1))
	first, _ := queues.take(context.Background(), 100)
	second, isThere := queues.take(context.Background(), 100)
	if !isThere || first.records[0].Partition == second.records[0].Partition {
		t.Fatal("both partitions should be under way")
	}
}

func TestARecordLargerThanABatchIsABatch(t *testing.T) {
	queues := newPartitionQueues(1000)
	queues.add(context.Background(), fetched("t", 0, 1, 2))
	taken, _ := queues.take(context.Background(), 1)
	if len(taken.records) != 1 {
		t.Fatalf("taken are %d records", len(taken.records))
	}
}

func TestOffsetsOfAPartitionThatWentAreNotCommitted(t *testing.T) {
	queues := newPartitionQueues(1000)
	queues.add(context.Background(), fetched("t", 0, 1, 2))
	taken, _ := queues.take(context.Background(), 10)
	queues.drop(map[string][]int32{"t": {0}})
	if queues.done(taken) {
		t.Fatal("the partition is another member's now")
	}
	if queues.held != 0 {
		t.Fatalf("%d bytes are still counted", queues.held)
	}
}

func TestNothingMoreIsFetchedWhileTheLimitIsHeld(t *testing.T) {
	queues := newPartitionQueues(20)
	added := make(chan struct{})
	go func() {
		queues.add(context.Background(), fetched("t", 0, 1, 2, 3))
		close(added)
	}()
	taken, _ := queues.take(context.Background(), 20)
	select {
	case <-added:
		t.Fatal("more could be fetched with 30 of 20 bytes held")
	case <-time.After(50 * time.Millisecond):
	}
	queues.done(taken)
	select {
	case <-added:
	case <-time.After(5 * time.Second):
		t.Fatal("10 of 20 bytes are held, and still nothing may be fetched")
	}
}

func TestClosedQueuesGiveNothingOut(t *testing.T) {
	queues := newPartitionQueues(1000)
	go queues.close()
	if _, isThere := queues.take(context.Background(), 10); isThere {
		t.Fatal("there is nothing to give out")
	}
}
