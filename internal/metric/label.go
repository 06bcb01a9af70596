// SPDX-License-Identifier: Apache-2.0

package metric

import (
	"regexp"
	"slices"
	"strings"
)

// Other is the label value of everything that is not on the list.
const Other = "other"

// Shared is the value of label vhost where several vhosts cannot be told apart: one old-schema database, or one upload
// directory, for all of them.
const Shared = "shared"

// Label declares a label and the only values that it may take. Make one with OneOf, BoundTo or Like.
type Label struct {
	Name   string
	values []string       // OneOf
	like   *regexp.Regexp // Like
	bound  bool           // BoundTo: the values come with the Set's Bounds
}

// OneOf declares a label with a closed list of values; every other value becomes "other".
func OneOf(name string, values ...string) Label { return Label{Name: name, values: values} }

// BoundTo declares a label whose values are bound at discovery, under the label's own name.
func BoundTo(name string) Label { return Label{Name: name, bound: true} }

// Like declares a label whose values match a fixed syntax, such as a version; every other value becomes "other".
func Like(name, pattern string) Label {
	return Label{Name: name, like: regexp.MustCompile(`^(?:` + pattern + `)$`)}
}

// Vhost is the label of a host that ejabberd serves.
var Vhost = BoundTo("vhost")

// Values are the values of a closed list, nil for the other sorts of labels.
func (l Label) Values() []string { return slices.Clone(l.values) }

// Describe says in words which values the label takes, for the documentation.
func (l Label) Describe() string {
	switch {
	case l.bound && l.Name == "vhost":
		return "hosts that ejabberd serves"
	case l.bound:
		return "bound at discovery"
	case l.like != nil:
		return "like " + strings.TrimSuffix(strings.TrimPrefix(l.like.String(), "^(?:"), ")$")
	}
	return strings.Join(l.values, ", ")
}

// value returns what is shown for v. ok is false where the value must not be shown at all: a vhost that nobody bound, for
// which discovery has to run again.
func (l Label) value(v string, bounds Bounds) (shown string, ok bool) {
	switch {
	case l.bound:
		if shown, found := bounds[l.Name][v]; found {
			return shown, true
		}
		return Other, l.Name != "vhost"
	case l.like != nil:
		if l.like.MatchString(v) {
			return v, true
		}
	case slices.Contains(l.values, v):
		return v, true
	}
	return Other, true
}

// Bounds holds, for each label bound at discovery, the values it may take and how each is shown.
type Bounds map[string]map[string]string

// Bind allows values for a label. The first limit values are shown as they are, the rest as "other"; limit 0 is no limit.
func (b Bounds) Bind(name string, limit int, values ...string) {
	shown := make(map[string]string, len(values)+1)
	for i, v := range values {
		if limit > 0 && i >= limit {
			shown[v] = Other
		} else {
			shown[v] = v
		}
	}
	if name == "vhost" {
		shown[Shared] = Shared
	}
	b[name] = shown
}
