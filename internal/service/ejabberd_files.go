// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
)

// write makes the directories and configuration files of the node.
func (e *Ejabberd) write(dns int) error {
	for _, sub := range []string{".", "home", "spool", "logs"} {
		if err := makeDir(filepath.Join(e.Dir, sub), ejabberdAccount); err != nil {
			return err
		}
	}
	if err := makeDir(e.Config.UploadDir, ejabberdAccount); err != nil {
		return err
	}
	if err := e.writeCookie(); err != nil {
		return err
	}
	captcha, err := e.writeCaptcha()
	if err != nil {
		return err
	}
	// Without the second line Erlang keeps reading the name servers of /etc/resolv.conf, and takes those.
	inetrc := fmt.Sprintf("{lookup,[\"file\",\"dns\"]}.\n{resolv_conf,\"\"}.\n{nameserver,{127,0,0,1},%d}.\n", dns)
	inetrc += fmt.Sprintf("{host,{127,0,0,1},[\"%s\"]}.\n", strings.Join(clusterHosts, `","`))
	if err := e.file("inetrc", inetrc, 0o644); err != nil {
		return err
	}
	// As root ejabberdctl goes through su, which sets HOME and so loses the cookie.
	ctl := "export " + strings.Join(e.environment(), "\nexport ") + "\n" + `ERL_OPTIONS="-setcookie $(cat "$HOME/.erlang.cookie")"` + "\n"
	if err := e.file("ejabberdctl.cfg", ctl, 0o644); err != nil {
		return err
	}
	return settings{Config: e.Config, AdminSocket: e.adminSocket(), CaptchaCommand: captcha}.write(e.ConfigPath)
}

// environment is what Debian's ejabberdctl would set. ejabberdctl.cfg says the same, so that people can reach this node with
// ejabberdctl --config-dir DIR.
func (e *Ejabberd) environment() []string {
	return []string{
		"HOME=" + filepath.Join(e.Dir, "home"), // holds the cookie
		"ERLANG_NODE=" + e.Node,
		"EJABBERD_CONFIG_PATH=" + e.ConfigPath,
		"EJABBERD_LOG_PATH=" + e.LogPath(),
		"SPOOL_DIR=" + filepath.Join(e.Dir, "spool"),
		"LOGS_DIR=" + filepath.Join(e.Dir, "logs"),
		"ERL_LIBS=" + ejabberdLibs(e.Config.Root),
		"ERL_INETRC=" + filepath.Join(e.Dir, "inetrc"),
		"ERL_EPMD_ADDRESS=127.0.0.1",
		fmt.Sprintf("ERL_EPMD_PORT=%d", e.epmdPort),
		"INET_DIST_INTERFACE=127.0.0.1",
		"ERL_CRASH_DUMP_BYTES=0",
		"ERL_MAX_PORTS=32000",
	}
}

// ejabberdLibs is the directory that holds ejabberd's own code: it carries the name of the processor.
func ejabberdLibs(root Root) string {
	found := root.glob("/usr/lib/*/ejabberd-*/ebin")
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(filepath.Dir(found[0]))
}

// writeCookie writes the secret that the nodes of a cluster share.
func (e *Ejabberd) writeCookie() error {
	const name = "home/.erlang.cookie"
	secret := cookie()
	if e.Config.Joins != nil {
		shared, err := os.ReadFile(filepath.Join(e.Config.Joins.Dir, name))
		if err != nil {
			return fmt.Errorf("read the cluster's cookie: %w", err)
		}
		secret = string(shared)
	}
	return e.file(name, secret, 0o400)
}

// cookie makes a secret. From 24.12 on a part of its hash gets into the file names of Unix sockets as base64, and ejabberd does
// not start when there is a slash in it.
func cookie() string {
	for {
		secret := rand.Text()
		hash := sha1.Sum([]byte(secret))
		if !strings.Contains(base64.StdEncoding.EncodeToString(append(make([]byte, 8), hash[1:9]...)), "/") {
			return secret
		}
	}
}

func (e *Ejabberd) file(name, text string, mode os.FileMode) error {
	path := filepath.Join(e.Dir, name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return giveTo(path, ejabberdAccount)
}

// writeCaptcha writes a captcha_cmd that prints one dot and leaves the answer beside it: ejabberd only wants to see a
// picture, whatever is on it.
func (e *Ejabberd) writeCaptcha() (path string, err error) {
	var dot bytes.Buffer
	if err := png.Encode(&dot, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		return "", fmt.Errorf("paint a captcha: %w", err)
	}
	if err := e.file("captcha.png", dot.String(), 0o644); err != nil {
		return "", err
	}
	script := fmt.Sprintf("#!/bin/sh\nprintf %%s \"$1\" >%s/home/captcha.answer\nexec cat %s/captcha.png\n", e.Dir, e.Dir)
	return filepath.Join(e.Dir, "captcha"), e.file("captcha", script, 0o755)
}
