// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// adminClient asks the API at an address.
func adminClient(network, address string) *http.Client {
	var dialer net.Dialer
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
	}}
}

// Call runs any command of the API over the admin socket and decodes its answer, where answer is not nil.
func (e *Ejabberd) Call(ctx context.Context, name string, arguments map[string]any, answer any) error {
	query := url.Values{}
	for key, value := range arguments {
		query.Set(key, fmt.Sprint(value))
	}
	// Not POST: ejabberd 26.07 refuses every body that comes through a Unix socket.
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/"+name+"?"+query.Encode(), nil)
	if err != nil {
		return fmt.Errorf("call %s: %w", name, err)
	}
	response, err := e.admin.Do(request)
	if err != nil {
		return fmt.Errorf("call %s: %w", name, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("call %s: %w", name, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("call %s: %s: %s", name, response.Status, text)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("call %s: %w", name, err)
	}
	return nil
}
