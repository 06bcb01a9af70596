// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"flag"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/probes"
)

// settingFlag shows a probe's setting to kingpin.
type settingFlag struct {
	flag.Value
	isBool, isList bool
}

func (s settingFlag) IsBoolFlag() bool   { return s.isBool }
func (s settingFlag) IsCumulative() bool { return s.isList }

// rangeFlag fills the limit of a threshold. Percent is for figures that have a whole.
type rangeFlag struct{ *threshold }

func (f rangeFlag) String() string {
	if f.limit == nil {
		return ""
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

var negative = regexp.MustCompile(`^-[0-9]`)

// joinNegative writes "-w -5:5" as "-w-5:5" and "--warning -5:5" as "--warning=-5:5": kingpin takes a word that starts with a
// dash for the next flag.
func joinNegative(args []string, thresholds []threshold) []string {
	joined := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		glue, found := "", false
		for _, t := range thresholds {
			switch {
			case args[i] == "--"+t.Flag:
				glue, found = "=", true
			case t.short() != 0 && args[i] == "-"+string(t.short()):
				glue, found = "", true
			}
		}
		if found && i+1 < len(args) && negative.MatchString(args[i+1]) {
			joined = append(joined, args[i]+glue+args[i+1])
			i++
			continue
		}
		joined = append(joined, args[i])
	}
	return joined
}

// short is the one-letter flag of a threshold, 0 for none.
func (t threshold) short() rune {
	if t.Flag == "warning" || t.Flag == "critical" {
		return rune(t.Flag[0])
	}
	return 0
}
