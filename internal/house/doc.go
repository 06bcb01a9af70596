// SPDX-License-Identifier: Apache-2.0

// Package house keeps the rules of the house as tests: who may import whom, and what every file has in common.
//
// It holds no other code. Why a rule is there stands beside it and is printed when it is broken.
package house
