// SPDX-License-Identifier: Apache-2.0

// Package faults breaks what the exporter looks at, and how it is looked at, while it runs. It has tests only: they run the
// program as it is shipped beside the real service. docs/faults.md is what they saw.
package faults
