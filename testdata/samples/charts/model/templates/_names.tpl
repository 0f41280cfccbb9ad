{{/* What selects the pods: it must never change while the release lives. */}}
{{- define "model.selector" -}}
model.aibrix.ai/name: {{ .Values.model.name | quote }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "model.labels" -}}
{{ include "model.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "model.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default .Release.Name }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end }}

{{/* The setting of vLLM that turns events on. The endpoints must be `*`: with an address vLLM connects instead of listening. */}}
{{- define "model.kvEvents" -}}
{{- $events := .Values.kvEvents -}}
{{- dict
      "enable_kv_cache_events" true
      "publisher" $events.publisher
      "endpoint" (printf "tcp://*:%d" (int $events.port))
      "replay_endpoint" (printf "tcp://*:%d" (int $events.replayPort))
      "buffer_steps" (int $events.bufferSteps)
    | toJson -}}
{{- end }}
