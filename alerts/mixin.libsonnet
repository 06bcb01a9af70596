// The alerts, recorded series and boards of this repository for those who build their monitoring with Jsonnet: the same files, no others.
// grafanaDashboards, prometheusAlerts and prometheusRules are what mixins have.
local groups = [
  group
  for text in [
    importstr 'ejabberd-accounts.rules.yml',
    importstr 'ejabberd-certificates.rules.yml',
    importstr 'ejabberd-database.rules.yml',
    importstr 'ejabberd-exporter.rules.yml',
    importstr 'ejabberd-federation.rules.yml',
    importstr 'ejabberd-service.rules.yml',
    importstr 'ejabberd-uploads.rules.yml',
    importstr 'xmpp-certificates.rules.yml',
    importstr 'xmpp-probes.rules.yml',
    importstr 'xmpp-slo.rules.yml',
  ]
  for group in std.parseYaml(text).groups
];
local only(kind) = [
  group { rules: [rule for rule in group.rules if std.objectHas(rule, kind)] }
  for group in groups
  if std.length([rule for rule in group.rules if std.objectHas(rule, kind)]) > 0
];

{
  grafanaDashboards+:: {
    'ejabberd-abuse.json': import '../dashboards/ejabberd-abuse.json',
    'ejabberd-accounts.json': import '../dashboards/ejabberd-accounts.json',
    'ejabberd-exporter.json': import '../dashboards/ejabberd-exporter.json',
    'ejabberd-federation.json': import '../dashboards/ejabberd-federation.json',
    'ejabberd-overview.json': import '../dashboards/ejabberd-overview.json',
    'ejabberd-probes.json': import '../dashboards/ejabberd-probes.json',
    'ejabberd-sessions.json': import '../dashboards/ejabberd-sessions.json',
    'ejabberd-storage.json': import '../dashboards/ejabberd-storage.json',
    'ejabberd-uploads.json': import '../dashboards/ejabberd-uploads.json',
    'ejabberd-usage.json': import '../dashboards/ejabberd-usage.json',
  },
  prometheusAlerts+:: { groups+: only('alert') },
  prometheusRules+:: { groups+: only('record') },
}
