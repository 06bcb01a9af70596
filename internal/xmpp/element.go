// SPDX-License-Identifier: Apache-2.0

package xmpp

import (
	"encoding/xml"
	"strings"
)

// Element is an XML element that a peer sent.
type Element struct {
	Name     xml.Name
	Attr     []xml.Attr
	Text     string // all text directly inside
	Children []*Element
}

// Child finds the first child of that name, or nil.
func (e *Element) Child(space, local string) *Element {
	for _, c := range e.Children {
		if c.Name.Space == space && c.Name.Local == local {
			return c
		}
	}
	return nil
}

// Attribute returns the value of an attribute without a namespace, or nothing.
func (e *Element) Attribute(name string) string {
	for _, a := range e.Attr {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// Escape makes text fit between tags and in attributes.
func Escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder never fails
	return b.String()
}
