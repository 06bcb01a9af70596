// SPDX-License-Identifier: Apache-2.0

package service

import (
	"net/http"
	"strings"
	"testing"
)

// checkAccess asserts who may call what: numbers without a password, names for the exporter's account alone.
func checkAccess(t *testing.T, s *Service) {
	t.Helper()
	client := s.HTTPClient()
	defer client.CloseIdleConnections()
	for _, tt := range []struct {
		url     string
		account *Account
		command string
		status  int
	}{
		{s.Ejabberd.APIURL(), nil, "status", http.StatusOK},
		{s.Ejabberd.APIURL(), nil, "connected_users", http.StatusForbidden},
		{s.Ejabberd.APIURL(), nil, "connected_users_info", http.StatusForbidden},
		{s.Ejabberd.APIURL(), &s.Exporter, "connected_users", http.StatusOK},
		{s.Ejabberd.HTTPSURL() + "/api", nil, "status", http.StatusForbidden},
		{s.Ejabberd.HTTPSURL() + "/api", &s.Exporter, "connected_users_info", http.StatusOK},
		{s.Ejabberd.HTTPSURL() + "/api", &s.Exporter, "registered_vhosts", http.StatusOK},
		{s.Ejabberd.HTTPSURL() + "/api", &s.Admin, "connected_users_info", http.StatusForbidden},
	} {
		request, err := http.NewRequest(http.MethodPost, tt.url+"/"+tt.command, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if tt.account != nil {
			request.SetBasicAuth(tt.account.JID(), tt.account.Password)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != tt.status {
			t.Errorf("%s/%s, account %v: %s, want %d", tt.url, tt.command, tt.account != nil, response.Status, tt.status)
		}
	}
}
