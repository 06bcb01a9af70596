// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"fmt"
	"strings"
)

// width of what --help writes.
const width = 80

// paragraphs say what a plugin proves and how to read it.
func paragraphs(p Plugin) []string {
	return []string{
		p.Help + ".",
		"Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. A wrong flag, a missing file, --help and --version are UNKNOWN. " + p.Trouble,
		`Ranges are those of the Monitoring Plugins: the alarm is raised outside start:end, ends included, or inside @start:end; "~" is ` +
			"minus infinity. 10 is 0:10, 10: is ten or more. " + p.Ranges,
	}
}

// helpText is what --help writes.
func helpText(p Plugin, options []option) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s [FLAGS]\n", p.synopsis())
	for _, text := range paragraphs(p) {
		b.WriteString("\n" + wrap(text, width, "") + "\n")
	}
	b.WriteString("\nExamples:\n\n")
	for _, call := range p.Calls {
		b.WriteString("  " + strings.TrimSpace(p.Name+" "+call) + "\n")
	}
	b.WriteString("\nFlags:\n")
	const column = 31
	for _, o := range options {
		if o.help == "" {
			continue
		}
		left := "  " + o.title("    ") + "  "
		if len(left) > column {
			left = strings.TrimRight(left, " ") + "\n" + strings.Repeat(" ", column)
		}
		fmt.Fprintf(&b, "%-*s%s\n", column, left, wrap(o.sentence(), width-column, strings.Repeat(" ", column)))
	}
	return b.String()
}

func (p Plugin) synopsis() string {
	if p.Domain {
		return p.Name + " --domain=DOMAIN"
	}
	return p.Name
}

// title is the flag as one writes it: "-t, --timeout=10s", with an indent in place of the short flag where there is none.
func (o option) title(indent string) string {
	if o.short != 0 {
		indent = "-" + string(o.short) + ", "
	}
	title := indent + "--" + o.name
	switch {
	case o.bare:
		return title
	case o.shown != "":
		return title + "=" + o.shown
	}
	return title + "=" + strings.ToUpper(o.name)
}

// sentence says what the flag is for.
func (o option) sentence() string {
	if o.list && !o.bare {
		return o.help + "; may be repeated."
	}
	return o.help + "."
}

// wrap breaks a text into lines; those after the first are indented.
func wrap(text string, width int, indent string) string {
	var b strings.Builder
	used := 0
	for i, word := range strings.Fields(text) {
		switch n := len([]rune(word)); {
		case i == 0:
			used = n
		case used+1+n <= width:
			b.WriteString(" ")
			used += 1 + n
		default:
			b.WriteString("\n" + indent)
			used = n
		}
		b.WriteString(word)
	}
	return b.String()
}

// manual is a manual page.
func manual(p Plugin, options []option) string {
	quote := strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`)
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"ejabberd_exporter %s\"\n.SH NAME\n%s \\- %s\n", strings.ToUpper(p.Name), buildVersion(), p.Name, quote.Replace(p.Help))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n[FLAGS]\n.SH DESCRIPTION\n", quote.Replace(p.synopsis()))
	for i, text := range paragraphs(p) {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		b.WriteString(quote.Replace(text) + "\n")
	}
	b.WriteString(".SH OPTIONS\n")
	for _, o := range options {
		if o.help != "" {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", quote.Replace(o.title("")), quote.Replace(o.sentence()))
		}
	}
	b.WriteString(".SH EXAMPLES\n.nf\n")
	for _, call := range p.Calls {
		b.WriteString(quote.Replace(strings.TrimSpace(p.Name+" "+call)) + "\n")
	}
	return b.String() + ".fi\n"
}

// bashCompletion and zshCompletion are scripts that complete the flags of a plugin, and file names after them.
func bashCompletion(p Plugin, options []option) string {
	return fmt.Sprintf("complete -o default -W '%s' %s\n", strings.Join(longFlags(options), " "), p.Name)
}

func zshCompletion(p Plugin, options []option) string {
	return fmt.Sprintf("#compdef %s\nif [[ $PREFIX == -* ]]; then\n\tcompadd -- %s\nelse\n\t_files\nfi\n", p.Name, strings.Join(longFlags(options), " "))
}

func longFlags(options []option) (names []string) {
	for _, o := range options {
		if o.help != "" {
			names = append(names, "--"+o.name)
		}
	}
	return names
}
