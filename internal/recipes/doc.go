// SPDX-License-Identifier: Apache-2.0

// Package recipes runs docs/recipes on a real service, command by command. It holds no other code.
package recipes
