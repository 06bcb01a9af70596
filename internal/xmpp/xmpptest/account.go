// SPDX-License-Identifier: Apache-2.0

package xmpptest

import (
	"encoding/base64"
	"fmt"
)

// What the upload service of example.org answers to discovery.
const (
	UploadItems = "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='upload.example.org'/><item jid='room' node='x'/></query>"
	NoUpload    = "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='server' type='im'/></query>"
	IsUpload    = "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:http:upload:0'/>" +
		"<x xmlns='jabber:x:data'><field var='max-file-size'><value>5000</value></field></x></query>"
)

// Slot is one for an upload, with a header that is to be sent and one that is not.
func Slot(put, get string) string {
	return fmt.Sprintf("<slot xmlns='urn:xmpp:http:upload:0'><put url='%s'><header name='Authorization'>Bearer x&#10;</header>"+
		"<header name='X-Other'>y</header></put><get url='%s'/></slot>", put, get)
}

// Form is a registration form whose captcha has its picture at uri; data comes with it.
func Form(uri, data string) string {
	return "<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='form'>" +
		"<field var='username' type='text-single'/><field var='password' type='text-private'/>" +
		"<field var='ocr' label='Enter the text you see'><media xmlns='urn:xmpp:media-element'><uri type='image/png'>" + uri + "</uri></media></field></x>" +
		data + "</query>"
}

// CID is the uri of what Bits holds.
const CID = "cid:sha1+1@bob.xmpp.org"

// Bits is a picture that comes inside a stanza (XEP-0231).
func Bits(data string) string {
	return "<data xmlns='urn:xmpp:bob' cid='sha1+1@bob.xmpp.org' type='image/gif'>" + base64.StdEncoding.EncodeToString([]byte(data)) + "</data>"
}

// GIF is a small picture.
const GIF = "GIF89a\x01\x00\x01\x00\x00\x00\x00;"
