import ASCII
import HTTP
import Kernel
import MCP
import Reactor
import Telemetry

/// Traces that calls belong to (W3C Trace Context).
extension Worker where Outside: ~Copyable {
    /// Decides which trace a call belongs to and whether it has spans. Its request is parsed and at the front of `io.received`;
    /// what its message says has been read.
    @inline(__always)
    mutating func traceCall(_ exchange: Handle) {
        guard snapshot.sampler.isOn || metrics.ring.isOn else { return }
        findTrace(exchange)
    }

    @inline(never)
    private mutating func findTrace(_ exchange: Handle) {
        let slot = exchanges[exchange].call
        guard slot != OpenCalls.none else { return }
        let (http, sampler) = (io.traceOfHead(), snapshot.sampler)
        if exchanges.traceIDs == nil {
            exchanges.traceIDs = TraceIDGenerator(seed: io.world.random(), io.world.random())
        }
        guard var ids = exchanges.traceIDs else { return }
        exchanges.calls.update(slot) { call in
            call.event.trace = sampler.context(message: RemoteSpan(ofMessage: call.event.trace), http: http, &ids)
        }
        exchanges.traceIDs = ids
    }

    /// Appends the span that the server's spans are to hang on, in place of the client's, to the head in `io.composed`. Does
    /// nothing for a call that is not recorded. Comes before the client's fields are copied.
    @inline(__always)
    mutating func composeTrace(_ exchange: Handle) {
        guard snapshot.sampler.isOn, exchanges[exchange].call != OpenCalls.none else { return }
        let trace = exchanges.calls.trace(exchanges[exchange].call)
        if trace.isRecorded { io.replaceTrace(trace) }
    }
}

extension ConnectionIO where Outside: ~Copyable {
    /// The span that the field `traceparent` of the request names. A head with two of them names none.
    fileprivate func traceOfHead() -> RemoteSpan {
        var found = RemoteSpan.none
        var count = 0
        for index in 0..<requestHead.fields.count {
            let field = requestHead.fields[index]
            guard field.name.count == 11,
                received.span.hasIgnoringCase("traceparent", at: field.name.range.lowerBound)
            else { continue }
            found = RemoteSpan(MetaTrace(received.span.extracting(field.value.range)))
            count += 1
        }
        return count == 1 ? found : .none
    }

    @inline(never)
    fileprivate mutating func replaceTrace(_ trace: TraceContext) {
        let name = Array("traceparent".utf8)
        for index in 0..<requestHead.fields.count where received.hasName(requestHead.fields[index], name) {
            requestHead.fields[index].isHopByHop = true
        }
        composed.append("traceparent: ")
        let value = trace.traceparent
        composed.append(value.span)
        composed.append("\r\n")
    }
}
