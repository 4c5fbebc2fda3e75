package main

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/redpanda-data/benthos/v4/public/service"
)

// parsed reads fields and keeps the first error, so that a constructor asks once, at its end.
type parsed struct {
	*service.ParsedConfig
	err error
}

func read[T any](p *parsed, field func(...string) (T, error), name string) T {
	value, err := field(name)
	p.fail(name, err)
	return value
}

func (p *parsed) fail(name string, err error) {
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("%s: %w", name, err)
	}
}

func (p *parsed) text(name string) string            { return read(p, p.FieldString, name) }
func (p *parsed) texts(name string) []string         { return read(p, p.FieldStringList, name) }
func (p *parsed) number(name string) int             { return read(p, p.FieldInt, name) }
func (p *parsed) isOn(name string) bool              { return read(p, p.FieldBool, name) }
func (p *parsed) duration(name string) time.Duration { return read(p, p.FieldDuration, name) }

// template is nil where the optional field is not given.
func (p *parsed) template(name string) *service.InterpolatedString {
	if !p.Contains(name) {
		return nil
	}
	return read(p, p.FieldInterpolatedString, name)
}

// bytes reads a size such as 1MiB.
func (p *parsed) bytes(name string) int32 {
	size, err := humanize.ParseBytes(p.text(name))
	if err == nil && size > math.MaxInt32 {
		err = errors.New("larger than 2 GiB")
	}
	p.fail(name, err)
	return int32(size)
}
