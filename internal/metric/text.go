// SPDX-License-Identifier: Apache-2.0

package metric

import (
	"strconv"
	"strings"
)

// write adds the sample's lines in the text format of Prometheus.
func (s *Sample) write(b *strings.Builder) {
	if s.Metric.Kind != Histogram {
		s.line(b, "", "", s.Value)
		return
	}
	count := 0.0
	for i, n := range s.Buckets {
		count += n
		le := "+Inf"
		if i < len(s.Metric.Buckets) {
			le = format(s.Metric.Buckets[i])
		}
		s.line(b, "_bucket", le, count)
	}
	s.line(b, "_sum", "", s.Sum)
	s.line(b, "_count", "", count)
}

func (s *Sample) line(b *strings.Builder, suffix, le string, value float64) {
	b.WriteString(s.Metric.Name + suffix)
	pairs := make([]string, 0, len(s.Labels)+1)
	for i, v := range s.Labels {
		pairs = append(pairs, s.Metric.Labels[i].Name+"="+quote(v))
	}
	if le != "" {
		pairs = append(pairs, `le="`+le+`"`)
	}
	if len(pairs) > 0 {
		b.WriteString("{" + strings.Join(pairs, ",") + "}")
	}
	b.WriteString(" " + format(value) + "\n")
}

func format(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

var escape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func quote(v string) string { return `"` + escape.Replace(v) + `"` }
