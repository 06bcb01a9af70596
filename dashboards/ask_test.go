// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// server is a Prometheus that is asked as Grafana asks: with the variables filled in.
type server struct {
	url       string
	variables map[string]string
}

// everything is what the variables are while nobody has chosen.
func everything() map[string]string {
	return map[string]string{"job": ".+", "instance": ".+", "vhost": ".+"}
}

// fill puts in the values of variables. Of the rate interval it makes what Grafana makes of minStep, where the step is no longer.
func (p *server) fill(expr string, step time.Duration) string {
	least, err := time.ParseDuration(minStep)
	if err != nil {
		panic(err)
	}
	interval := max(4*least, max(step, least)+least)
	expr = strings.ReplaceAll(expr, "$__rate_interval", fmt.Sprintf("%.0fs", interval.Seconds()))
	for _, name := range slices.Sorted(maps.Keys(p.variables)) {
		expr = strings.ReplaceAll(expr, "$"+name, p.variables[name])
	}
	return expr
}

// line is a series of an answer: its labels, and values by time. What is not a number is left out, as it is in the picture.
type line struct {
	labels map[string]string
	values map[float64]float64
}

// span is what the time picker says.
type span struct {
	from, to time.Time
	step     time.Duration
}

// panelLines runs all queries of a panel, and names each line as its legend does.
func (p *server) panelLines(t *testing.T, of panel, over span) map[string]line {
	t.Helper()
	all := map[string]line{}
	for _, q := range of.show {
		for _, l := range p.run(t, q, over) {
			name := legend(q, l.labels)
			if other, twice := all[name]; twice && q.format != rows {
				t.Errorf("%s draws two lines %q: %v and %v", of.title, name, other.labels, l.labels)
			}
			all[name] = l
		}
	}
	return all
}

// legend names a line.
func legend(q query, labels map[string]string) string {
	if q.legend == "" {
		return q.expr + fmt.Sprint(labels)
	}
	return inLegend.ReplaceAllStringFunc(q.legend, func(name string) string { return labels[inLegend.FindStringSubmatch(name)[1]] })
}

// run runs a query at the end of the span, or over it.
func (p *server) run(t *testing.T, q query, over span) []line {
	t.Helper()
	expr := p.fill(q.expr, over.step)
	if q.format == instant || q.format == rows {
		return p.ask(t, "query", url.Values{"query": {expr}, "time": {unix(over.to)}})
	}
	return p.ask(t, "query_range", url.Values{
		"query": {expr}, "start": {unix(over.from)}, "end": {unix(over.to)}, "step": {fmt.Sprint(over.step.Seconds())},
	})
}

func unix(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// ask fails the test where Prometheus complains.
func (p *server) ask(t *testing.T, path string, values url.Values) []line {
	t.Helper()
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any
			Values [][2]any
		}
	}
	if !p.get(t, "/api/v1/"+path+"?"+values.Encode(), &data) {
		t.Errorf("asked for %s", values.Get("query"))
		return nil
	}
	var all []line
	for _, series := range data.Result {
		l := line{labels: series.Metric, values: map[float64]float64{}}
		if series.Value[0] != nil {
			series.Values = append(series.Values, series.Value)
		}
		for _, sample := range series.Values {
			at, _ := sample[0].(float64)
			text, _ := sample[1].(string)
			if value, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(value) && !math.IsInf(value, 0) {
				l.values[at] = value
			}
		}
		if len(l.values) > 0 {
			all = append(all, l)
		}
	}
	return all
}

// labelValues are what label_values gives to a variable.
func (p *server) labelValues(t *testing.T, query string, over span) (all []string) {
	t.Helper()
	inner := strings.TrimSuffix(strings.TrimPrefix(query, "label_values("), ")")
	cut := strings.LastIndex(inner, ", ")
	p.get(t, "/api/v1/label/"+inner[cut+2:]+"/values?"+url.Values{
		"match[]": {p.fill(inner[:cut], over.step)}, "start": {unix(over.from)}, "end": {unix(over.to)},
	}.Encode(), &all)
	return all
}

func (p *server) get(t *testing.T, path string, data any) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := new(http.Client).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Status != "success" {
		t.Errorf("Prometheus: %s %s %v", response.Status, answer.Error, err)
		return false
	}
	return true
}
