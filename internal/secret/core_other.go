// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package secret

// NoCore does nothing where processes leave no image behind.
func NoCore() {}
