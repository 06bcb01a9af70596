// SPDX-License-Identifier: Apache-2.0

// Package service is the real service for demo and tests: ejabberd on PostgreSQL with two vhosts, a Prosody peer, logged-in
// clients, an external component, uploads and Prometheus. Debian's packages run as ordinary processes in a temporary
// directory on free loopback ports, which SRV records of its own resolver carry; /etc stays untouched.
//
// [Start] brings up the whole. The pieces ([StartPostgres], [StartEjabberd], [StartResolver], [StartProsody] …) can be put
// together in other ways: two nodes on one database, a server without SQL, a peer with a bad certificate.
package service

// Canary is part of every name that the service makes up: accounts, resources, rooms, file names, messages, status texts.
// Where it turns up on a page, in a log or in an error, personal data has leaked.
const Canary = "canary"
