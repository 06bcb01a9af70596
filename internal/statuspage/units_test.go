// SPDX-License-Identifier: Apache-2.0

package statuspage

import (
	"strings"
	"testing"
	"time"
)

func TestUnits(t *testing.T) {
	for got, want := range map[string]string{
		count(0): "0", count(999): "999", count(1000): "1 000", count(1234567): "1 234 567", count(-1234): "-1 234", count(-123): "-123",
		size(0): "0 B", size(1023): "1023 B", size(1024): "1.0 KiB", size(160 << 20): "160 MiB", size(9.96 * (1 << 20)): "10 MiB", size(1048575): "1.0 MiB", size(3 << 50): "3.0 PiB",
		span(0): "0 s", span(59 * time.Second): "59 s", span(60 * time.Second): "1 min", span(3 * time.Hour): "3 h", span(47 * time.Hour): "47 h", span(48 * time.Hour): "2 days",
		left(-time.Hour): "expired 1 h ago", left(89*day + time.Hour): "89 days", days(365 * 86400): "365 days", days(86400): "1 day",
		ago(now, now): "now", ago(now, now.Add(time.Second)): "now", ago(now, now.Add(-3*time.Minute)): "3 min ago",
		things(1, "account", "accounts"): "1 account", things(0, "account", "accounts"): "0 accounts",
	} {
		if strings.ReplaceAll(got, thin, " ") != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
