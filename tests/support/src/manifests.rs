//! Manifests of which it is known what kvlint says.

/// A pod with the discovery label and an engine that publishes nothing: one error, at line 7, column 40.
pub const SILENT: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: llama
  labels:
    model.aibrix.ai/name: llama
    model.aibrix.ai/kv-events-enabled: \"true\"
spec:
  containers:
    - name: vllm
      image: vllm/vllm-openai:v0.11.1
      command: [vllm, serve, meta-llama/Llama-3.1-8B-Instruct]
";

/// An object that no rule speaks about.
pub const FINE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: fine\n";

/// The rule that speaks of [`SILENT`], and the one of broken files, so that the rules to come don't change what a test sees.
pub const ONE_RULE: &str = "--select=labelled-but-silent,yaml-syntax";

/// [`SILENT`] under another name.
pub fn silent(name: &str) -> String {
    SILENT.replace("\n  name: llama\n", &format!("\n  name: {name}\n"))
}
