// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// option is one flag of the command line.
type option struct {
	name, help string
	short      byte // one-letter flag, 0 for none
	shown      string
	set        func(string) error
	bare, list bool // takes no value; may be repeated
	given      bool
}

// negative is a value that looks like a flag.
var negative = regexp.MustCompile(`^-[0-9]`)

// readArguments sets what the words of a command line say: --name value, --name=value, --no-name for a switch, -n value, -nvalue,
// several switches in one word. There are no positional arguments, and no word is ever the name of a file of arguments.
func readArguments(options []option, args []string) error {
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		var err error
		switch {
		case strings.HasPrefix(word, "--") && len(word) > 2:
			args, err = readLong(options, word, args)
		case strings.HasPrefix(word, "-") && word != "--" && len(word) > 1:
			args, err = readShort(options, word[1:], args)
		default:
			err = fmt.Errorf("unexpected argument %q: everything has a flag", word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readLong(options []option, word string, args []string) (rest []string, err error) {
	name, value, glued := strings.Cut(word[2:], "=")
	o := find(options, func(o option) bool { return o.name == name })
	if positive, no := strings.CutPrefix(name, "no-"); o == nil && no && !glued {
		if o = find(options, func(o option) bool { return o.name == positive && o.bare }); o != nil {
			return args, o.take(word, "false")
		}
	}
	switch {
	case o == nil:
		return nil, fmt.Errorf("unknown long flag '--%s'", name)
	case o.bare && !glued:
		return args, o.take(word, "true")
	case glued:
		return args, o.take("--"+name, value)
	}
	return o.takeNext(word, args)
}

// readShort reads the letters of one word. The first that takes a value takes the rest of the word, or the next one.
func readShort(options []option, letters string, args []string) (rest []string, err error) {
	for i := range len(letters) {
		letter := letters[i]
		o := find(options, func(o option) bool { return o.short == letter })
		switch {
		case o == nil:
			return nil, fmt.Errorf("unknown short flag '-%c'", letter)
		case !o.bare && i+1 < len(letters):
			return args, o.take("-"+string(letter), letters[i+1:])
		case !o.bare:
			return o.takeNext("-"+string(letter), args)
		}
		if err := o.take("-"+string(letter), "true"); err != nil {
			return nil, err
		}
	}
	return args, nil
}

func find(options []option, is func(option) bool) *option {
	at := slices.IndexFunc(options, is)
	if at < 0 {
		return nil
	}
	return &options[at]
}

// takeNext takes the next word. One that starts with a dash is the next flag, unless it is a number: -w -5:5.
func (o *option) takeNext(as string, args []string) (rest []string, err error) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") && args[0] != "-" && !negative.MatchString(args[0]) {
		return nil, fmt.Errorf("expected argument for flag '%s'", as)
	}
	return args[1:], o.take(as, args[0])
}

func (o *option) take(as, value string) error {
	if o.given && !o.list {
		return fmt.Errorf("flag '%s' cannot be repeated", as)
	}
	o.given = true
	return o.set(value)
}

// optionOf makes an option of a value as the standard flag package has them.
func optionOf(v flag.Value, short byte, name, help string) option {
	return option{name: name, help: help, short: short, shown: v.String(), set: v.Set}
}
