// SPDX-License-Identifier: Apache-2.0

// Command papers writes what Debian wants to lie beside a program: its manual page, the copyright of everything that is linked into
// it, its changelog; and docs/dependencies.md, which is about the same.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "papers:", err)
		os.Exit(1)
	}
}

// run writes one paper. The date of all of them is that of the commit: the same source gives the same packages.
func run(args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) == 2 && args[0] == "dependencies" {
		return dependencies(context.Background(), args[1], stdout)
	}
	usage := errors.New("usage: papers dependencies DIRECTORY | manual NAME VERSION DATE <help-man | copyright DIRECTORY PACKAGE... | changelog PACKAGE VERSION DATE <CHANGELOG.md")
	if len(args) < 3 {
		return usage
	}
	if args[0] == "copyright" {
		return copyright(context.Background(), args[1], args[2:], stdout)
	}
	if len(args) != 4 {
		return usage
	}
	date, err := time.Parse(time.DateOnly, args[3])
	if err != nil {
		return fmt.Errorf("the date: %w", err)
	}
	text, err := io.ReadAll(stdin)
	if err != nil {
		return err
	}
	written := ""
	switch args[0] {
	case "manual":
		written, err = manual(string(text), args[1], args[2], date)
	case "changelog":
		written, err = changelog(string(text), args[1], args[2], date)
	default:
		err = usage
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, written)
	return err
}
