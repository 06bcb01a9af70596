// SPDX-License-Identifier: Apache-2.0

// Package kubernetes_test decodes the manifests into the types of Kubernetes and of the Prometheus operator, which are the reason for
// a module of their own, and holds what they say of each other together.
package kubernetes_test

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

// cluster is what kubectl apply -f . would make.
type cluster struct {
	deployment apps.Deployment
	secret     core.Secret
	service    core.Service
	policy     networking.NetworkPolicy
	monitor    monitoring.ServiceMonitor
	rule       monitoring.PrometheusRule
	probes     []monitoring.Probe
}

// decode reads every manifest. An unknown or repeated key is an error.
func decode(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{}
	kinds := map[string]any{
		"apps/v1 Deployment": &c.deployment, "v1 Secret": &c.secret, "v1 Service": &c.service,
		"networking.k8s.io/v1 NetworkPolicy":      &c.policy,
		"monitoring.coreos.com/v1 ServiceMonitor": &c.monitor,
		"monitoring.coreos.com/v1 PrometheusRule": &c.rule,
	}
	files, err := filepath.Glob("*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, document := range bytes.Split([]byte(read(t, file)), []byte("\n---\n")) {
			var is struct{ APIVersion, Kind string }
			if err := yaml.Unmarshal(document, &is); err != nil {
				t.Fatal(err)
			}
			name := is.APIVersion + " " + is.Kind
			into := kinds[name]
			if name == "monitoring.coreos.com/v1 Probe" {
				c.probes = append(c.probes, monitoring.Probe{})
				into = &c.probes[len(c.probes)-1]
			} else if delete(kinds, name); into == nil {
				t.Fatalf("%s holds %q, of which the test knows none, or one only", file, name)
			}
			if err := yaml.UnmarshalStrict(document, into); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	for name := range kinds {
		t.Errorf("no %s", name)
	}
	return c
}

// TestManifests: selectors find what they look for, names lead somewhere, the flags exist.
func TestManifests(t *testing.T) {
	c := decode(t)
	pod := c.deployment.Spec.Template
	for what, selector := range map[string]map[string]string{
		"the Deployment": c.deployment.Spec.Selector.MatchLabels, "the Service": c.service.Spec.Selector, "the NetworkPolicy": c.policy.Spec.PodSelector.MatchLabels,
	} {
		if !within(selector, pod.Labels) {
			t.Errorf("%s looks for %v", what, selector)
		}
	}
	if !within(c.monitor.Spec.Selector.MatchLabels, c.service.Labels) {
		t.Error("the ServiceMonitor does not find the Service")
	}
	container := pod.Spec.Containers[0]
	port := container.Ports[0]
	if c.service.Spec.Ports[0].TargetPort.StrVal != port.Name || c.monitor.Spec.Endpoints[0].Port != c.service.Spec.Ports[0].Name ||
		c.policy.Spec.Ingress[0].Ports[0].Port.StrVal != port.Name {
		t.Error("the name of the port differs")
	}
	mount := container.VolumeMounts[0]
	known := read(t, "../../docs/flags.md")
	for _, arg := range container.Args {
		name, value, _ := strings.Cut(arg, "=")
		if !strings.Contains(known, "| `"+name+"` |") {
			t.Errorf("the exporter has no flag %s", name)
		}
		if strings.HasSuffix(name, "-file") && (path.Dir(value) != mount.MountPath || c.secret.StringData[path.Base(value)] == "") {
			t.Errorf("%s is in no secret", value)
		}
	}
	if mode := *pod.Spec.Volumes[0].Secret.DefaultMode; mode != 0o440 {
		t.Errorf("the secrets have mode %o", mode)
	}
	if pod.Spec.Volumes[0].Name != mount.Name || pod.Spec.Volumes[0].Secret.SecretName != c.secret.Name {
		t.Error("the secret is not mounted")
	}
	// The operator sets service to the Service's name, and Alertmanager keeps back what is of the same one.
	var service string
	for _, r := range c.monitor.Spec.Endpoints[0].RelabelConfigs {
		if r.TargetLabel == "service" && r.Replacement != nil && len(r.SourceLabels) == 0 {
			service = *r.Replacement
		}
	}
	if service == "" {
		t.Error("what the ServiceMonitor scrapes has the Service's name as its service")
	}
	modules := strings.Fields("c2s s2s cert")
	for _, p := range c.probes {
		i := slices.Index(modules, p.Spec.Module)
		if i < 0 || p.Spec.Targets.StaticConfig.Labels["module"] != p.Spec.Module || p.Spec.ProberSpec.Path != "/probe" ||
			p.Spec.ProberSpec.URL != c.service.Name+":9334" {
			t.Errorf("probe %s: %+v", p.Name, p.Spec)
			continue
		}
		if got := p.Spec.Targets.StaticConfig.Labels["service"]; got != service {
			t.Errorf("probe %s is of the service %q, ejabberd of %q", p.Name, got, service)
		}
		modules = slices.Delete(modules, i, i+1)
	}
	if len(modules) > 0 {
		t.Errorf("not probed: %v", modules)
	}
}

// TestTheExporterMayDoNothing is the restricted standard of pod security, and more.
func TestTheExporterMayDoNothing(t *testing.T) {
	pod := decode(t).deployment.Spec.Template.Spec
	outer, inner := pod.SecurityContext, pod.Containers[0].SecurityContext
	for what, holds := range map[string]bool{
		"not root":            *outer.RunAsNonRoot && *outer.RunAsUser == 65534,
		"seccomp":             outer.SeccompProfile.Type == core.SeccompProfileTypeRuntimeDefault,
		"no escalation":       !*inner.AllowPrivilegeEscalation,
		"read-only":           *inner.ReadOnlyRootFilesystem,
		"no capability":       slices.Equal(inner.Capabilities.Drop, []core.Capability{"ALL"}) && len(inner.Capabilities.Add) == 0,
		"no token":            !*pod.AutomountServiceAccountToken,
		"nothing of the host": !pod.HostNetwork && !pod.HostPID && !pod.HostIPC,
		"alive":               pod.Containers[0].LivenessProbe.HTTPGet.Path == "/-/healthy",
		"ready":               pod.Containers[0].ReadinessProbe.HTTPGet.Path == "/-/ready",
	} {
		if !holds {
			t.Errorf("it lacks: %s", what)
		}
	}
	dockerfile := read(t, "../../Dockerfile")
	for _, line := range []string{`(?m)^USER 65534:65534$`, `(?m)^EXPOSE 9334$`} {
		if !regexp.MustCompile(line).MatchString(dockerfile) {
			t.Errorf("the Dockerfile no longer says %s", line)
		}
	}
}

func within(some, all map[string]string) bool {
	for k, v := range some {
		if all[k] != v {
			return false
		}
	}
	return len(some) > 0
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
