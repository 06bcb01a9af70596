// SPDX-License-Identifier: Apache-2.0

// Dashboards writes the Grafana boards that lie beside it, from the declarations of the metrics.
//
// It is a module of its own, so that what it needs stays out of the exporter's. `make dashboards` runs it.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	dir := flag.String("dir", ".", "where to write the boards")
	flag.Parse()
	if err := write(*dir); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

// write writes a file for each board, and the exceptions from the linter's rules.
func write(dir string) error {
	files, err := rendered()
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil { //nolint:gosec // boards are for everybody
			return err
		}
	}
	return nil
}

// rendered are the files that this program writes, by name.
func rendered() (map[string][]byte, error) {
	files := map[string][]byte{"lint.yml": lintConfig(boards())}
	for _, b := range boards() {
		text, err := b.render()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
		files[b.file()] = text
	}
	return files, nil
}

// boards is the table of contents.
func boards() []board {
	return []board{
		overview(),
		accounts(),
		abuse(),
		sessions(),
		usage(),
		federation(),
		uploads(),
		storage(),
		probing(),
		exporter(),
	}
}
