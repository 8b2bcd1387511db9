import Kernel
import Reactor

// Sending requests.
extension Engine {
    /// Sends a call over an open connection with capacity for it.
    mutating func send(_ call: Handle, over c: Handle) {
        if connections[c].http2 != nil { return sendHTTP2Request(call, over: c) }
        let s = calls[call].session
        let group = sessions[s].group
        composed.clear()
        forms[form(group)].append(
            calls[call].kind, id: calls[call].id, session: sessions[s].fields, path: sessions[s].target, to: &composed)
        connections[c].call = call
        connections[c].load = 1
        if connections[c].tls != nil, !encryptComposed(c) { return failConnection(c, .handshake) }
        sendComposed(c)
    }

    /// Sends `composed` and empties it; what the socket does not take is appended to the connection's output.
    mutating func sendComposed(_ c: Handle) {
        if connections[c].output.isEmpty {
            switch world.send(connections[c].descriptor, composed) {
            case .moved(let count):
                counters.bytesSent &+= UInt64(count)
                composed.consume(count)
            case .wouldBlock, .ended: break
            case .failed: return sendFailed(c)
            }
        }
        if !composed.isEmpty { connections[c].output.append(composed) }
        composed.clear()
    }

    /// Sends as much of the connection's output as the socket takes.
    mutating func flush(_ c: Handle) {
        while !connections[c].output.isEmpty {
            switch world.send(connections[c].descriptor, connections[c].output) {
            case .moved(let count):
                counters.bytesSent &+= UInt64(count)
                connections[c].output.consume(count)
            case .wouldBlock, .ended: return
            case .failed: return sendFailed(c)
            }
        }
    }

    /// A write failed. The peer may have sent a response before it closed, so that is read before the connection fails.
    private mutating func sendFailed(_ c: Handle) {
        composed.clear()
        connections[c].output.clear()
        connections[c].mayRead = true
        connections[c].hasEnded = true
        guard !connections[c].isReadPending else { return }
        connections[c].isReadPending = true
        pendingReads.append(c)
    }
}
