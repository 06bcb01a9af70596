// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// module is somebody else's work that ends up in a program.
type module struct{ path, version, dir string }

// copyright writes Debian's copyright file for programs, which are packages of the module in dir: our own licence, then those of
// every module that is linked in, and of Go itself.
func copyright(ctx context.Context, dir string, programs []string, w io.Writer) error {
	modules, err := linked(ctx, dir, programs)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	_, _ = out.WriteString(`Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ejabberd_exporter
Source: https://github.com/chapril/ejabberd_exporter
Comment: The programs are linked statically. The paragraphs after the first are about the modules in them, by import path.

Files: *
Copyright: the authors of ejabberd_exporter
License: Apache-2.0
` + apache) // Flush tells what failed
	for _, m := range modules {
		if err := m.write(out); err != nil {
			return err
		}
	}
	return out.Flush()
}

// apache is how Debian has this licence told: it lies on every system.
const apache = ` On Debian systems, the text of the Apache License 2.0 is in
 /usr/share/common-licenses/Apache-2.0.
`

// linked are the modules in the programs, and Go's standard library. They are the same on all architectures that we build for.
func linked(ctx context.Context, dir string, programs []string) ([]module, error) {
	const form = "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}"
	list := exec.CommandContext(ctx, "go", append([]string{"list", "-deps", "-f", form}, programs...)...) //nolint:gosec // packaging/build names them
	list.Dir, list.Stderr = dir, os.Stderr
	text, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	all := []module{{"the standard library of Go", runtime.Version(), strings.TrimSpace(string(root))}}
	for line := range strings.Lines(string(text)) {
		if part := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(part) == 3 {
			all = append(all, module{part[0], part[1], part[2]})
		}
	}
	slices.SortFunc(all[1:], func(a, b module) int { return cmp.Compare(a.path, b.path) })
	return slices.Compact(all), nil
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([-.]\w+)*$`)
	holder      = regexp.MustCompile(`(?mi)^[ \t]*(?:copyright:?[ \t]+)(.*\S)[ \t]*$`)
)

// write writes a module's paragraph. A licence that is not known is an error: somebody has to read it.
func (m module) write(w io.Writer) error {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return fmt.Errorf("%s: %w", m.path, err)
	}
	var names, holders []string
	var texts bytes.Buffer
	for _, entry := range entries {
		if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.dir, entry.Name()))
		if err != nil {
			return fmt.Errorf("%s: %w", m.path, err)
		}
		found := licences(string(text))
		if slices.Equal(found, []string{"Apache-2.0"}) {
			texts.WriteString(apache)
		} else {
			texts.Write(continued(string(text)))
			for _, match := range holder.FindAllStringSubmatch(string(text), -1) {
				holders = append(holders, match[1])
			}
		}
		for _, name := range found {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("%s %s: no licence that is known in %s: read it, and name it in licences", m.path, m.version, m.dir)
	}
	if len(holders) == 0 {
		holders = []string{"the authors of " + m.path}
	}
	slices.Sort(holders)
	_, err = fmt.Fprintf(w, "\nFiles: %s/*\nCopyright: %s\nComment: version %s\nLicense: %s\n%s",
		strings.ReplaceAll(m.path, " ", "-"), strings.Join(slices.Compact(holders), "\n "), m.version, strings.Join(names, " and "), texts.Bytes())
	return err
}

// licences tells which licences a text holds.
func licences(text string) (names []string) {
	text = strings.Join(strings.Fields(text), " ")
	has := func(words string) bool { return strings.Contains(text, words) }
	if has("Apache License, Version 2.0") || has("Apache License Version 2.0") {
		names = append(names, "Apache-2.0")
	}
	if has("Permission is hereby granted, free of charge, to any person obtaining a copy") {
		names = append(names, "Expat")
	}
	if has("Permission to use, copy, modify, and distribute this software for any purpose") ||
		has("Permission to use, copy, modify, and/or distribute this software for any purpose") {
		names = append(names, "ISC")
	}
	if has("Redistribution and use in source and binary forms") {
		if has("Neither the name") {
			names = append(names, "BSD-3-clause")
		} else {
			names = append(names, "BSD-2-clause")
		}
	}
	return names
}

// continued writes a text as the continuation of a field.
func continued(text string) []byte {
	var b bytes.Buffer
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		line = strings.TrimRight(line, " \t\r\n")
		b.WriteString(" " + cmp.Or(line, ".") + "\n")
	}
	return b.Bytes()
}
