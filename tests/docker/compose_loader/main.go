// Command compose_loader prints what Docker Compose makes of compose files, as JSON: interpolated, merged, checked, with
// the services of the given profiles only. It is the loader of Docker Compose itself, without an engine.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	if err := load(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// load reads the files in order; the environment is the process's. COMPOSE_PROFILES names profiles, "*" is all of them.
func load(files []string) error {
	profiles := strings.FieldsFunc(os.Getenv("COMPOSE_PROFILES"), func(r rune) bool { return r == ',' })
	options, err := cli.NewProjectOptions(files, cli.WithOsEnv, cli.WithProfiles(profiles), cli.WithResolvedPaths(true))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	model, err := project.MarshalJSON()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(model)
	return err
}
