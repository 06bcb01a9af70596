// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// series are the numbers of a page by name and labels: `ejabberd_sessions{vhost="a.test"}`.
type series map[string]float64

func parse(page string) (series, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		return nil, err
	}
	all := series{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			key := name
			if len(labels) > 0 {
				key += "{" + strings.Join(labels, ",") + "}"
			}
			all[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return all, nil
}

// summarise says what the page says, for people, and returns what is wrong with it.
func (d *demo) summarise(page string) (failed []string) {
	all, err := parse(page)
	if err != nil {
		return []string{"the page is not understood: " + err.Error()}
	}
	d.say("What the exporter sees")
	for _, vhost := range d.Domains {
		n := func(name string, labels ...string) float64 {
			return all[name+"{"+strings.Join(append(labels, fmt.Sprintf("vhost=%q", vhost)), ",")+"}"]
		}
		window := func(name, window string) float64 {
			return all[fmt.Sprintf("%s{vhost=%q,window=%q}", name, vhost, window)]
		}
		d.say("  %-13s %.0f accounts, %.0f of them online in %.0f sessions, %.0f active within 30 days, %.0f made within 7 days, %.0f never logged in",
			vhost, n("ejabberd_accounts"), n("ejabberd_accounts_online"), n("ejabberd_sessions"),
			window("ejabberd_accounts_active", "30d"), window("ejabberd_accounts_created", "7d"), n("ejabberd_accounts_never_logged_in"))
		d.say("  %-13s %.0f uploaded files of %.0f accounts, %.0f MiB; accounts over the hard quota: %.0f, near it: %.0f; files kept too long: %.0f",
			"", n("ejabberd_upload_files"), n("ejabberd_upload_accounts"), n("ejabberd_upload_bytes")/(1<<20),
			n("ejabberd_upload_accounts_over_quota", `level="hard"`), n("ejabberd_upload_accounts_near_quota", `level="hard"`), n("ejabberd_upload_files_expired"))
	}
	d.say("  %-13s %.0f connections in, %.0f out", "federation", all[`ejabberd_s2s_connections{direction="in"}`], all[`ejabberd_s2s_connections{direction="out"}`])
	d.say("  %-13s %.1f MiB, %.0f connections of ejabberd, %.0f of the exporter\n", "database", all[`ejabberd_database_size_bytes{database="ejabberd"}`]/(1<<20),
		all[`ejabberd_database_connections{database="ejabberd",role="ejabberd"}`], all[`ejabberd_database_connections{database="ejabberd",role="exporter"}`])
	for key, value := range all {
		if strings.HasPrefix(key, "ejabberd_exporter_collector_success{") && value != 1 {
			failed = append(failed, key+" is 0")
		}
	}
	return failed
}
