// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/probes"
)

// rangeFlag fills the limit of a threshold. Percent is for figures that have a whole.
type rangeFlag struct{ *threshold }

func (f rangeFlag) String() string {
	if f.limit == nil {
		return "RANGE"
	}
	return f.limit.String()
}

func (f rangeFlag) Set(text string) error {
	limit, err := ParseRange(text)
	if err != nil {
		return err
	}
	if limit.Percent && f.figure.Whole == nil {
		return fmt.Errorf("range %q: %s cannot be given in percent", text, f.Figure)
	}
	f.limit = &limit
	return nil
}

// timeoutFlag is a positive duration; a bare number is seconds.
type timeoutFlag time.Duration

func (t *timeoutFlag) String() string { return time.Duration(*t).String() }

func (t *timeoutFlag) Set(text string) error {
	d, err := time.ParseDuration(text)
	if number.MatchString(text) {
		var seconds float64
		seconds, err = strconv.ParseFloat(text, 64)
		d = time.Duration(min(seconds*float64(time.Second), math.MaxInt32*float64(time.Second)))
	}
	if err != nil || d < time.Millisecond {
		return fmt.Errorf("timeout %q: want seconds or a duration, such as 10 or 10s", text)
	}
	*t = timeoutFlag(d)
	return nil
}

// stateFlag is a state by name or exit code.
type stateFlag probes.State

func (s *stateFlag) String() string { return strings.ToLower(probes.State(*s).String()) }

func (s *stateFlag) Set(text string) error {
	for state := probes.OK; state <= probes.Unknown; state++ {
		if strings.EqualFold(text, state.String()) || text == strconv.Itoa(int(state)) {
			*s = stateFlag(state)
			return nil
		}
	}
	return fmt.Errorf("state %q: want ok, warning, critical or unknown", text)
}

// outputFlag is one of the formats.
type outputFlag string

func (o *outputFlag) String() string { return string(*o) }

func (o *outputFlag) Set(text string) error {
	switch text {
	case "nagios", "json", "prometheus":
		*o = outputFlag(text)
		return nil
	}
	return fmt.Errorf("output %q: must be one of nagios, json, prometheus", text)
}

// short is the one-letter flag of a threshold, 0 for none.
func (t threshold) short() byte {
	if t.Flag == "warning" || t.Flag == "critical" {
		return t.Flag[0]
	}
	return 0
}
