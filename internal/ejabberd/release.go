// SPDX-License-Identifier: Apache-2.0

package ejabberd

// Since tells whether a version as Status returns it ("24.12-3") is the release or a later one: "24.06" is year and month.
func Since(version, release string) bool {
	return len(version) >= len(release) && version[:len(release)] >= release
}
