"""A collector that decodes what it gets with OpenTelemetry's own classes.

    python3 collector.py

Prints {"port": N}, then a line of JSON for each span that it receives, until its standard input ends.
"""

import http.server
import json
import sys
import threading

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse


def value(of):
    kind = of.WhichOneof("value")
    return getattr(of, kind) if kind else None


def attributes(pairs):
    return {pair.key: str(value(pair.value)) for pair in pairs}


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path != "/v1/traces" or self.headers["content-type"] != "application/x-protobuf":
            self.send_error(400)
            return
        request = ExportTraceServiceRequest.FromString(body)
        # What is encoded again is the same: no field is unknown, and none is out of order.
        exact = request.SerializeToString() == body
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.tell(resource.resource, span, exact)
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def tell(self, resource, span, exact):
        line = {
            "service": attributes(resource.attributes).get("service.name"),
            "exact": exact,
            "name": span.name,
            "kind": span.kind,
            "trace": span.trace_id.hex(),
            "span": span.span_id.hex(),
            "parent": span.parent_span_id.hex(),
            "links": [link.trace_id.hex() + "-" + link.span_id.hex() for link in span.links],
            "status": span.status.code,
            "nanoseconds": span.end_time_unix_nano - span.start_time_unix_nano,
            "attributes": attributes(span.attributes),
        }
        print(json.dumps(line), flush=True)

    def log_message(self, *arguments):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
