"""A collector of traces and of reports of crashes: it prints all that it receives, one JSON object a line."""

import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACES = "/v1/traces"


class Collector(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        for line in spans(body) if self.path == TRACES else [{"envelope": body.decode()}]:
            print(json.dumps({"path": self.path, **line}, ensure_ascii=False), flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *_arguments: object) -> None:
        """Print nothing else."""


def spans(body: bytes) -> list[dict[str, object]]:
    """Return each span with the attributes of its process."""
    message = MessageToDict(ExportTraceServiceRequest.FromString(body))
    return [
        {"resource": attributes(part["resource"]), "span": {**span, "attributes": attributes(span)}}
        for part in message["resourceSpans"]
        for scope in part["scopeSpans"]
        for span in scope["spans"]
    ]


def attributes(part: dict[str, list[dict[str, dict[str, object]]]]) -> dict[object, object]:
    return {each["key"]: next(iter(each["value"].values())) for each in part.get("attributes", [])}


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Collector).serve_forever()
