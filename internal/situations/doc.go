// SPDX-License-Identifier: Apache-2.0

// Package situations is a table of what can be wrong with an XMPP service, and of what each plugin must say about it. It has
// tests only: they run the plugins as they are shipped, against scripted peers and the real service, and hold their time and
// memory against the limits. docs/situations.md is the table.
package situations
