// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

const mebibyte = 1 << 20

// stored are files of each vhost: the first vhost has all of these, each further one two
// less. Soft quota 160 MiB, hard quota 200 MiB, kept for 365 days.
var stored = []struct {
	user string
	size int64
	age  time.Duration
}{
	{"uploader", 12_345, 10 * day},
	{"uploader", 3 * mebibyte, 200 * day},
	{"uploader", 17, 364 * day},
	{"uploader", 99_999, 380 * day}, // expired
	{"nearly", 100 * mebibyte, 30 * day},
	{"nearly", 88 * mebibyte, 2 * time.Hour}, // 188 MiB: over the soft quota, near the hard one
	{"hoarder", 90 * mebibyte, 5 * day},
	{"hoarder", 90 * mebibyte, 50 * day},
	{"hoarder", 70 * mebibyte, 100 * day},  // 250 MiB: over both
	{"long-gone", 1 * mebibyte, 999 * day}, // expired
	{"regular", 150 * mebibyte, 7 * day},   // near the soft quota
}

// addUploads lays files on the disk and stores one as a client does.
func (s *Service) addUploads(ctx context.Context, _ Options) error {
	for i, domain := range s.Domains {
		for _, f := range stored[:max(len(stored)-2*i, 1)] {
			file := File{s.person(f.user, domain), f.size, time.Now().Add(-f.age)}
			if err := s.LayFile(file); err != nil {
				return err
			}
		}
	}
	for _, client := range s.Clients {
		if client.Account.User == "uploader-"+Canary {
			if err := s.Upload(ctx, client, 54_321); err != nil {
				return fmt.Errorf("upload a file: %w", err)
			}
		}
	}
	return nil
}

// LayFile puts a sparse file where ejabberd would have put it, and adds it to the Truth.
func (s *Service) LayFile(f File) error {
	owner := sha1.Sum([]byte(f.Account.JID()))
	dir := filepath.Join(s.Ejabberd.Config.UploadDir, f.Account.Domain, hex.EncodeToString(owner[:]), secret())
	path := filepath.Join(dir, "file-"+Canary+".jpg")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("lay a file: %w", err)
	}
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		return fmt.Errorf("lay a file: %w", err)
	}
	if err := os.Truncate(path, f.Size); err != nil {
		return fmt.Errorf("lay a file: %w", err)
	}
	if err := os.Chtimes(path, f.ModTime, f.ModTime); err != nil {
		return fmt.Errorf("lay a file: %w", err)
	}
	for _, made := range []string{path, dir, filepath.Dir(dir), filepath.Dir(filepath.Dir(dir))} {
		if err := giveTo(made, ejabberdAccount); err != nil {
			return err
		}
	}
	s.Truth.Files = append(s.Truth.Files, f)
	return nil
}

// secret is a name as ejabberd gives it to the directory of one upload: 40 characters.
func secret() string { return (rand.Text() + rand.Text())[:40] }

// Upload asks for a slot (XEP-0363), puts a file into it, and adds it to the Truth. The slot may evict other files.
func (s *Service) Upload(ctx context.Context, client *Client, size int) error {
	answer, err := client.Ask(ctx, "get", "upload."+client.Account.Domain,
		fmt.Sprintf("<request xmlns='urn:xmpp:http:upload:0' filename='real-%s.bin' size='%d' content-type='application/octet-stream'/>", Canary, size))
	if err != nil {
		return err
	}
	slot := answer.Child("urn:xmpp:http:upload:0", "slot")
	if slot == nil || slot.Child("urn:xmpp:http:upload:0", "put") == nil {
		return errors.New("no slot in the answer")
	}
	url := slot.Child("urn:xmpp:http:upload:0", "put").Attribute("url")
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(make([]byte, size)))
	if err != nil {
		return err
	}
	web := s.HTTPClient()
	defer web.CloseIdleConnections()
	response, err := web.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("ejabberd answered %s", response.Status)
	}
	s.Truth.Files = append(s.Truth.Files, File{client.Account, int64(size), time.Now()})
	return nil
}

// Sweep lets ejabberd delete what a vhost has kept too long, now instead of within 12 hours, and returns when it has. There is no
// command for that: only its own timer asks for it.
func (e *Ejabberd) Sweep(ctx context.Context, domain string) error {
	script := fmt.Sprintf("N = '%s', P = rpc:call(N, mod_http_upload, get_proc_name, [<<\"%s\">>, mod_http_upload_quota]), "+
		"sweep = rpc:call(N, erlang, send, [P, sweep]), true = is_tuple(rpc:call(N, sys, get_state, [P])), halt().", e.Node, domain)
	if _, err := e.erl("-sname", "sweep-"+rand.Text()[:8]+"@localhost", "-hidden", "-noinput", "-eval", script).run(ctx); err != nil {
		return fmt.Errorf("sweep uploads: %w", err)
	}
	return nil
}
