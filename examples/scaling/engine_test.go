// SPDX-License-Identifier: Apache-2.0

package scaling_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// engine is what holds the whole: it takes remote writes and answers queries.
type engine struct {
	name        string
	base, write string
	rules       bool // it evaluates global.rules.yml by itself
}

// prometheusEngine is Prometheus with its remote-write receiver and the global rules.
func prometheusEngine(t *testing.T, dir string) engine {
	t.Helper()
	rules, err := filepath.Abs("global.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "global.yml")
	if err := os.WriteFile(config, []byte("global: {evaluation_interval: 2s}\nrule_files: ["+rules+"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := service.StartPrometheus(ctx, filepath.Join(dir, "global"), config, "--web.enable-remote-write-receiver")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return engine{"Prometheus", p.URL, p.URL + "/api/v1/write", true}
}

// victoriaMetrics is VictoriaMetrics as make test-scaling builds it. Its ruler, vmalert, needs a module that no proxy had: the test
// asks for the rules' expressions itself.
func victoriaMetrics(t *testing.T, dir string) engine {
	t.Helper()
	address := freeAddress(t)
	launch(t, "../../bin/tools/victoria-metrics", "-httpListenAddr="+address, "-storageDataPath="+filepath.Join(dir, "victoria"),
		"-retentionPeriod=1d", "-search.latencyOffset=1s", "-memory.allowedBytes=256MB")
	awaitOK(t, "http://"+address+"/health")
	return engine{"VictoriaMetrics", "http://" + address, "http://" + address + "/api/v1/write", false}
}

// series is one answer of a query.
type series struct {
	Metric map[string]string
	Value  [2]any // time, text
}

func (s series) number() float64 {
	text, _ := s.Value[1].(string)
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return -1
	}
	return n
}

// query asks an engine, or a shard, now.
func query(base, expression string) ([]series, error) {
	var answer struct {
		Status, Error string
		Data          struct{ Result []series }
	}
	if err := getJSON(base+"/api/v1/query?query="+url.QueryEscape(expression), &answer); err != nil {
		return nil, err
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", expression, answer.Error)
	}
	return answer.Data.Result, nil
}

// number asks for one number; nothing is 0.
func number(base, expression string) (float64, error) {
	found, err := query(base, expression)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	if len(found) > 1 {
		return 0, fmt.Errorf("%s has %d answers", expression, len(found))
	}
	return found[0].number(), nil
}

// equals is for eventually.
func equals(base, expression string, want float64) func() error {
	return func() error {
		got, err := number(base, expression)
		if err == nil && got != want {
			err = fmt.Errorf("%s is %v, want %v", expression, got, want)
		}
		return err
	}
}

func getJSON(url string, into any) error {
	text, err := fetch(url)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func fetch(url string) ([]byte, error) {
	answer, err := http.Get(url) //nolint:forbidigo // a test
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return text, err
}
