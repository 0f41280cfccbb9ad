{{- define "engine.labels" -}}
model.aibrix.ai/name: {{ .Values.model }}
model.aibrix.ai/kv-events-enabled: "true "
{{- end }}

{{- define "engine.events" -}}
{"enable_kv_cache_events": true, "publisher": "{{ .publisher }}", "endpoint": "tcp://*:5557", "replay_endpoint": "tcp://*:5558"}
{{- end }}

{{- define "engine.ports" }}
- name: kv-events
  containerPort: 5557
- name: kv-replay-endpoint
  containerPort: 5558
{{- end }}
