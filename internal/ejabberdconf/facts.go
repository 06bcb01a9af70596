// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// factsVersion is the form of the facts file. It grows when a reader of the old form would misunderstand the new one.
const factsVersion = 2

// facts is the facts file: its version, then the fields of Config.
type facts struct {
	Facts int `json:"facts"`
	*Config
}

// Write writes the facts as JSON, for ReadFacts.
func (c *Config) Write(w io.Writer) error {
	text, err := json.MarshalIndent(facts{factsVersion, c}, "", "  ")
	if err != nil {
		return fmt.Errorf("facts: %w", err)
	}
	if _, err := w.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("write facts: %w", err)
	}
	return nil
}

// ReadFacts reads what Write wrote. It is strict: a field that this version does not know may matter.
func ReadFacts(path string) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("facts: %w", err)
	}
	const again = "write it again with ejabberd_exporter --discover"
	var version struct {
		Facts int `json:"facts"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return nil, fmt.Errorf("facts: %s: not JSON: %s", path, again)
	}
	if version.Facts != factsVersion {
		return nil, fmt.Errorf("facts: %s: form %d, but this exporter reads form %d: %s", path, version.Facts, factsVersion, again)
	}
	read := facts{Config: &Config{}}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&read); err != nil {
		return nil, fmt.Errorf("facts: %s: %w: %s", path, err, again)
	}
	if len(read.Hosts) == 0 && read.Path != "" { // without either there was no ejabberd
		return nil, fmt.Errorf("facts: %s: no hosts: %s", path, again)
	}
	return read.Config, nil
}
