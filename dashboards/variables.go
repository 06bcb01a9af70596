// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// servedHosts asks several metrics for the hosts, since a server may lack the source of any.
const servedHosts = `label_values({__name__=~"ejabberd_(sessions|accounts|upload_files)", job=~"$job", instance=~"$instance"}, vhost)`

// ourProbes are jobs as the examples and alerts/ name them. Other programs probe too, and call it probe_success as well.
const ourProbes = `job=~"xmpp.*"`

// probedHosts are the domains that somebody probes, whether an exporter runs beside them or not.
const probedHosts = `label_values(probe_success{job=~"$job", ` + ourProbes + `}, instance)`

// variables are the same on all boards, so that links carry them on. The job of the exporter and that of the probes are usually two.
// All is every job there is, listed or not: an exporter that has been dead for the whole time range, or what is probed once an hour,
// is in no list. So queries for names that are not ours alone say themselves whose they mean.
func variables(hosts string) []dashboard.VariableModel {
	if hosts == "" {
		hosts = servedHosts
	}
	return []dashboard.VariableModel{
		dataSource(),
		choice("job", "Job", `label_values({__name__=~"ejabberd_exporter_build_info|probe_xmpp_srv_records"}, job)`),
		choice("instance", "Instance", `label_values(ejabberd_exporter_build_info{job=~"$job"}, instance)`),
		choice("vhost", "Domain", hosts),
	}
}

func dataSource() dashboard.VariableModel {
	label, query := "Data source", "prometheus"
	return dashboard.VariableModel{
		Type: dashboard.VariableTypeDatasource, Name: "datasource", Label: &label, Query: &dashboard.StringOrMap{String: &query},
	}
}

func choice(name, label, query string) dashboard.VariableModel {
	yes, all, allText, allValue := true, ".+", "All", "$__all"
	refresh, order := dashboard.VariableRefreshOnTimeRangeChanged, dashboard.VariableSortAlphabeticalAsc
	return dashboard.VariableModel{
		Type: dashboard.VariableTypeQuery, Name: name, Label: &label, Query: &dashboard.StringOrMap{String: &query}, Definition: &query,
		Datasource: source(), Refresh: &refresh, Sort: &order, Multi: &yes, IncludeAll: &yes, AllValue: &all,
		Current: &dashboard.VariableOption{
			Selected: &yes,
			Text:     dashboard.StringOrArrayOfString{ArrayOfString: []string{allText}},
			Value:    dashboard.StringOrArrayOfString{ArrayOfString: []string{allValue}},
		},
	}
}
