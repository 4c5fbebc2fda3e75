package main

import (
	"context"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/redpanda-data/benthos/v4/public/service"
)

func init() {
	spec := service.NewConfigSpec().Summary("Stands in for the official `prometheus` exporter: it is only asked, never pushes.")
	service.MustRegisterMetricsExporter("prometheus", spec,
		func(*service.ParsedConfig, *service.Logger) (service.MetricsExporter, error) {
			return &exporter{registry: prometheus.NewRegistry(), known: map[string]prometheus.Collector{}}, nil
		})
}

type exporter struct {
	registry *prometheus.Registry
	mutex    sync.Mutex
	known    map[string]prometheus.Collector
}

// collector gives the one of this name, so that two components with the same metric share it.
func collector[T prometheus.Collector](e *exporter, name string, build func() T) T {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if known, isKnown := e.known[name].(T); isKnown {
		return known
	}
	built := build()
	if e.registry.Register(built) == nil {
		e.known[name] = built
	}
	return built
}

func (e *exporter) NewCounterCtor(name string, labels ...string) service.MetricsExporterCounterCtor {
	counters := collector(e, name, func() *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: "Counter " + name}, labels)
	})
	return func(values ...string) service.MetricsExporterCounter {
		return counter{counters.WithLabelValues(values...)}
	}
}

func (e *exporter) NewGaugeCtor(name string, labels ...string) service.MetricsExporterGaugeCtor {
	gauges := collector(e, name, func() *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: "Gauge " + name}, labels)
	})
	return func(values ...string) service.MetricsExporterGauge { return gauge{gauges.WithLabelValues(values...)} }
}

// NewTimerCtor makes summaries in nanoseconds, the default of the official exporter.
func (e *exporter) NewTimerCtor(name string, labels ...string) service.MetricsExporterTimerCtor {
	summaries := collector(e, name, func() *prometheus.SummaryVec {
		objectives := map[float64]float64{0.5: 0.05, 0.9: 0.01, 0.99: 0.001}
		return prometheus.NewSummaryVec(
			prometheus.SummaryOpts{Name: name, Help: "Timing " + name, Objectives: objectives}, labels)
	})
	return func(values ...string) service.MetricsExporterTimer {
		return timer{summaries.WithLabelValues(values...)}
	}
}

func (e *exporter) HandlerFunc() http.HandlerFunc {
	return promhttp.HandlerFor(e.registry, promhttp.HandlerOpts{}).ServeHTTP
}

func (e *exporter) Close(context.Context) error { return nil }

type counter struct{ prometheus.Counter }

func (c counter) Incr(count int64)          { c.Add(float64(count)) }
func (c counter) IncrFloat64(count float64) { c.Add(count) }

type gauge struct{ metric prometheus.Gauge }

func (g gauge) Set(value int64)          { g.metric.Set(float64(value)) }
func (g gauge) SetFloat64(value float64) { g.metric.Set(value) }

type timer struct{ metric prometheus.Observer }

func (t timer) Timing(nanoseconds int64) { t.metric.Observe(float64(nanoseconds)) }
