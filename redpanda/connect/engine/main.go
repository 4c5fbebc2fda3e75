// Command connect runs, lints and tests the pipelines of this folder where the official image can't run.
//
// What reads and runs the YAML is the core of Redpanda Connect itself (benthos). The components `redpanda`,
// `redis_streams` and `prometheus` are not part of that core: the ones here stand in for them, under the official
// names, fields and defaults. A field that a stand-in does not have is an error of the configuration, never ignored.
package main

import (
	"context"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
)

func main() {
	service.RunCLI(context.Background())
}
