import Kernel
import MCP
import Telemetry

extension CallEvent {
    /// Takes over all that is known in the end.
    mutating func finish(_ record: ExchangeRecord, _ verdict: ReplyScanner.Verdict, isRecovered: Bool) {
        duration = (record.endedAt - record.times.startedAt).nanoseconds
        offsets.queued = record.times.queued
        offsets.connected = record.times.connected
        offsets.firstByte = record.times.firstByte
        requestBytes = record.requestBytes
        responseBytes = record.responseBytes
        upstream = UInt16(truncatingIfNeeded: record.upstream)
        server = Int32(truncatingIfNeeded: record.server)
        status = record.status
        retries = record.attempts
        if isRecovered { flags.insert(.recovered) }
        settle(record, verdict)
    }

    /// Decides what came of the call: by what its answer said, if there was one, and else by how the exchange ended.
    private mutating func settle(_ record: ExchangeRecord, _ verdict: ReplyScanner.Verdict) {
        if case .rejected(let fault) = record.outcome {
            reason = fault.rawValue
            outcome = fault == .firstByteTimeout ? .timeout : .rejected
            return
        }
        switch verdict {
        case .result(let isError, _): outcome = isError ? .toolError : .success
        case .error(let code):
            outcome = .rpcError
            errorCode = code
        case .none, .unknown: outcome = CallEvent.outcome(record, isRequest: flags.contains(.request))
        }
    }

    /// What an exchange came to whose answer nobody could read.
    private static func outcome(_ record: ExchangeRecord, isRequest: Bool) -> Outcome {
        switch record.outcome {
        case .responded: record.status >= 400 ? .httpError : .success
        case .rejected: .rejected
        // A stream that only listens has no answer that could be missing.
        case .streamEnded: isRequest ? .aborted : .success
        case .streamFailed, .responseAborted, .requestAborted, .inconsistent: .aborted
        case .clientDisconnected: .cancelled
        }
    }
}
