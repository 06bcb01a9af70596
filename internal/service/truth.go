// SPDX-License-Identifier: Apache-2.0

package service

import (
	"time"
)

// Truth is what was put into the service: what an exporter must find.
type Truth struct {
	People  []Person
	Online  []Session
	Files   []File
	Offline []string // JIDs, once for each message that waits for them
	Rooms   []string // JIDs of rooms with somebody in them
}

// Person is an account and its history.
type Person struct {
	Account
	Created  time.Time
	LastSeen time.Time // when it was last online; zero: never
}

// Session is one that is logged in.
type Session struct {
	Account  Account
	Resource string
	Family   string // ip4 or ip6
	Direct   bool   // direct TLS instead of STARTTLS; ejabberd calls both c2s_tls
	Show     string // available, away, chat, dnd, xa
}

// File is an uploaded one.
type File struct {
	Account Account
	Size    int64
	ModTime time.Time
}

// Accounts is how many a vhost has.
func (t *Truth) Accounts(vhost string) int {
	return t.people(vhost, func(Person) bool { return true })
}

// Created is how many of them were made within the window that ends now.
func (t *Truth) Created(vhost string, window time.Duration) int {
	return t.people(vhost, func(p Person) bool { return time.Since(p.Created) < window })
}

// Active is how many are online or were within the window that ends now.
func (t *Truth) Active(vhost string, window time.Duration) int {
	return t.people(vhost, func(p Person) bool { return t.online(p) || time.Since(p.LastSeen) < window })
}

// NeverLoggedIn is how many were never online and are not now.
func (t *Truth) NeverLoggedIn(vhost string) int {
	return t.people(vhost, func(p Person) bool { return !t.online(p) && p.LastSeen.IsZero() })
}

func (t *Truth) people(vhost string, want func(Person) bool) (n int) {
	for _, p := range t.People {
		if p.Domain == vhost && want(p) {
			n++
		}
	}
	return n
}

func (t *Truth) online(p Person) bool {
	for _, s := range t.Online {
		if s.Account == p.Account {
			return true
		}
	}
	return false
}

// Sessions is how many of a family a vhost has, of both where family is empty.
func (t *Truth) Sessions(vhost, family string) (n int) {
	for _, s := range t.Online {
		if s.Account.Domain == vhost && (family == "" || s.Family == family) {
			n++
		}
	}
	return n
}

// AccountsOnline is how many accounts of a vhost have sessions.
func (t *Truth) AccountsOnline(vhost string) int {
	return t.people(vhost, t.online)
}

// Uploads are the files of a vhost: how many, of how many bytes, older than the retention in days.
func (t *Truth) Uploads(vhost string, retention int) (files int, bytes int64, expired int) {
	for _, f := range t.Files {
		if f.Account.Domain != vhost {
			continue
		}
		files++
		bytes += f.Size
		if time.Since(f.ModTime) > time.Duration(retention)*day {
			expired++
		}
	}
	return files, bytes, expired
}

// UploadBytes are the bytes that each account of a vhost stores.
func (t *Truth) UploadBytes(vhost string) map[Account]int64 {
	stored := map[Account]int64{}
	for _, f := range t.Files {
		if f.Account.Domain == vhost {
			stored[f.Account] += f.Size
		}
	}
	return stored
}

const day = 24 * time.Hour
