// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

var driverMissing = Trap{
	Name: "postgresql_driver_missing", Severe: true,
	Why: "ejabberd does not reach its database without it; Debian's package only suggests it",
	Fix: "apt install erlang-p1-pgsql",
	Look: func(_ context.Context, src *Sources) ([]string, error) {
		if len(src.Config.Databases) == 0 {
			return nil, nil
		}
		return missingLibrary("p1_pgsql", "ejabberd keeps data in PostgreSQL, but its driver is not installed")
	},
}

var oauthMissing = Trap{
	Name: "oauth_library_missing", Severe: true,
	Why: "every request for a token ends in an internal error; Debian's package only suggests the library",
	Fix: "apt install erlang-p1-oauth2",
	Look: func(_ context.Context, src *Sources) ([]string, error) {
		if !src.Config.Policy.OAuth {
			return nil, nil
		}
		return missingLibrary("p1_oauth2", "OAuth is configured, but its library is not installed")
	},
}

// missingLibrary looks where Debian installs Erlang libraries. Of an ejabberd from elsewhere nothing is said: it brings its own.
func missingLibrary(name, found string) ([]string, error) {
	if ejabberd, _ := filepath.Glob("/usr/lib/*/ejabberd-*/ebin"); len(ejabberd) == 0 {
		return nil, errors.New("ejabberd is not Debian's: where its libraries are is not known")
	}
	if libraries, _ := filepath.Glob("/usr/lib/erlang/lib/" + name + "-*/ebin"); len(libraries) > 0 {
		return nil, nil
	}
	return []string{found}, nil
}

// painters are ImageMagick's programs, one of which a captcha script calls.
var painters = []string{"convert", "magick"}

var captchaBroken = Trap{
	Name: "captcha_program_missing", Severe: true,
	Why: "no picture, no registration, though it is offered; from 26.07 on ejabberd does not even start",
	Fix: "apt install imagemagick, and captcha_cmd: PATH of a script that ejabberd may run",
	Look: func(_ context.Context, src *Sources) ([]string, error) {
		command := src.Config.Policy.CaptchaCommand
		if command == "" {
			return nil, nil
		}
		script, err := beginning(command)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return []string{"captcha_cmd names a program that does not exist"}, nil
		case err != nil:
			return nil, fmt.Errorf("captcha_cmd can not be looked at: run the doctor as root: %w", cause(err))
		case !bytes.HasPrefix(script, []byte("#!")):
			return nil, nil // a program: it needs what it needs
		}
		calls := slices.DeleteFunc(slices.Clone(painters), func(name string) bool { return !bytes.Contains(script, []byte(name+" ")) })
		if len(calls) > 0 && !slices.ContainsFunc(calls, installed) {
			return []string{"captcha_cmd is a script that calls ImageMagick, which is not installed"}, nil
		}
		return nil, nil
	},
}

// installed tells whether a program is where ejabberd would look for it.
func installed(program string) bool {
	return slices.ContainsFunc([]string{"/usr/local/bin", "/usr/bin", "/bin"}, func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, program))
		return err == nil
	})
}

// beginning reads as much of a file as a script is long.
func beginning(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, 64<<10))
}

// cause is an error without the path that it happened to.
func cause(err error) error {
	if bad := (*fs.PathError)(nil); errors.As(err, &bad) {
		return bad.Err
	}
	return err
}
