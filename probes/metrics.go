// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"slices"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// The labels of an endpoint. Their values are the own domain's DNS, bound by each run.
var endpointLabels = []metric.Label{
	metric.OneOf("srv", "xmpp-client", "xmpps-client", "xmpp-server", "xmpps-server",
		hostMeta.name, bosh.name, webSocket.name, webRegister.name, stunUDP.name, stunTCP.name, turnUDP.name, turnTCP.name, httpPut.name, httpGet.name),
	metric.BoundTo("target"), metric.BoundTo("port"), metric.OneOf("family", ip4, ip6),
}

var mechanismLabel = metric.OneOf("mechanism", "PLAIN", "LOGIN", "EXTERNAL", "ANONYMOUS", "DIGEST-MD5", "X-OAUTH2", "OAUTHBEARER",
	"SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-512-PLUS")

// gauge declares a metric of a probe.
func gauge(name, help string, fold metric.Fold, labels ...metric.Label) *metric.Metric {
	return &metric.Metric{Name: name, Help: help, Source: "probe", Scope: metric.Probe, Fold: fold, Labels: labels}
}

var bindingLabel = metric.OneOf("type", "tls-exporter", "tls-server-end-point", "tls-unique")

var (
	endpointSuccess = gauge("probe_xmpp_endpoint_success",
		"Whether all addresses of the endpoint work", metric.Min, endpointLabels...)
	endpointDuration = gauge("probe_xmpp_endpoint_duration_seconds",
		"How long all phases after the DNS took at an endpoint that works", metric.Max, endpointLabels...)
	phaseDuration = gauge("probe_xmpp_phase_duration_seconds",
		"How long a phase took, at the slowest endpoint that works", metric.Max, PhaseLabel)
	failureInfo = gauge("probe_xmpp_failure_info",
		"Phases that failed, and why", metric.Max, PhaseLabel, ReasonLabel)
	retriesMetric = gauge("probe_xmpp_retries",
		"Connections that were tried again because they were reset before the server said anything", metric.Sum)
	srvRecords = gauge("probe_xmpp_srv_records",
		"Number of SRV records of a service", metric.Sum, endpointLabels[0])

	earliestExpiry = gauge("probe_ssl_earliest_cert_expiry",
		"Unix time at which the first of all certificates that were served expires, intermediate ones included", metric.Min)
	certNotAfter = gauge("probe_xmpp_certificate_not_after_timestamp_seconds",
		"Unix time at which the server's own certificate expires, told also where it does not pass", metric.Min, endpointLabels...)
	certNotBefore = gauge("probe_xmpp_certificate_not_before_timestamp_seconds",
		"Unix time from which the server's own certificate is valid", metric.Min, endpointLabels...)
	certValid = gauge("probe_xmpp_certificate_valid",
		"Whether the certificate is signed by a trusted authority, names the domain, and is valid now, each for itself", metric.Min,
		append(slices.Clone(endpointLabels), metric.OneOf("check", "chain", "name", "time"))...)
	certsDistinct = gauge("probe_xmpp_certificates_distinct",
		"Number of different certificates that were served for the domain", metric.Max)
	namesUncovered = gauge("probe_xmpp_certificate_names_uncovered",
		"Number of probed names that a certificate served for them does not name", metric.Max)
	tlsVersionInfo = gauge("probe_xmpp_tls_version_info",
		"Versions of TLS that were agreed on", metric.Max, metric.OneOf("version", "1.0", "1.1", "1.2", "1.3"))

	startTLSDemanded = gauge("probe_xmpp_starttls_required",
		"Whether all ports with STARTTLS demand it", metric.Min)
	plainBeforeTLS = gauge("probe_xmpp_plain_before_tls",
		"Whether any port offers a login with the bare password before TLS", metric.Max)
	mechanismOffered = gauge("probe_xmpp_sasl_mechanism_offered",
		"Whether all endpoints offer the mechanism once the connection is encrypted, by SASL or SASL2", metric.Min, mechanismLabel)
	bindingOffered = gauge("probe_xmpp_channel_binding_offered",
		"Whether all endpoints offer the type of channel binding; absent where none says which there are", metric.Min, bindingLabel)
	s2sDialback = gauge("probe_xmpp_s2s_dialback",
		"Whether all endpoints offer server dialback", metric.Min)
	s2sExternal = gauge("probe_xmpp_s2s_external",
		"Whether all endpoints offer to trust the certificate that the probe showed; absent where it had none to show", metric.Min)
)

// endpointMetrics are those of every probe that visits endpoints.
var endpointMetrics = []*metric.Metric{
	endpointSuccess, endpointDuration, phaseDuration, failureInfo, retriesMetric, srvRecords,
	earliestExpiry, certNotAfter, certNotBefore, certValid, tlsVersionInfo, startTLSDemanded,
}

// with adds metrics to those of every probe that visits endpoints.
func with(more ...*metric.Metric) []*metric.Metric {
	return append(slices.Clone(endpointMetrics), more...)
}
