// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"math"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// quotas are the soft and hard quota of an account to which no special rule applies, in bytes. As in ejabberd one stands for
// both where the other is missing, and the soft one for both where it is the larger.
func (r *reader) quotas(vhost string, m module) (soft, hard int64) {
	soft = r.quota(vhost, m, "access_soft_quota", "soft_upload_quota")
	hard = r.quota(vhost, m, "access_hard_quota", "hard_upload_quota")
	if soft == 0 {
		soft = hard
	}
	return soft, max(soft, hard)
}

// quota is the value of the shaper rule that a module's option names, or that is written in its place.
func (r *reader) quota(vhost string, m module, option, name string) int64 {
	rule, ok := m[option]
	if ok {
		text, scalar := rule.text()
		if _, err := strconv.ParseInt(text, 10, 64); !scalar || err == nil {
			return r.mebibytes(vhost, rule)
		}
		name = text
	}
	rule, ok = r.options.lookup(vhost, "shaper_rules", name)
	if !ok || name == "none" || endless(name) {
		return 0
	}
	return r.mebibytes(vhost, rule)
}

// mebibytes evaluates a shaper rule for an account without special rights: the first line that applies to everybody.
func (r *reader) mebibytes(vhost string, rule node) int64 {
	for _, line := range flat(rule) {
		if line.value.yaml != nil && !r.everybody(vhost, line.value) {
			continue
		}
		rate := line.key
		if shaper, ok := r.options.lookup("", "shaper", rate); ok {
			rate, _ = shaper.text()
		}
		if mebibytes, err := strconv.ParseInt(rate, 10, 64); err == nil && mebibytes > 0 && mebibytes <= math.MaxInt64>>20 {
			return mebibytes << 20
		}
		return 0 // none, infinity
	}
	return 0
}

// everybody says whether a rule applies to every account: all of its conditions are "all" or a list that takes in everybody.
func (r *reader) everybody(vhost string, rule node) bool {
	conditions := flat(rule)
	return len(conditions) > 0 && !slices.ContainsFunc(conditions, func(c entry) bool {
		name := c.key
		if c.value.yaml != nil { // "acl: NAME"
			name, _ = c.value.text()
			if c.key != "acl" {
				return true
			}
		}
		return name != "all" && !r.anyUser(vhost, name)
	})
}

// anyUser says whether an access list takes in every local account, as the "local" of ejabberd's own example file does.
func (r *reader) anyUser(vhost, name string) bool {
	list, ok := r.options.lookup(vhost, "acl", name)
	if !ok {
		return false
	}
	return slices.ContainsFunc(flat(list), func(e entry) bool {
		if e.key != "user_regexp" || e.value.yaml == nil {
			return false
		}
		return slices.ContainsFunc(e.value.items(), func(n node) bool {
			pattern, scalar := n.text()
			return scalar && (pattern == "" || pattern == ".*")
		})
	})
}

// flat lists the lines of a rule, which may be a scalar, a map, a list of both, and lists within. A scalar is a key without
// a value. Depth and number are bounded: aliases can make a small file endless.
func flat(n node) []entry {
	var entries []entry
	budget := 1000
	var walk func(node, int)
	walk = func(n node, depth int) {
		if budget--; budget < 0 || depth > 5 {
			return
		}
		n = n.resolved()
		switch n.yaml.Kind {
		case yaml.MappingNode:
			entries = append(entries, n.entries()...)
		case yaml.SequenceNode:
			for _, y := range n.yaml.Content {
				walk(n.with(y), depth+1)
			}
		case yaml.ScalarNode:
			text, _ := n.text()
			entries = append(entries, entry{key: text})
		}
	}
	walk(n, 0)
	return entries
}
