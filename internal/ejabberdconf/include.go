// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// maxFiles bounds the files of one configuration: two files that include each other twice would never end.
const maxFiles = 1000

// load reads the main file and those that contributed modules bring along. Each has macros of its own.
func (r *reader) load(path string) (*options, error) {
	paths := []string{path}
	if dir := r.ctl["CONTRIB_MODULES_CONF_DIR"]; dir != "" {
		for _, pattern := range []string{"*.yml", "*.yaml"} {
			more, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				continue // no directory by that name
			}
			paths = append(paths, more...)
		}
	}
	var all []entry
	for _, path := range paths {
		m := &macros{}
		entries, err := r.file(path, m, nil)
		if err != nil {
			return nil, err
		}
		if err := m.collect(entries, r.ctl.macros()); err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	return newOptions(all), nil
}

// file reads one file: its options, with those of included files in the place of include_config_file.
func (r *reader) file(path string, m *macros, within []string) ([]entry, error) {
	if slices.Contains(within, path) {
		return nil, fmt.Errorf("%s: includes itself", path)
	}
	if r.files++; r.files > maxFiles {
		return nil, fmt.Errorf("%s: more than %d files are included", path, maxFiles)
	}
	text, err := r.readFile(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if path != r.Path && !slices.Contains(r.Files, path) {
		r.Files = append(r.Files, path)
	}
	root, err := parse(path, text, m)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, e := range root.entries() {
		if e.key != "include_config_file" {
			entries = append(entries, e)
			continue
		}
		included, err := r.include(e.value, append(within[:len(within):len(within)], path))
		if err != nil {
			return nil, err
		}
		entries = append(entries, included...)
	}
	return entries, nil
}

// include reads what include_config_file names: a path, a list of them, or a map from path to which options are taken.
func (r *reader) include(n node, within []string) ([]entry, error) {
	files := n.entries()
	if n.resolved().yaml.Kind != yaml.MappingNode {
		for _, item := range n.items() {
			name, _ := item.text()
			files = append(files, entry{key: name, value: item.with(&yaml.Node{Line: item.yaml.Line})})
		}
	}
	var all []entry
	for _, f := range files {
		if filepath.Ext(f.key) == ".cfg" {
			r.notef("%s: the included file is in the Erlang form of old, which is not supported: its options are missing here", f.value.position())
			continue
		}
		entries, err := r.included(f, within)
		if err != nil {
			return nil, err
		}
		all = append(all, filtered(entries, f.value)...)
	}
	return all, nil
}

// included reads one included file. A relative path is looked up in ejabberd's working directory, where ejabberdctl starts it,
// and then beside the main file. fs.ErrNotExist is not passed on: only of the main file does it mean that no ejabberd is here.
func (r *reader) included(f entry, within []string) ([]entry, error) {
	if f.key == "" {
		return nil, fmt.Errorf("%s: include_config_file is not understood: want paths", f.value.position())
	}
	paths := []string{filepath.Clean(f.key)}
	if !filepath.IsAbs(f.key) {
		paths = []string{filepath.Join(r.ctl.spool(), f.key), filepath.Join(filepath.Dir(r.Path), f.key)}
	}
	failure := fmt.Errorf("%s: the included file does not exist", f.value.position())
	for _, path := range paths {
		entries, err := r.file(path, f.value.macros, within)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, fs.ErrPermission):
			failure = err // the spool directory may be closed to us and the file beside the main file
		default:
			return entries, err
		}
	}
	return nil, failure
}

// filtered applies allow_only or disallow to the options of an included file.
func filtered(entries []entry, filter node) []entry {
	var allow, disallow []string
	for _, f := range filter.entries() {
		for _, n := range f.value.items() {
			switch option, _ := n.text(); f.key {
			case "allow_only":
				allow = append(allow, option)
			case "disallow":
				disallow = append(disallow, option)
			}
		}
	}
	return slices.DeleteFunc(entries, func(e entry) bool {
		if len(allow) > 0 {
			return !slices.Contains(allow, e.key)
		}
		return slices.Contains(disallow, e.key)
	})
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+):`)

// parse says of broken YAML only where it is: what the parser says may quote the file.
func parse(path string, text []byte, m *macros) (node, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
			return node{}, fmt.Errorf("%s:%s: not valid YAML at or shortly before this line", path, found[1])
		}
		return node{}, fmt.Errorf("%s: not valid YAML", path)
	}
	root := node{yaml: &yaml.Node{}, path: path, macros: m}
	if len(document.Content) == 0 {
		return root, nil // an empty file
	}
	root = root.with(document.Content[0])
	if root.yaml.Kind != yaml.MappingNode && !root.empty() {
		return node{}, fmt.Errorf("%s: not a configuration of ejabberd: want a map of options", root.position())
	}
	return root, nil
}
