// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// goBenchmarks are those of rooms whose speed is promised.
var goBenchmarks = []struct{ room, name string }{
	{"internal/ejabberd", "ConnectedUsersInfo"},
	{"internal/events", "Read"},
	{"internal/logfile", "Log"},
}

// goBench runs Go's own benchmarks and gives their medians.
func (b *bench) goBench(ctx context.Context, p *part) error {
	times := b.shorter(6)
	var rows [][]string
	for _, g := range goBenchmarks {
		text, err := exec.CommandContext(ctx, "go", "test", "-run=^$", "-bench=^Benchmark"+g.name+"$", "-benchmem", "-count="+strconv.Itoa(times), "./"+g.room).CombinedOutput()
		if err != nil {
			return fmt.Errorf("go test %s: %w: %s", g.room, err, text)
		}
		var names []string
		all := map[string]map[string]sample{}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
				continue
			}
			if all[fields[0]] == nil {
				all[fields[0]] = map[string]sample{}
				names = append(names, fields[0])
			}
			for i := 2; i+1 < len(fields); i += 2 {
				if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
					all[fields[0]][fields[i+1]] = append(all[fields[0]][fields[i+1]], v)
				}
			}
		}
		for _, name := range names {
			var units []string
			for unit, s := range all[name] {
				units = append(units, fmt.Sprintf("%.4g %s", s.median(), unit))
			}
			slices.Sort(units)
			rows = append(rows, []string{g.room, "`" + name + "`", strings.Join(units, ", ")})
		}
	}
	p.write("\nMedians of %d.\n", times)
	p.table([]string{"room", "benchmark", "result"}, rows)
	return nil
}
