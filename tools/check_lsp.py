#!/usr/bin/env python3
# /// script
# requires-python = ">=3.9"
# dependencies = ["pygls==1.3.1", "lsprotocol==2023.0.1"]
# ///
"""Speaks with `kvlint lsp` through pygls, a language client that others wrote, and fails where the two don't agree.

    python3 tools/check_lsp.py target/debug/kvlint
"""

import asyncio
import pathlib
import sys
import tempfile

from lsprotocol import types
from pygls.lsp.client import BaseLanguageClient

POD = """apiVersion: v1
kind: Pod
metadata:
  name: engine
spec:
  containers:
    - name: vllm
      image: vllm/vllm-openai:v0.11.1
      command: [vllm, serve, microsoft/phi-4]
      args: ["😀", --kv-events-config, '{"enable_kv_cache_events": true, "endpoint": "tcp://0.0.0.0:5557"}']
"""
PATIENCE = 60


async def converse(program):
    client = BaseLanguageClient("check", "1")
    told = asyncio.Queue()

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def published(params):
        told.put_nowait(params)

    @client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def registered(params):
        return None

    async def findings(uri, version):
        while True:
            params = await asyncio.wait_for(told.get(), PATIENCE)
            if params.uri == uri and params.version == version:
                return {d.code: d for d in params.diagnostics}

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder).resolve()
        (folder / ".git").mkdir()
        (folder / "pod.yaml").write_text(POD)
        uri = (folder / "pod.yaml").as_uri()
        await client.start_io(program, "lsp")
        answer = await client.initialize_async(
            types.InitializeParams(
                capabilities=types.ClientCapabilities(),
                workspace_folders=[types.WorkspaceFolder(uri=folder.as_uri(), name="w")],
            )
        )
        assert answer.capabilities.position_encoding == types.PositionEncodingKind.Utf16
        client.initialized(types.InitializedParams())
        document = types.TextDocumentItem(uri=uri, language_id="yaml", version=1, text=POD)
        client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=document))
        found = (await findings(uri, 1))["endpoint-connects"]
        line = POD.splitlines()[found.range.start.line]
        # As UTF-16: the face takes two units and one character.
        assert found.range.start.character == line.index("0.0.0.0") + 1, found.range
        hover = await client.text_document_hover_async(
            types.HoverParams(text_document=types.TextDocumentIdentifier(uri=uri), position=found.range.start)
        )
        assert "endpoint-connects" in hover.contents.value
        change = types.TextDocumentContentChangeEvent_Type1(range=found.range, text="*")
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(uri=uri, version=2), content_changes=[change]
            )
        )
        assert "endpoint-connects" not in await findings(uri, 2)
        await client.shutdown_async(None)
        client.exit(None)
        await asyncio.wait_for(client._server.wait(), PATIENCE)
        assert client._server.returncode == 0, client._server.returncode
    print("pygls and kvlint lsp agree")


if __name__ == "__main__":
    asyncio.run(converse(sys.argv[1]))
